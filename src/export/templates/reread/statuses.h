  @UPPER@_SMALL_ARENA = 3,      /* fewer than @UPPER@_ARENA_BYTES */
  @UPPER@_NULL_ROW = 4,         /* no read_row */
  @UPPER@_NO_INPUT = 5          /* for read_row: it has no row to give */
