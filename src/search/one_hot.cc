#include "search/one_hot.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace tinynas {

OneHotEncoding::OneHotEncoding(const SearchSpace& space, const SubSpace& sub_space) : sub_space_(sub_space) {
  for (const StageSpec& spec : space.stages) {
    Stage stage;
    stage.depth = dimension(spec.depths);
    const int deepest = *std::max_element(spec.depths.begin(), spec.depths.end());
    for (int block = 0; block < deepest; ++block) {
      stage.blocks.push_back({dimension(spec.kernels), dimension(spec.expansions),
                              dimension(channel_choices(space, spec, sub_space.width))});
    }
    stages_.push_back(std::move(stage));
  }
}

OneHotEncoding::Dimension OneHotEncoding::dimension(std::vector<int> options) {
  if (options.size() < 2) return {};
  Dimension made{std::move(options), columns_};
  columns_ += made.options.size();
  return made;
}

void OneHotEncoding::mark(const Dimension& dimension, int value, const char* what, std::vector<float>& row) {
  if (dimension.options.empty()) return;
  const auto found = std::find(dimension.options.begin(), dimension.options.end(), value);
  if (found == dimension.options.end()) {
    throw std::logic_error("one-hot encoding: the sub-space offers no " + std::string(what) + " " +
                           std::to_string(value));
  }
  row[dimension.first_column + static_cast<size_t>(found - dimension.options.begin())] = 1;
}

std::vector<float> OneHotEncoding::encode(const Architecture& architecture) const {
  if (!(architecture.sub_space == sub_space_) || architecture.stages.size() != stages_.size()) {
    throw std::logic_error("one-hot encoding: " + tinynas::encode(architecture) + " is of another sub-space");
  }
  std::vector<float> row(columns_, 0.0f);
  for (size_t i = 0; i < stages_.size(); ++i) {
    const std::vector<BlockChoice>& blocks = architecture.stages[i].blocks;
    mark(stages_[i].depth, static_cast<int>(blocks.size()), "depth", row);
    for (size_t j = 0; j < blocks.size(); ++j) {
      const Block& block = stages_[i].blocks.at(j);
      mark(block.kernel, blocks[j].kernel, "kernel", row);
      mark(block.expansion, blocks[j].expansion, "expansion", row);
      mark(block.channels, blocks[j].channels, "width of", row);
    }
  }
  return row;
}

}  // namespace tinynas
