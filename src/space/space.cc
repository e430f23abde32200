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
constexpr size_t kMaxSubSpaces = 4096;

// Keeps the first problem that it is told of.
class Checker {
 public:
  explicit Checker(const SearchSpace& space) : space_(space) {}

  std::optional<SpaceProblem> run() {
    range("input_channels", space_.input_channels, 1, kMaxChannels);
    range("divisor", space_.divisor, 1, kMaxChannels);
    range("columns", space_.columns, 0, kMaxResolution);
    stem();
    const size_t stages = space_.stages.size();
    require(stages >= 1 && stages <= kMaxStages, "stages", [&] {
      return "got " + std::to_string(stages) + " stages, expected 1 to " + std::to_string(kMaxStages);
    });
    for (size_t i = 0; i < stages; ++i) {
      const std::string field = "stages[" + std::to_string(i) + "].";
      stage(space_.stages[i], field);
      if (space_.block == BlockKind::kDepthwiseSeparable) separable_stage(i, field);
    }
    range("head_channels", space_.head_channels, 0, kMaxChannels);
    grid();
    return problem_;
  }

 private:
  // `what` is called for the message only.
  template <typename What>
  void require(bool good, const std::string& field, const What& what) {
    if (!good && !problem_) problem_ = SpaceProblem{field, what()};
  }

  void range(const std::string& field, int got, int low, int high) {
    require(got >= low && got <= high, field, [&] {
      return "got " + std::to_string(got) + ", expected " + std::to_string(low) + " to " +
             std::to_string(high);
    });
  }

  // Options ascend strictly, so that the last is the largest and none is drawn twice as often.
  template <typename T>
  void ascending(const std::string& field, const std::vector<T>& options) {
    require(!options.empty(), field, [] { return "is empty, expected one option or more"; });
    for (size_t i = 1; i < options.size(); ++i) {
      require(options[i - 1] < options[i], field, [] { return "must ascend without repeats"; });
    }
  }

  void options(const std::string& field, const std::vector<int>& values, int low, int high) {
    for (const int value : values) range(field, value, low, high);
    ascending(field, values);
  }

  void stem() {
    const StemSpec& stem = space_.stem;
    range("stem.channels", stem.channels, 1, kMaxChannels);
    range("stem.kernel", stem.kernel, 1, kMaxKernel);
    range("stem.kernel", stem.kernel_columns(), 1, kMaxKernel);
    range("stem.stride", stem.stride, 1, kMaxKernel);
    range("stem.stride", stem.stride_columns(), 1, kMaxKernel);
  }

  void stage(const StageSpec& stage, const std::string& field) {
    const bool separable = space_.block == BlockKind::kDepthwiseSeparable;
    range(field + "channels", stage.channels, 1, kMaxChannels);
    range(field + "stride", stage.stride, 1, kMaxKernel);
    options(field + "kernels", stage.kernels, 1, kMaxKernel);
    for (const int kernel : stage.kernels) {
      require(kernel % 2 == 1, field + "kernels", [&] {
        return "got " + std::to_string(kernel) +
               ", expected odd sizes (a smaller kernel is the centre of a larger one)";
      });
    }
    options(field + "expansions", stage.expansions, 1, kMaxExpansion);
    options(field + "depths", stage.depths, separable ? 0 : 1, kMaxDepth);
    for (const double part : stage.block_widths) {
      require(part > 0.0 && part <= 1.0, field + "widths",
              [&] { return "got " + std::to_string(part) + ", expected above 0, up to 1"; });
    }
    ascending(field + "widths", stage.block_widths);
    require(stage.block_widths.empty() || stage.block_widths.back() == 1.0, field + "widths",
            [] { return "expected 1 as the last of them: the stage's channels are the most that it has"; });
    require(!separable || !stage.elastic_widths(), field + "widths",
            [] { return "are for MBConv blocks; a DS block has elastic channels"; });
    require(separable || !stage.elastic_channels(), field + "channels",
            [] { return "are elastic, which only a space of DS blocks can be (block: ds)"; });
  }

  // What lets a genotype stand for one network alone, and the largest network hold the weights of every
  // other.
  void separable_stage(size_t i, const std::string& field) {
    const StageSpec& stage = space_.stages[i];
    require(stage.expansions == std::vector<int>{1}, field + "expansions",
            [] { return "a DS block has no expansion"; });
    range(field + "channels.step", stage.channel_step, 0, kMaxChannels);
    if (problem_) return;
    if (stage.elastic_channels()) elastic_channels(stage, field);
    if (problem_) return;
    if (stage.depths.front() == 0) skippable_stage(i, field);
    // Without a stride between them, blocks may move from one stage to the next and make the same network.
    const bool varies = stage.depths.size() > 1;
    for (size_t j = i; varies && space_.stages[j].stride == 1 && j > 0; --j) {
      require(space_.stages[j - 1].depths.size() == 1, field + "depths", [&] {
        return "several depths here and in stages[" + std::to_string(j - 1) +
               "] with no stride between them would give one network two genotypes; fix one of them";
      });
    }
  }

