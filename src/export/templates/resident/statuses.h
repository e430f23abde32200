  @UPPER@_SMALL_ARENA = 3       /* fewer than @UPPER@_ARENA_BYTES */
