  @UPPER@_SMALL_ARENA = 3,      /* fewer than @UPPER@_ARENA_BYTES */
  @UPPER@_NULL_ROW = 4,         /* no read_row or no values */
  @UPPER@_NO_INPUT = 5,         /* for read_row: it has no row to give */
  @UPPER@_NULL_STREAM = 6,
  @UPPER@_NOT_BEGUN = 7,        /* the stream is at its end, or its begin failed */
  @UPPER@_ROW_OUT_OF_ORDER = 8, /* another row is due */
  @UPPER@_TOO_MANY_ROWS = 9,    /* all have come */
  @UPPER@_TOO_FEW_ROWS = 10     /* some are missing */
