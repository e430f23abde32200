/* 1: @NAME@_run_io() reads an input outside the arena, and writes an output outside it, where they are.
 * 0: they are copied, because an operator works in place on them. */
#define @UPPER@_INPUT_IS_READ_IN_PLACE @INPUT_DIRECT@
#define @UPPER@_OUTPUT_IS_WRITTEN_IN_PLACE @OUTPUT_DIRECT@
