/*
 * Random layers through every kernel of src/runtime, one line of text per layer: what it is, and a hash of
 * its output. The same C99 runs on the host, where the portable kernels are the oracle, and on emulated
 * cores; both must print the same. Which variant runs is TN_PLANNED_VARIANT's and the core's choice, as in a
 * package.
 */
#ifndef KERNEL_SWEEP_H
#define KERNEL_SWEEP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Prints `layers` lines through host_write() and host_write_int() of semihosting.h, which the caller links.
 * Every buffer has guard bytes around it; what a kernel must not write, and did, is named in the layer's
 * line. One buffer of each layer lies at the very beginning or end of `room`, so that where nothing is
 * accessible around that, a kernel that reads outside its buffer faults.
 *
 * seed         Draws the layers; the same on every machine
 * row_by_row   Whether convolutions, pools and means are computed row by row, in strips of columns; the lines
 * are the same room         sweep_room_bytes() bytes, aligned to 8, or more room_bytes   How many there are
 */
void sweep_kernels(uint32_t seed, int32_t layers, int row_by_row, int8_t* room, int32_t room_bytes);

int32_t sweep_room_bytes(void);

#ifdef __cplusplus
}
#endif

#endif /* KERNEL_SWEEP_H */
