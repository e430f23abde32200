// Ctrl-C: long work asks now and then and stops at a point where its state is on disk.
#pragma once

#include "base/error.h"

namespace tinynas {

// Installs handlers for SIGINT and SIGTERM. The first signal sets a flag; a second one kills the process at once.
void install_interrupt_handler();

bool interrupted();

// For tests: as if a signal had come, or none had.
void set_interrupted(bool value);

// Throws Error(kInterrupted) when a signal has come. Call it between steps, after the state was saved where that is cheap.
void check_interrupt();

}  // namespace tinynas
