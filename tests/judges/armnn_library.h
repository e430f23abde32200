// Arm NN's reference backend, a second opinion on .tflite files (Debian: libarmnn-dev,
// libarmnntfliteparser-dev, libarmnn-cpuref-backend22).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tinynas::judges {

// One inference on CpuRef: every output of the file, by name. `outputs` are the names that the file gives
// them. Throws std::exception with Arm NN's message.
std::map<std::string, std::vector<int8_t>> run_armnn(const std::string& file,
                                                     const std::vector<int8_t>& input);

}  // namespace tinynas::judges
