// Columns of vertical strips: which columns of a tensor each strip of a stream segment computes or reads.
#pragma once

#include <vector>

#include "cost_models/row_graph.h"

namespace tinynas {

struct ColumnRange {
  int begin = 0;
  int end = 0;  // not included
  int count() const { return end - begin; }
};

// Of `columns` columns, those of strip `strip` of `strips`: as equal as they can be.
inline ColumnRange strip_of(int columns, int strip, int strips) {
  return {static_cast<int>(int64_t{columns} * strip / strips),
          static_cast<int>(int64_t{columns} * (strip + 1) / strips)};
}

// What the window needs of `columns` columns of its input for `out`; empty where it lies in the padding.
inline ColumnRange input_columns(const Window& window, const ColumnRange& out, int columns) {
  const int first = window.first(out.begin);
  const int last = window.last(out.end - 1);
  return {first > 0 ? first : 0, last + 1 < columns ? last + 1 : columns};
}

// For the segment of operators `first` to `last` (positions, both included) run in `strips` strips, one range
// a strip for every tensor that it makes or reads, by TensorId; none for other tensors. A tensor that
// several operators read has the columns that any of them needs. Empty where a strip would need no column of
// some tensor: the segment cannot be run in so many.
std::vector<std::vector<ColumnRange>> strip_columns(const RowGraph& graph, int first, int last, int strips);

}  // namespace tinynas
