#define @UPPER@_INPUT_OFFSET @INPUT_OFFSET@ /* in the arena */
