/*
 * Marks of the region that the plugin count_instructions.c counts. DBG is a hint, which every core executes
 * as a no-op. Compile what uses it for Armv7-M or later.
 */
#ifndef MARK_H
#define MARK_H

#define MARK_BEGIN() __asm volatile("dbg #1" ::: "memory")
#define MARK_END() __asm volatile("dbg #2" ::: "memory")

#endif /* MARK_H */
