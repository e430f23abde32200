/*
 * The sweep on an emulated core. -DSEED, -DLAYERS, -DROW_BY_ROW, -DROOM and -DROOM_BYTES: sweep_kernels()'s
 * arguments, the room as an address. With -DPROBE=<address> only that byte is read, to see that it cannot be.
 * With -DFENCE the memory protection unit of Armv7-M forbids what lies around the room, where QEMU's machine
 * lets reads of nothing pass.
 */
#include "kernel_sweep.h"

#ifdef FENCE
enum { FENCE_LOG2_BYTES = 16 };

static void forbid(uint32_t region, uint32_t address) {
  *(volatile uint32_t*)0xE000ED98 = region;
  *(volatile uint32_t*)0xE000ED9C = address;
  *(volatile uint32_t*)0xE000EDA0 = (FENCE_LOG2_BYTES - 1) << 1 | 1; /* no access at all */
}

static void build_fence(void) {
  forbid(0, ROOM - (1u << FENCE_LOG2_BYTES));
  forbid(1, ROOM + ROOM_BYTES);
  *(volatile uint32_t*)0xE000ED94 = 5; /* on, with the usual map beside these regions */
  __asm volatile("dsb\n\tisb" ::: "memory");
}
#endif

int main(void) {
#ifdef FENCE
  build_fence();
#endif
#ifdef PROBE
  return *(const volatile int8_t*)(uintptr_t)PROBE & 0;
#else
  sweep_kernels(SEED, LAYERS, ROW_BY_ROW, (int8_t*)(uintptr_t)ROOM, ROOM_BYTES);
  return 0;
#endif
}
