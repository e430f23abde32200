#include "cost_models/strip_columns.h"

#include <algorithm>

namespace tinynas {

std::vector<std::vector<ColumnRange>> strip_columns(const RowGraph& graph, int first, int last, int strips) {
  std::vector<std::vector<ColumnRange>> ranges(graph.tensors.size());
  const RowOp& end = graph.op(last);
  for (int strip = 0; strip < strips; ++strip) {
    const int columns = graph.tensor(end.reduces ? end.inputs[0] : end.output).w;
    const ColumnRange part = strip_of(columns, strip, strips);
    if (part.count() <= 0) return {};
    ranges[static_cast<size_t>(end.output)].push_back(end.reduces ? ColumnRange{0, 1} : part);
    for (int position = last; position >= first; --position) {
      const RowOp& op = graph.op(position);
      const auto& made = ranges[static_cast<size_t>(op.output)];
      if (made.size() <= static_cast<size_t>(strip)) continue;
      for (int i = 0; i < op.input_count; ++i) {
        const TensorId id = op.inputs[static_cast<size_t>(i)];
        const ColumnRange needed =
            op.reduces ? part
                       : input_columns(op.columns, made[static_cast<size_t>(strip)], graph.tensor(id).w);
        if (needed.count() <= 0) return {};
        auto& range = ranges[static_cast<size_t>(id)];
        if (range.size() <= static_cast<size_t>(strip)) {
          range.push_back(needed);
        } else {
          range.back() = {std::min(range.back().begin, needed.begin), std::max(range.back().end, needed.end)};
        }
      }
    }
  }
  return ranges;
}

}  // namespace tinynas
