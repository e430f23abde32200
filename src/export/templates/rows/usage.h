 *   if (@NAME@_run_rows(&arena, read_row, NULL, NULL) != @UPPER@_OK) ...  your read_row() is asked for every row of the input
