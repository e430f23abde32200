@NAME@_status @NAME@_run_profiled(void *arena, @NAME@_read_row read_row, void *source, int8_t *output, @NAME@_hook hook,
                                  void *context);
