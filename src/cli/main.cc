#include "cli/commands.h"

#ifdef TINYNAS_WITH_TORCH
// Training allocates and frees the same large blocks in every step. Keeping them instead of handing them back
// to the system makes training 1.5 times as fast (docs/decisions/0012-jemalloc-in-the-executable.md).
// jemalloc reads this symbol.
extern "C" const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:-1,muzzy_decay_ms:-1,oversize_threshold:0";
#endif

int main(int argc, char** argv) { return tinynas::run_cli(argc, argv); }
