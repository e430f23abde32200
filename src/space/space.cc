#include "space/space.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace tinynas {
namespace {

// Far above any microcontroller's needs; they keep every shape and count inside 64 bits.
constexpr int kMaxChannels = 4096;
constexpr int kMaxKernel = 63;
constexpr int kMaxExpansion = 32;
constexpr int kMaxDepth = 64;
constexpr int kMaxStages = 64;
constexpr int kMaxResolution = 2048;
constexpr double kMaxWidth = 8.0;

void require_range(const std::string& space, const std::string& field, int got, int low, int high) {
  if (got < low || got > high) {
    throw usage_error("space " + space + ": " + field + ": got " + std::to_string(got) + ", expected " +
                      std::to_string(low) + " to " + std::to_string(high));
  }
}

// Options ascend strictly, so that the last is the largest and none is drawn twice as often.
template <typename T>
void require_ascending(const std::string& space, const std::string& field, const std::vector<T>& options) {
  if (options.empty())
    throw usage_error("space " + space + ": " + field + ": is empty, expected one option or more");
  for (size_t i = 1; i < options.size(); ++i) {
    if (!(options[i - 1] < options[i])) {
      throw usage_error("space " + space + ": " + field + ": must ascend without repeats");
    }
  }
}

void check_options(const std::string& space, const std::string& field, const std::vector<int>& options,
                   int high) {
  require_ascending(space, field, options);
  for (const int option : options) require_range(space, field, option, 1, high);
}

}  // namespace

void SearchSpace::check() const {
  require_range(name, "input_channels", input_channels, 1, kMaxChannels);
  require_range(name, "stem.channels", stem.channels, 1, kMaxChannels);
  require_range(name, "stem.kernel", stem.kernel, 1, kMaxKernel);
  require_range(name, "stem.stride", stem.stride, 1, kMaxKernel);
  require_range(name, "the number of stages", static_cast<int>(stages.size()), 1, kMaxStages);
  for (size_t i = 0; i < stages.size(); ++i) {
    const StageSpec& stage = stages[i];
    const std::string field = "stages[" + std::to_string(i) + "].";
    require_range(name, field + "channels", stage.channels, 1, kMaxChannels);
    require_range(name, field + "stride", stage.stride, 1, kMaxKernel);
    check_options(name, field + "kernels", stage.kernels, kMaxKernel);
    for (const int kernel : stage.kernels) {
      if (kernel % 2 == 0) {
        throw usage_error("space " + name + ": " + field + "kernels: got " + std::to_string(kernel) +
                          ", expected odd sizes (a smaller kernel is the centre of a larger one)");
      }
    }
    check_options(name, field + "expansions", stage.expansions, kMaxExpansion);
    check_options(name, field + "depths", stage.depths, kMaxDepth);
  }
  require_range(name, "head_channels", head_channels, 0, kMaxChannels);
  require_range(name, "divisor", divisor, 1, kMaxChannels);
  require_ascending(name, "widths", widths);
  for (const double width : widths) {
    if (!(width > 0.0 && width <= kMaxWidth)) {
      throw usage_error("space " + name + ": widths: got " + std::to_string(width) +
                        ", expected above 0, up to " + std::to_string(kMaxWidth));
    }
  }
  check_options(name, "resolutions", resolutions, kMaxResolution);
}

int scaled_channels(int base, double width, int divisor) {
  // The slack makes products such as 0.7 * 40 behave as the decimal numbers that were written down.
  constexpr double kSlack = 1e-9;
  const double wanted = base * width;
  const int rounded = static_cast<int>(std::floor((wanted + divisor / 2.0 + kSlack) / divisor)) * divisor;
  const int channels = std::max(divisor, rounded);
  return channels < 0.9 * wanted - kSlack ? channels + divisor : channels;
}

}  // namespace tinynas
