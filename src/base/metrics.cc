#include "base/metrics.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/error.h"

namespace tinynas {

void MetricsLog::write(const nlohmann::json& event) {
  if (path_.empty()) return;
  std::ofstream file(path_, std::ios::app);
  file << event.dump() << '\n';
  file.flush();
  if (!file) throw io_error(path_.string() + ": cannot be written: " + std::strerror(errno));
}

}  // namespace tinynas
