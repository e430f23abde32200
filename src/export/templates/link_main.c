/*
 * Not part of a package: the smallest program that uses one, linked to see what the package costs. It has sections of its
 * own, so that it is left out of the figures.
 */
#include "@NAME@.h"

__attribute__((section(".tn_main"))) int tn_link_main(const int8_t *value) {
  *@NAME@_input(&@NAME@_arena) = *value;
  if (@NAME@_run(&@NAME@_arena) != @UPPER@_OK) return -1;
  return *@NAME@_output(&@NAME@_arena);
}
