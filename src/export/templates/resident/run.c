int8_t *@NAME@_input(void *arena) { return &((int8_t *)arena)[@UPPER@_INPUT_OFFSET]; }

#ifdef @UPPER@_PROFILE
@NAME@_status @NAME@_run(void *arena) { return @NAME@_run_profiled(arena, NULL, NULL, NULL, NULL); }

@NAME@_status @NAME@_run_io(void *arena, const int8_t *input, int8_t *output) {
  return @NAME@_run_profiled(arena, input, output, NULL, NULL);
}

@NAME@_status @NAME@_run_profiled(void *arena, const int8_t *input, int8_t *output, @NAME@_hook hook, void *context) {
#else
@NAME@_status @NAME@_run(void *arena) {
  const @NAME@_status status = check(arena);
  if (status == @UPPER@_OK) {
    execute((int8_t *)arena, &((int8_t *)arena)[@UPPER@_INPUT_OFFSET], &((int8_t *)arena)[@UPPER@_OUTPUT_OFFSET]);
  }
  return status;
}

@NAME@_status @NAME@_run_io(void *arena, const int8_t *input, int8_t *output) {
#endif
  const @NAME@_status status = check(arena);
  if (status == @UPPER@_OK) {
    const int8_t *from = &((int8_t *)arena)[@UPPER@_INPUT_OFFSET];
    int8_t *to = &((int8_t *)arena)[@UPPER@_OUTPUT_OFFSET];
    if (input != NULL) {
#if @UPPER@_INPUT_IS_READ_IN_PLACE
      from = input;
#else
      (void)memcpy(&((int8_t *)arena)[@UPPER@_INPUT_OFFSET], input, @UPPER@_INPUT_BYTES);
#endif
    }
#if @UPPER@_OUTPUT_IS_WRITTEN_IN_PLACE
    if (output != NULL) {
      to = output;
    }
#endif
    execute((int8_t *)arena, from, to HOOK);
#if !@UPPER@_OUTPUT_IS_WRITTEN_IN_PLACE
    if (output != NULL) {
      (void)memcpy(output, to, @UPPER@_OUTPUT_BYTES);
    }
#endif
  }
  return status;
}
