/*
 * Not part of a package: the smallest program that uses one, linked to see what the package costs. It has sections of its
 * own, so that it is left out of the figures.
 */
#include "@NAME@.h"

#ifdef @UPPER@_INPUT_ROW_BYTES
static __attribute__((section(".tn_main"))) @NAME@_status read_row(void *source, int32_t row, int32_t first_column,
                                                                   int32_t columns, int8_t *destination) {
  (void)row, (void)first_column, (void)columns;
  *destination = *(const int8_t *)source;
  return @UPPER@_OK;
}

__attribute__((section(".tn_main"))) int tn_link_main(int8_t *value) {
  if (@NAME@_run_rows(&@NAME@_arena, read_row, value, 0) != @UPPER@_OK) return -1;
  return *@NAME@_output(&@NAME@_arena);
}
#else
__attribute__((section(".tn_main"))) int tn_link_main(const int8_t *value) {
  *@NAME@_input(&@NAME@_arena) = *value;
  if (@NAME@_run(&@NAME@_arena) != @UPPER@_OK) return -1;
  return *@NAME@_output(&@NAME@_arena);
}
#endif
