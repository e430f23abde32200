static @NAME@_status begin(@NAME@_stream *stream, void *arena, int8_t *output) {
  const @NAME@_status status = check(arena);
  if (status == @UPPER@_OK) {
    stream->arena = (int8_t *)arena;
    stream->output = (output != NULL) ? output : &((int8_t *)arena)[@UPPER@_OUTPUT_OFFSET];
    stream->hook = NULL;
    stream->context = NULL;
    segment_0_begin(stream);
    segment_0_start_strip(stream);
  } else {
    stream->arena = NULL;
  }
  return status;
}

/* All rows have arrived: what stands behind the last of them. */
static void finish(@NAME@_stream *stream) {
  segment_0_end(stream);
#ifdef @UPPER@_PROFILE
  execute(stream->arena, stream->output, stream->hook, stream->context);
#else
  execute(stream->arena, stream->output);
#endif
#if !@UPPER@_OUTPUT_IS_WRITTEN_IN_PLACE
  if (stream->output != &stream->arena[@UPPER@_OUTPUT_OFFSET]) {
    (void)memcpy(stream->output, &stream->arena[@UPPER@_OUTPUT_OFFSET], @UPPER@_OUTPUT_BYTES);
  }
#endif
  stream->arena = NULL;
}

@NAME@_status @NAME@_begin(@NAME@_stream *stream, void *arena, int8_t *output) {
  @NAME@_status status = @UPPER@_NULL_STREAM;
  if (stream != NULL) {
    status = begin(stream, arena, output);
  }
  return status;
}

int8_t *@NAME@_next_row(const @NAME@_stream *stream) {
  int8_t *row = NULL;
  if ((stream != NULL) && (stream->arena != NULL) && (stream->arrived < @UPPER@_INPUT_HEIGHT)) {
    row = segment_0_row(stream);
  }
  return row;
}

@NAME@_status @NAME@_push_row(@NAME@_stream *stream, int32_t row, const int8_t *values) {
  @NAME@_status status = @UPPER@_OK;
  if (stream == NULL) {
    status = @UPPER@_NULL_STREAM;
  } else if (stream->arena == NULL) {
    status = @UPPER@_NOT_BEGUN;
  } else if (stream->arrived >= @UPPER@_INPUT_HEIGHT) {
    status = @UPPER@_TOO_MANY_ROWS;
  } else if (row != stream->arrived) {
    status = @UPPER@_ROW_OUT_OF_ORDER;
  } else if (values == NULL) {
    status = @UPPER@_NULL_ROW;
  } else {
    int8_t *const destination = segment_0_row(stream);
    if (values != destination) {
      (void)memcpy(destination, values, @UPPER@_INPUT_ROW_BYTES);
    }
    (void)segment_0_row_arrived(stream);
  }
  return status;
}

@NAME@_status @NAME@_finish(@NAME@_stream *stream) {
  @NAME@_status status = @UPPER@_OK;
  if (stream == NULL) {
    status = @UPPER@_NULL_STREAM;
  } else if (stream->arena == NULL) {
    status = @UPPER@_NOT_BEGUN;
  } else if (stream->arrived < @UPPER@_INPUT_HEIGHT) {
    status = @UPPER@_TOO_FEW_ROWS;
  } else {
    finish(stream);
  }
  return status;
}

#ifdef @UPPER@_PROFILE
@NAME@_status @NAME@_run_rows(void *arena, @NAME@_read_row read_row, void *source, int8_t *output) {
  return @NAME@_run_profiled(arena, read_row, source, output, NULL, NULL);
}

@NAME@_status @NAME@_run_profiled(void *arena, @NAME@_read_row read_row, void *source, int8_t *output, @NAME@_hook hook,
                                  void *context) {
#else
@NAME@_status @NAME@_run_rows(void *arena, @NAME@_read_row read_row, void *source, int8_t *output) {
#endif
  @NAME@_stream stream;
  @NAME@_status status = (read_row == NULL) ? @UPPER@_NULL_ROW : begin(&stream, arena, output);
  if (status == @UPPER@_OK) {
    int32_t row;
#ifdef @UPPER@_PROFILE
    stream.hook = hook;
    stream.context = context;
#endif
    for (row = 0; (row < @UPPER@_INPUT_HEIGHT) && (status == @UPPER@_OK); ++row) {
      status = read_row(source, row, 0, @UPPER@_INPUT_WIDTH, segment_0_row(&stream));
      if (status == @UPPER@_OK) {
        (void)segment_0_row_arrived(&stream);
      }
    }
    if (status == @UPPER@_OK) {
      finish(&stream);
    }
  }
  return status;
}
