
/*
 * The same run the other way round, for rows that come when they come (a camera's interrupt, a DMA):
 *
 *   @NAME@_stream stream;
 *   if (@NAME@_begin(&stream, &arena, NULL) != @UPPER@_OK) ...
 *   if (@NAME@_push_row(&stream, row, values) != @UPPER@_OK) ...   for row = 0 to @UPPER@_INPUT_HEIGHT - 1
 *   if (@NAME@_finish(&stream) != @UPPER@_OK) ...
 *
 * The state between two rows: yours, one for every run that is under way, besides its arena. Its fields are the
 * package's own; it may lie anywhere and holds pointers into the arena.
 */
@STREAM_STRUCT@
/* Begins a run, and forgets one that was under way. `output`: as above. */
@NAME@_status @NAME@_begin(@NAME@_stream *stream, void *arena, int8_t *output);

/* @UPPER@_INPUT_ROW_BYTES of row `row`, [column][channel], which are copied, and computes as far as they allow: the work
 * of several rows at times, none at others. Call it from a task rather than from the interrupt, and not from both.
 * Rows come in ascending order, each once; a row that is refused changes nothing:
 * @UPPER@_ROW_OUT_OF_ORDER when another row is due, @UPPER@_TOO_MANY_ROWS when all have come. */
@NAME@_status @NAME@_push_row(@NAME@_stream *stream, int32_t row, const int8_t *values);

/* Where the next row may be put, so that nothing is copied: pass this pointer as `values` when it is there. It is in the
 * arena and changes with every push; during a push nothing may be written there. NULL when no row is due. */
int8_t *@NAME@_next_row(const @NAME@_stream *stream);

/* Computes what stands behind the last row; the output is then there, and the stream is at its end.
 * @UPPER@_TOO_FEW_ROWS when rows are missing: the run goes on. */
@NAME@_status @NAME@_finish(@NAME@_stream *stream);
