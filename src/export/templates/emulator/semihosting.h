/* What a program under QEMU says to the host (Arm semihosting; qemu-system-arm -semihosting-config
 * enable=on,target=native). */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdint.h>

void host_write(const char* text);
void host_write_int(int64_t value);
void host_exit(int code) __attribute__((noreturn));

/* Files of the host, binary. A handle, or -1 when it cannot be opened. */
int32_t host_open_to_read(const char* path);
int32_t host_open_to_write(const char* path);
/* Bytes that could not be read or written: 0 when all were. */
uint32_t host_read_file(int32_t file, void* to, uint32_t bytes);
uint32_t host_write_file(int32_t file, const void* from, uint32_t bytes);
void host_seek(int32_t file, uint32_t position);
uint32_t host_file_bytes(int32_t file);
void host_close(int32_t file);

#endif /* SEMIHOSTING_H */
