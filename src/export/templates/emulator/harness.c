/*
 * Not part of a package: runs one in the emulator. Reads inputs from one file of the host, one after another, and writes
 * for each to another file: the output, then how many bytes of the package's stack the run used (4 bytes, little endian).
 * Every run starts from an arena full of rubbish, on a painted stack of its own, with painted bytes behind all variables.
 * It calls nothing of the compiler's library, so that all of that in the program is the package's.
 */
#include "@NAME@.h"
#include "semihosting.h"

enum { STACK_PAINT = 0xA5, GUARD = 0xC3, GUARD_BYTES = 256 };
enum { CANNOT_OPEN = 2, OUTSIDE = 3, CANNOT_WRITE = 4, REFUSED = 5 };

extern uint8_t _tn_stack_start[], _tn_stack_end[], _bss_end[], _tn_sram_end[];

/*
 * Calls function(a, b, c, d) with the stack pointer at `stack`, between the marks of count_instructions.c: the call itself
 * is counted. DBG is a hint, which Armv7-M and later execute as a no-op.
 */
@NAME@_status call_counted(void *a, void *b, void *c, void *d, void (*function)(void), uint8_t *stack);
__asm(
    ".section .text.call_counted, \"ax\"\n"
    ".syntax unified\n"
    ".thumb\n"
    ".balign 4\n"
    ".type call_counted, %function\n"
    "call_counted:\n"
    "push {r4, lr}\n"
    "mov r4, sp\n"
    "ldr r12, [r4, #8]\n"
    "ldr lr, [r4, #12]\n"
    "mov sp, lr\n"
    "dbg #1\n"
    "blx r12\n"
    "dbg #2\n"
    "mov sp, r4\n"
    "pop {r4, pc}\n"
    ".previous\n");

static void fill(volatile uint8_t *from, const volatile uint8_t *to, int value) {
  while (from < to) *from++ = (uint8_t)value;
}

static uint32_t unchanged(const volatile uint8_t *from, const volatile uint8_t *to, int value) {
  const volatile uint8_t *at = from;
  while (at < to && *at == (uint8_t)value) ++at;
  return (uint32_t)(at - from);
}

#ifdef @UPPER@_INPUT_ROW_BYTES
/* The input stays in its file: each row is read when it is asked for, by the host, so that it costs few instructions and no
 * memory. The little stack that this takes is taken where the package's own is not deep. */
struct image {
  int32_t file;
  uint32_t begin;
};

static @NAME@_status read_row(void *source, int32_t row, int32_t first_column, int32_t columns, int8_t *destination) {
  const struct image *image = source;
  const uint32_t at = (uint32_t)(row * @UPPER@_INPUT_ROW_BYTES + first_column * @UPPER@_INPUT_CHANNELS);
  host_seek(image->file, image->begin + at);
  return host_read_file(image->file, destination, (uint32_t)(columns * @UPPER@_INPUT_CHANNELS)) == 0 ? @UPPER@_OK
                                                                                                  : @UPPER@_NO_INPUT;
}
#endif

int main(void) {
  const int32_t in = host_open_to_read(@INPUTS@);
  const int32_t out = host_open_to_write(@OUTPUTS@);
  uint8_t *const guard_end =
      (uint32_t)(_tn_sram_end - _bss_end) < GUARD_BYTES ? _tn_sram_end : _bss_end + GUARD_BYTES;
  const uint32_t guard_bytes = (uint32_t)(guard_end - _bss_end);
  int rubbish = 0x5A;
#ifdef @UPPER@_INPUT_ROW_BYTES
  struct image image = {in, 0};
#endif
  if (in < 0 || out < 0) return CANNOT_OPEN;
  for (;;) {
    uint32_t stack_bytes;
    fill(_tn_stack_start, _tn_stack_end, STACK_PAINT);
    fill(_bss_end, guard_end, GUARD);
    fill(@NAME@_arena.bytes, @NAME@_arena.bytes + @UPPER@_ARENA_BYTES, rubbish);
    rubbish = (rubbish * 5 + 3) & 0xFF;
#ifdef @UPPER@_INPUT_ROW_BYTES
    if (image.begin + @UPPER@_INPUT_BYTES > host_file_bytes(in)) break;
    if (call_counted(&@NAME@_arena, (void *)read_row, &image, 0, (void (*)(void))@NAME@_run_rows, _tn_stack_end) !=
        @UPPER@_OK)
      return REFUSED;
    image.begin += @UPPER@_INPUT_BYTES;
#else
    if (host_read_file(in, @NAME@_input(&@NAME@_arena), @UPPER@_INPUT_BYTES) != 0) break;
    if (call_counted(&@NAME@_arena, 0, 0, 0, (void (*)(void))@NAME@_run, _tn_stack_end) != @UPPER@_OK) return REFUSED;
#endif
    if (unchanged(_bss_end, guard_end, GUARD) != guard_bytes) return OUTSIDE;
    stack_bytes = (uint32_t)(_tn_stack_end - _tn_stack_start) - unchanged(_tn_stack_start, _tn_stack_end, STACK_PAINT);
    if (host_write_file(out, @NAME@_output(&@NAME@_arena), @UPPER@_OUTPUT_BYTES) != 0) return CANNOT_WRITE;
    if (host_write_file(out, &stack_bytes, sizeof stack_bytes) != 0) return CANNOT_WRITE;
  }
  host_close(out);
  return 0;
}
