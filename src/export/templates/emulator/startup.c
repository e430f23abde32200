/* Start-up, fault handler and semihosting of a bare Cortex-M program under QEMU. Compile for Armv7-M or
 * later. */
#include "semihosting.h"

#include <stdint.h>

extern uint32_t _data_load, _data_start, _data_end, _bss_start, _bss_end, _stack_end;
int main(void);
void Reset_Handler(void);
void start(void);

static uint32_t call_host(uint32_t operation, const void* argument) {
  register uint32_t r0 __asm("r0") = operation;
  register const void* r1 __asm("r1") = argument;
  __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void host_write(const char* text) { (void)call_host(0x04, text); }

static int32_t open_file(const char* path, uint32_t mode) {
  struct {
    const char* path;
    uint32_t mode, length;
  } arguments = {path, mode, 0};
  while (path[arguments.length] != '\0') ++arguments.length;
  return (int32_t)call_host(0x01, &arguments);
}

int32_t host_open_to_read(const char* path) { return open_file(path, 1); } /* "rb" */

int32_t host_open_to_write(const char* path) { return open_file(path, 5); } /* "wb" */

static uint32_t transfer(uint32_t operation, int32_t file, const void* memory, uint32_t bytes) {
  struct {
    int32_t file;
    const void* memory;
    uint32_t bytes;
  } arguments = {file, memory, bytes};
  return call_host(operation, &arguments);
}

uint32_t host_read_file(int32_t file, void* to, uint32_t bytes) { return transfer(0x06, file, to, bytes); }

uint32_t host_write_file(int32_t file, const void* from, uint32_t bytes) {
  return transfer(0x05, file, from, bytes);
}

void host_seek(int32_t file, uint32_t position) {
  const uint32_t arguments[2] = {(uint32_t)file, position};
  (void)call_host(0x0A, arguments);
}

uint32_t host_file_bytes(int32_t file) { return call_host(0x0C, &file); }

void host_close(int32_t file) { (void)call_host(0x02, &file); }

void host_exit(int code) {
  const uint32_t arguments[2] = {0x20026, (uint32_t)code}; /* ADP_Stopped_ApplicationExit */
  (void)call_host(0x20, arguments);
  for (;;) {
  }
}

void host_write_int(int64_t value) {
  char digits[24];
  char* at = digits + sizeof digits;
  uint64_t left = value < 0 ? (uint64_t)-value : (uint64_t)value;
  *--at = '\0';
  do {
    *--at = (char)('0' + left % 10);
    left /= 10;
  } while (left != 0);
  if (value < 0) *--at = '-';
  host_write(at);
}

static void fault(void) {
  host_write("FAULT\n");
  host_exit(99);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void)) & _stack_end,
    Reset_Handler,
    fault,
    fault,
    fault,
    fault,
    fault,
    fault,
    0,
    0,
    0,
    fault,
    fault,
    0,
    fault,
    fault};

__attribute__((naked, used)) void Reset_Handler(void) {
  /* Full access to the floating-point and vector units (CPACR, CP10 and CP11). */
  __asm volatile(
      "ldr r0, =0xE000ED88\n"
      "ldr r1, [r0]\n"
      "orr r1, r1, #0xF00000\n"
      "str r1, [r0]\n"
      "dsb\n"
      "isb\n"
      "b start\n");
}

__attribute__((used)) void start(void) {
  const uint32_t* from = &_data_load;
  volatile uint32_t* to;
  for (to = &_data_start; to < &_data_end; ++to) *to = *from++;
  for (to = &_bss_start; to < &_bss_end; ++to) *to = 0;
  host_exit(main());
}
