/* What a program under QEMU says to the host (Arm semihosting; qemu-system-arm -semihosting-config
 * enable=on). */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdint.h>

void host_write(const char* text);
void host_write_int(int64_t value);
void host_exit(int code) __attribute__((noreturn));

#endif /* SEMIHOSTING_H */
