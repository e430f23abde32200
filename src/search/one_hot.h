// Architectures as rows of numbers, for predictors.
#pragma once

#include <cstddef>
#include <vector>

#include "space/architecture.h"

namespace tinynas {

// One column for every option of every elastic dimension of a sub-space: the depth of a stage, and the
// kernel, the expansion and the output channels of each block that a stage may have. 1 where the architecture
// chose it, else 0; the columns of a block that is not there are 0. Dimensions with one option have no column
// (Once-for-All, ICLR 2020, section 3.4, encodes its architectures so).
class OneHotEncoding {
 public:
  OneHotEncoding(const SearchSpace& space, const SubSpace& sub_space);

  size_t columns() const { return columns_; }
  // `columns()` values, 0 or 1. Throws std::logic_error where the architecture is of another sub-space or has
  // a choice that the sub-space does not offer.
  std::vector<float> encode(const Architecture& architecture) const;

 private:
  struct Dimension {
    std::vector<int> options;
    size_t first_column = 0;
  };
  struct Block {
    Dimension kernel;
    Dimension expansion;
    Dimension channels;
  };
  struct Stage {
    Dimension depth;
    std::vector<Block> blocks;
  };
  Dimension dimension(std::vector<int> options);
  static void mark(const Dimension& dimension, int value, const char* what, std::vector<float>& row);

  SubSpace sub_space_;
  std::vector<Stage> stages_;
  size_t columns_ = 0;
};

}  // namespace tinynas
