static int32_t test_push(void *arena, int index) {
  static int8_t output[@UPPER@_OUTPUT_BYTES];
  static int8_t line[@UPPER@_INPUT_ROW_BYTES];
  @NAME@_stream stream;
  int32_t failures = 0;
  int32_t row;
  (void)memset(arena, 0x3C + index, @UPPER@_ARENA_BYTES);
  failures += @NAME@_begin(&stream, arena, output) != @UPPER@_OK;
  for (row = 0; row < @UPPER@_INPUT_HEIGHT; ++row) {
    int8_t *const next = @NAME@_next_row(&stream);
    /* Every other row is written to where it belongs, the others are copied and then overwritten. */
    int8_t *const values = ((row % 2) == 0) ? next : line;
    (void)memcpy(values, &@NAME@_golden_inputs[index][row * @UPPER@_INPUT_ROW_BYTES], @UPPER@_INPUT_ROW_BYTES);
    failures += @NAME@_push_row(&stream, row + 1, values) != @UPPER@_ROW_OUT_OF_ORDER;
    failures += @NAME@_push_row(&stream, row - 1, values) != @UPPER@_ROW_OUT_OF_ORDER;
    failures += @NAME@_push_row(&stream, row, NULL) != @UPPER@_NULL_ROW;
    failures += @NAME@_finish(&stream) != @UPPER@_TOO_FEW_ROWS;
    failures += @NAME@_push_row(&stream, row, values) != @UPPER@_OK;
    (void)memset(line, 0x81, sizeof line);
  }
  failures += @NAME@_next_row(&stream) != NULL;
  failures += @NAME@_push_row(&stream, row, line) != @UPPER@_TOO_MANY_ROWS;
  failures += @NAME@_finish(&stream) != @UPPER@_OK;
  failures += differs(output, index);
  failures += @NAME@_finish(&stream) != @UPPER@_NOT_BEGUN;
  failures += @NAME@_push_row(&stream, 0, line) != @UPPER@_NOT_BEGUN;
  failures += @NAME@_begin(&stream, NULL, NULL) != @UPPER@_NULL_ARENA;
  failures += @NAME@_push_row(&stream, 0, line) != @UPPER@_NOT_BEGUN;
  failures += @NAME@_begin(NULL, arena, NULL) != @UPPER@_NULL_STREAM;
  failures += @NAME@_push_row(NULL, 0, line) != @UPPER@_NULL_STREAM;
  failures += @NAME@_finish(NULL) != @UPPER@_NULL_STREAM;
  return failures;
}