  void elastic_channels(const StageSpec& stage, const std::string& field) {
    const int step = stage.channel_step;
    range(field + "channels.min", stage.min_channels, 1, stage.channels);
    for (const auto& [end, channels] : {std::pair("min", stage.min_channels), {"max", stage.channels}}) {
      require(channels % step == 0, field + "channels." + end, [&, channels = channels] {
        return "got " + std::to_string(channels) + ", expected a multiple of the step " +
               std::to_string(step);
      });
    }
    require(step % space_.divisor == 0, field + "channels.step", [&] {
      return "got " + std::to_string(step) + ", expected a multiple of the divisor " +
             std::to_string(space_.divisor);
    });
  }

  void skippable_stage(size_t i, const std::string& field) {
    require(i > 0, field + "depths", [] { return "got 0: the first stage cannot be skipped"; });
    const StageSpec& stage = space_.stages[i];
    require(stage.stride == 1, field + "depths",
            [] { return "got 0: a stage with a stride cannot be skipped, its stride would go with it"; });
    if (problem_) return;
    // Else the stage after it would read more channels than in the largest network, or the smallest network
    // would not be the one of fewest channels. For every width, since the ends are rounded.
    for (const double width : space_.widths) {
      if (!(width > 0.0 && width <= kMaxWidth)) return;  // grid() will say so
      const ChannelOptions before = channel_options(space_, space_.stages[i - 1], width);
      const ChannelOptions here = channel_options(space_, stage, width);
      require(here.first >= before.first && here.last >= before.last, field + "channels", [&] {
        return "a stage that may be skipped must have no fewer channels than the one before; with width " +
               std::to_string(width) + " that one has " + std::to_string(before.first) + " to " +
               std::to_string(before.last) + ", this one " + std::to_string(here.first) + " to " +
               std::to_string(here.last);
      });
    }
  }

  void grid() {
    for (const double width : space_.widths) {
      require(width > 0.0 && width <= kMaxWidth, "widths", [&] {
        return "got " + std::to_string(width) + ", expected above 0, up to " + std::to_string(kMaxWidth);
      });
    }
    ascending("widths", space_.widths);
    options("resolutions", space_.resolutions, 1, kMaxResolution);
    const size_t sub_spaces = space_.widths.size() * space_.resolutions.size();
    require(sub_spaces <= kMaxSubSpaces, "resolutions", [&] {
      return std::to_string(sub_spaces) + " sub-spaces with the widths, expected at most " +
             std::to_string(kMaxSubSpaces);
    });
  }

  const SearchSpace& space_;
  std::optional<SpaceProblem> problem_;
};

}  // namespace

const char* name_of(BlockKind kind) { return kind == BlockKind::kMbConv ? "mbconv" : "ds"; }

std::optional<SpaceProblem> SearchSpace::problem() const { return Checker(*this).run(); }

void SearchSpace::check() const {
  if (const auto found = problem()) {
    throw usage_error("space " + name + ": " + found->field + ": " + found->what);
  }
}

int scaled_channels(int base, double width, int divisor) {
  // The slack makes products such as 0.7 * 40 behave as the decimal numbers that were written down.
  constexpr double kSlack = 1e-9;
  const double wanted = base * width;
  const int rounded = static_cast<int>(std::floor((wanted + divisor / 2.0 + kSlack) / divisor)) * divisor;
  const int channels = std::max(divisor, rounded);
  return channels < 0.9 * wanted - kSlack ? channels + divisor : channels;
}

std::vector<int> block_channels(const SearchSpace& space, const StageSpec& stage, double width) {
  std::vector<int> channels;
  for (const double part : stage.block_widths) {
    const int scaled = scaled_channels(stage.channels, width * part, space.divisor);
    if (channels.empty() || scaled > channels.back()) channels.push_back(scaled);
  }
  return channels;
}

ChannelOptions channel_options(const SearchSpace& space, const StageSpec& stage, double width) {
  if (!stage.elastic_channels()) {
    const int channels = scaled_channels(stage.channels, width, space.divisor);
    return {channels, channels, 1};
  }
  const int step = stage.channel_step;
  return {scaled_channels(stage.min_channels, width, step), scaled_channels(stage.channels, width, step),
          step};
}

std::vector<int> channel_choices(const SearchSpace& space, const StageSpec& stage, double width) {
  if (stage.elastic_widths()) return block_channels(space, stage, width);
  if (!stage.elastic_channels()) return {0};
  const ChannelOptions options = channel_options(space, stage, width);
  std::vector<int> channels;
  for (int i = 0; i < options.count(); ++i) channels.push_back(options.at(i));
  return channels;
}

}  // namespace tinynas
