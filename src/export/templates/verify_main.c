/*
 * Not part of a package: `tinynas verify` runs it on the host. Prints sizeof the arena; reads inputs from one file and
 * writes outputs to another. Every run starts from an arena full of rubbish between guard bytes.
 */
#include <stdio.h>
#include <string.h>

#include "@NAME@.h"

#define GUARD_BYTES 64

static struct {
  uint8_t before[GUARD_BYTES];
  @NAME@_arena_t arena;
  uint8_t after[GUARD_BYTES];
} memory;

static int intact(const uint8_t *guard) {
  int i;
  for (i = 0; i < GUARD_BYTES; ++i) {
    if (guard[i] != 0xC3) return 0;
  }
  return 1;
}

static int8_t input[@UPPER@_INPUT_BYTES];

#ifdef @UPPER@_INPUT_ROW_BYTES
static @NAME@_status read_row(void *source, int32_t row, int32_t first_column, int32_t columns, int8_t *destination) {
  (void)source;
  memcpy(destination, input + row * @UPPER@_INPUT_ROW_BYTES + first_column * @UPPER@_INPUT_CHANNELS,
         (size_t)columns * @UPPER@_INPUT_CHANNELS);
  return @UPPER@_OK;
}

static @NAME@_status run(void) { return @NAME@_run_rows(&memory.arena, read_row, NULL, NULL); }
#else
static @NAME@_status run(void) {
  memcpy(@NAME@_input(&memory.arena), input, sizeof input);
  return @NAME@_run(&memory.arena);
}
#endif

int main(int argc, char **argv) {
  FILE *in, *out;
  int rubbish = 0x5A;
  printf("%lu\n", (unsigned long)sizeof(@NAME@_arena_t));
  if (argc != 3) return 2;
  in = fopen(argv[1], "rb");
  out = fopen(argv[2], "wb");
  if (in == NULL || out == NULL) return 2;
  memset(&memory, 0xC3, sizeof memory);
  while (fread(input, 1, sizeof input, in) == sizeof input) {
    memset(memory.arena.bytes, rubbish, sizeof memory.arena.bytes);
    rubbish = (rubbish * 5 + 3) & 0xFF;
    if (@NAME@_init(&memory.arena, sizeof memory.arena) != @UPPER@_OK || run() != @UPPER@_OK) return 4;
    if (fwrite(@NAME@_output(&memory.arena), 1, @UPPER@_OUTPUT_BYTES, out) != @UPPER@_OUTPUT_BYTES) return 2;
    if (!intact(memory.before) || !intact(memory.after)) return 3;
  }
  fclose(in);
  return fclose(out) == 0 ? 0 : 2;
}
