    from->wrong += (row != from->asked) || (first_column != 0) || (columns != @UPPER@_INPUT_WIDTH);
