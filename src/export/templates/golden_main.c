/*
 * Runs the golden vectors. Returns 0 when every output equals the reference bit for bit, else how many do not (at most
 * 125). No stdio, so that it runs on the device as it does on the host.
 */
#include <string.h>

#include "../golden/@NAME@_golden.h"
#include "../include/@NAME@.h"

int main(void) {
  int mismatches = 0;
  int i;
  for (i = 0; i < @UPPER@_GOLDEN_COUNT; ++i) {
    memcpy(@NAME@_input(&@NAME@_arena), @NAME@_golden_inputs[i], @UPPER@_INPUT_BYTES);
    @NAME@_run(&@NAME@_arena);
    mismatches += memcmp(@NAME@_output(&@NAME@_arena), @NAME@_golden_outputs[i], @UPPER@_OUTPUT_BYTES) != 0;
  }
  return mismatches > 125 ? 125 : mismatches;
}
