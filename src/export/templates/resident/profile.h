@NAME@_status @NAME@_run_profiled(void *arena, const int8_t *input, int8_t *output, @NAME@_hook hook, void *context);
