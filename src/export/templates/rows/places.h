/* 1: an output outside the arena is written where it is. 0: it is copied, because an operator works in place on it. */
#define @UPPER@_OUTPUT_IS_WRITTEN_IN_PLACE @OUTPUT_DIRECT@
