#ifdef @UPPER@_PROFILE
@NAME@_status @NAME@_run_rows(void *arena, @NAME@_read_row read_row, void *source, int8_t *output) {
  return @NAME@_run_profiled(arena, read_row, source, output, NULL, NULL);
}

@NAME@_status @NAME@_run_profiled(void *arena, @NAME@_read_row read_row, void *source, int8_t *output, @NAME@_hook hook,
                                  void *context) {
#else
@NAME@_status @NAME@_run_rows(void *arena, @NAME@_read_row read_row, void *source, int8_t *output) {
#endif
  @NAME@_status status = (read_row == NULL) ? @UPPER@_NULL_ROW : check(arena);
  if (status == @UPPER@_OK) {
    @NAME@_stream stream;
    int32_t strip;
    stream.arena = (int8_t *)arena;
    stream.output = (output != NULL) ? output : &((int8_t *)arena)[@UPPER@_OUTPUT_OFFSET];
#ifdef @UPPER@_PROFILE
    stream.hook = hook;
    stream.context = context;
#endif
    segment_0_begin(&stream);
    for (strip = 0; (strip < @INPUT_STRIPS@) && (status == @UPPER@_OK); ++strip) {
      int32_t complete = 0;
      stream.strip = strip;
      segment_0_start_strip(&stream);
      while ((complete == 0) && (status == @UPPER@_OK)) {
        status = read_row(source, stream.arrived, segment_0_first_column[strip], segment_0_column_count[strip],
                          segment_0_row(&stream));
        if (status == @UPPER@_OK) {
          complete = segment_0_row_arrived(&stream);
        }
      }
    }
    if (status == @UPPER@_OK) {
      segment_0_end(&stream);
      execute(stream.arena, stream.output HOOK);
#if !@UPPER@_OUTPUT_IS_WRITTEN_IN_PLACE
      if (output != NULL) {
        (void)memcpy(output, &stream.arena[@UPPER@_OUTPUT_OFFSET], @UPPER@_OUTPUT_BYTES);
      }
#endif
    }
  }
  return status;
}
