// What a graph looks like to the planner of streaming schedules: which rows of its inputs an operator needs
// for a row of its output, and how many rows of a tensor are alive at once when they are made on demand.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace tinynas {

// One axis of an operator's window: output position r reads inputs r * stride - pad .. + kernel - 1, those
// of them that exist.
struct Window {
  int kernel = 1;
  int stride = 1;
  int pad = 0;  // before the first
  int first(int r) const { return r * stride - pad; }
  int last(int r) const { return r * stride - pad + kernel - 1; }
};

struct RowOp {
  int op = 0;  // index into graph.ops
  // By the position of their producers: the order in which they are asked for rows, so that a row which is
  // made last is read before anything else runs.
  std::array<TensorId, 2> inputs{-1, -1};
  int input_count = 0;
  TensorId output = -1;
  Window rows;
  Window columns;
  bool streams = false;  // has a row kernel: convolutions, pools, additions; a global mean at a segment's end
  bool reduces = false;  // the global mean: it reads a row at a time into int32 sums, one a channel
  bool is_add = false;
  bool is_depthwise = false;  // of depth multiplier 1
  int64_t column_macs = 0;    // MACs of one column of the whole output
  int64_t accumulator_bytes = 0;
};

struct RowTensor {
  int h = 1;
  int w = 1;
  int64_t column_bytes = 0;  // of one position: channels * element size
  int64_t bytes = 0;
  int producer = -1;   // position in the order; -1: the graph's input
  int first_read = 0;  // position; behind the last operator for the graph's output
  int last_read = 0;
  int readers = 0;

  // Rows that are alive at once where the segment holds the producer (or the tensor is the graph's input) and
  // all readers. All of them where what depends on the tensor does not join again at its last reader.
  int ring_rows = 0;
  // Its one row is read before any other operator of the segment runs: it shares memory with scratch.
  bool transient = false;
  // The addition that reads it last, and nobody else, needs row r when it writes row r: the sum can take the
  // row's place.
  bool dies_in_add = false;
};

// The graph by positions in the order of its operators. `order`: indices into graph.ops. Rows are made on
// demand: a segment's last operator makes its rows from the first to the last; before an operator makes a
// row, each of its inputs makes the rows up to the last one of the window that are not there yet. A row dies
// when no reader has it in the window of the row that it makes, or will make, next.
struct RowGraph {
  std::vector<RowOp> ops;
  std::vector<RowTensor> tensors;

  RowGraph(const Graph& graph, const std::vector<int>& order);
  const RowTensor& tensor(TensorId id) const { return tensors[static_cast<size_t>(id)]; }
  const RowOp& op(int position) const { return ops[static_cast<size_t>(position)]; }
  int size() const { return static_cast<int>(ops.size()); }
};

}  // namespace tinynas
