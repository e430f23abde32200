/*
 * Gives a row of the input: `columns` * @UPPER@_INPUT_CHANNELS values, [column][channel], of row `row` (0 is the uppermost)
 * from column `first_column` on, to be written from `destination` on. That is in the arena and must not be touched
 * after the return. `source`: what the run was given. Any status but @UPPER@_OK ends the run, which returns it;
 * @UPPER@_NO_INPUT is there for that.
@ROW_ORDER@ */
typedef @NAME@_status (*@NAME@_read_row)(void *source, int32_t row, int32_t first_column, int32_t columns,
                                         int8_t *destination);

/* One inference, which asks for its input row by row. @UPPER@_OUTPUT_BYTES go to `output`, which must be outside the
 * arena; NULL stands for the place in the arena. */
@NAME@_status @NAME@_run_rows(void *arena, @NAME@_read_row read_row, void *source, int8_t *output);
