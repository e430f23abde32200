  failures += source.asked != @UPPER@_INPUT_HEIGHT;
