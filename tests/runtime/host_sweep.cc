#include "host_sweep.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernel_sweep.h"

extern "C" {
#include "export/templates/emulator/semihosting.h"
}

namespace {
std::string written;
}

extern "C" {
void host_write(const char* text) { written += text; }
void host_write_int(int64_t value) { written += std::to_string(value); }
void host_exit(int code) {
  std::fprintf(stderr, "%s\nthe sweep ended with %d\n", written.c_str(), code);
  std::abort();
}
}

namespace tinynas::testing {

std::string sweep_on_host(uint32_t seed, int32_t layers, bool row_by_row) {
  written.clear();
  std::vector<int8_t> room(static_cast<size_t>(sweep_room_bytes()));
  sweep_kernels(seed, layers, row_by_row ? 1 : 0, room.data(), sweep_room_bytes());
  return written;
}

}  // namespace tinynas::testing
