/* Where the input is in an arena. */
int8_t *@NAME@_input(void *arena);

/* One inference, of the input in the arena. It overwrites the input. */
@NAME@_status @NAME@_run(void *arena);

/* The same with @UPPER@_INPUT_BYTES at `input`, which are not changed, and @UPPER@_OUTPUT_BYTES at `output`. Both must be
 * outside the arena and must not overlap; NULL stands for the place in the arena. */
@NAME@_status @NAME@_run_io(void *arena, const int8_t *input, int8_t *output);
