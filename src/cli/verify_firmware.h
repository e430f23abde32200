// `tinynas verify PACKAGE`: a firmware package on its own, without the run that it came from.
#pragma once

#include <filesystem>

namespace tinynas {

// Runs the package's golden vectors on every compiler and emulated core that is installed, in all the memory
// that the machines have; prints a table, or JSON. Throws Error(kVerification) when one fails or nothing was
// checked at all.
void verify_firmware(const std::filesystem::path& package, bool json);

}  // namespace tinynas
