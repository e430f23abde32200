#include "cost_models/row_graph.h"

#include <algorithm>

namespace tinynas {
namespace {

// The others end a run of streamed operators: they read and write whole tensors.
bool has_row_kernel(const Op& op) {
  switch (op.kind) {
    case OpKind::kFullyConnected:
    case OpKind::kSoftmax:
    case OpKind::kPad:
    case OpKind::kReshape:
      return false;
    default:
      return true;
  }
}

RowOp row_op(const Graph& graph, int index, const std::vector<int>& producer) {
  const Op& op = graph.ops[static_cast<size_t>(index)];
  RowOp row;
  row.op = index;
  row.input_count = static_cast<int>(op.inputs.size());
  std::copy(op.inputs.begin(), op.inputs.end(), row.inputs.begin());
  const auto made_at = [&](TensorId id) { return producer[static_cast<size_t>(id)]; };
  if (row.input_count == 2 && made_at(row.inputs[0]) > made_at(row.inputs[1]))
    std::swap(row.inputs[0], row.inputs[1]);
  row.output = op.output;
  row.rows = {op.kernel_h, op.stride_h, op.padding.top};
  row.columns = {op.kernel_w, op.stride_w, op.padding.left};
  row.streams = has_row_kernel(op);
  row.reduces = op.kind == OpKind::kGlobalAvgPool;
  row.is_add = op.kind == OpKind::kAdd;
  row.is_depthwise = op.kind == OpKind::kDepthwiseConv2d && op.depth_multiplier == 1;
  const Shape& out = graph.tensor(op.output).shape;
  row.column_macs = weight_count(graph, op) * out.h;
  if (row.reduces) row.accumulator_bytes = int64_t{out.c} * static_cast<int64_t>(sizeof(int32_t));
  return row;
}

// Most rows of a tensor with one reader: the window, less what lies in the padding. A row that no window
// holds (a stride above the kernel) still takes a slot when it is made.
int rows_of_one_reader(const RowTensor& tensor, const Window& window, int reader_rows) {
  int most = 1;
  for (int r = 0; r < reader_rows; ++r) {
    const int first = std::max(0, window.first(r));
    const int last = std::min(tensor.h - 1, window.last(r));
    most = std::max(most, last - first + 1);
  }
  return most;
}

// Runs the operators behind a tensor, up to the last that reads it, on row numbers: exact for any strides and
// paddings.
class Demand {
 public:
  Demand(const RowGraph& graph, TensorId source, int first, int last)
      : graph_(graph), source_(source), first_(first), last_(last) {
    made_.assign(static_cast<size_t>(last - first) + 1, 0);
    wanted_.assign(made_.size(), 0);
    readers_.reserve(4);
    for (int position = first; position <= last; ++position) {
      const RowOp& op = graph.op(position);
      if (std::find(op.inputs.begin(), op.inputs.begin() + op.input_count, source) !=
          op.inputs.begin() + op.input_count)
        readers_.push_back(position);
    }
    // Rows that each operator will ever make.
    wanted(last_) = rows_of(last_);
    for (int position = last; position > first; --position) {
      const RowOp& op = graph.op(position);
      if (wanted(position) == 0) continue;
      for (int i = 0; i < op.input_count; ++i) {
        const RowTensor& in = graph.tensor(op.inputs[static_cast<size_t>(i)]);
        if (in.producer < first) continue;
        const int rows = std::min(in.h, op.rows.last(wanted(position) - 1) + 1);
        wanted(in.producer) = std::max(wanted(in.producer), rows);
      }
    }
  }

  void run(RowTensor& source) {
    most_ = 1;
    dies_in_add_ = graph_.op(last_).is_add;
    while (made(last_) < wanted(last_)) make_row(last_);
    source.ring_rows = most_;
    source.dies_in_add = dies_in_add_;
  }

 private:
  int& made(int position) { return made_[static_cast<size_t>(position - first_)]; }
  int& wanted(int position) { return wanted_[static_cast<size_t>(position - first_)]; }
  // A global mean makes one row a row of its input.
  int rows_of(int position) const {
    const RowOp& op = graph_.op(position);
    return graph_.tensor(op.reduces ? op.inputs[0] : op.output).h;
  }

  int lowest_alive(int except) {
    int lowest = source_rows_;
    for (const int reader : readers_) {
      if (reader == except || made(reader) >= wanted(reader)) continue;
      lowest = std::min(lowest, std::max(0, graph_.op(reader).rows.first(made(reader))));
    }
    return lowest;
  }

  void make_source(int rows) {
    for (; source_rows_ < rows; ++source_rows_) {
      most_ = std::max(most_, source_rows_ - lowest_alive(-1) + 1);
    }
  }

  void make_row(int position) {
    const RowOp& op = graph_.op(position);
    const int row = made(position);
    for (int i = 0; i < op.input_count; ++i) {
      const TensorId id = op.inputs[static_cast<size_t>(i)];
      const RowTensor& in = graph_.tensor(id);
      const int rows = std::min(in.h, op.rows.last(row) + 1);
      if (id == source_) {
        make_source(rows);
      } else if (in.producer >= first_) {
        while (made(in.producer) < rows) make_row(in.producer);
      }
    }
    if (position == last_ && dies_in_add_) dies_in_add_ = lowest_alive(last_) > row;
    ++made(position);
  }

  const RowGraph& graph_;
  const TensorId source_;
  const int first_;
  const int last_;
  std::vector<int> made_;    // rows of each operator's output, by position from first_
  std::vector<int> wanted_;  // the most there will be
  std::vector<int> readers_;
  int source_rows_ = 0;
  int most_ = 1;
  bool dies_in_add_ = false;
};

// Whether all that depends on a tensor's rows, up to its last reader, is needed by that reader alone: then
// the order of demands there does not depend on what follows.
bool joins_at_last_reader(const RowGraph& graph, const RowTensor& tensor) {
  for (int position = tensor.producer + 1; position < tensor.last_read; ++position) {
    const RowTensor& made = graph.tensor(graph.op(position).output);
    if (made.last_read > tensor.last_read) return false;
  }
  return true;
}

// The common case of two readers, a path of strides 1 beside which a tensor waits for its addition, in closed
// form: the path runs ahead of the addition by the rows below its windows' centres. False: another case.
bool measure_simple_residual(const RowGraph& graph, RowTensor& tensor, TensorId id) {
  const int join = tensor.last_read;
  if (tensor.readers != 2 || !graph.op(join).is_add || graph.op(tensor.first_read).input_count != 1 ||
      tensor.first_read != tensor.producer + 1)
    return false;
  int ahead = 0;           // of the tensor's rows before the addition
  int first_op_ahead = 0;  // of the first operator's rows
  TensorId at = id;
  for (int position = tensor.first_read; position < join; ++position) {
    const RowOp& op = graph.op(position);
    if (op.input_count != 1 || op.inputs[0] != at || op.rows.stride != 1 || op.reduces) return false;
    const RowTensor& out = graph.tensor(op.output);
    if (out.readers != 1 || out.h != tensor.h) return false;
    const int below = op.rows.kernel - 1 - op.rows.pad;
    ahead += below;
    if (position > tensor.first_read) first_op_ahead += below;
    at = op.output;
  }
  const RowOp& add = graph.op(join);
  if (add.inputs[0] != at && add.inputs[1] != at) return false;
  // Behind row r of the sum the first operator's next row is r + first_op_ahead + 1, unless it has made all.
  const int pad = graph.op(tensor.first_read).rows.pad;
  tensor.ring_rows = std::min(tensor.h, ahead + std::max(0, pad - first_op_ahead) + 1);
  tensor.dies_in_add = first_op_ahead + 1 > pad || first_op_ahead + 1 >= tensor.h;
  return true;
}

}  // namespace

RowGraph::RowGraph(const Graph& graph, const std::vector<int>& order) {
  const int count = static_cast<int>(order.size());
  std::vector<int> producer(graph.tensors.size(), -1);
  for (int position = 0; position < count; ++position) {
    producer[static_cast<size_t>(
        graph.ops[static_cast<size_t>(order[static_cast<size_t>(position)])].output)] = position;
  }
  ops.reserve(order.size());
  for (const int index : order) ops.push_back(row_op(graph, index, producer));
  tensors.resize(graph.tensors.size());
  for (size_t id = 0; id < tensors.size(); ++id) {
    const Tensor& from = graph.tensors[id];
    tensors[id].h = from.shape.h;
    tensors[id].w = from.shape.w;
    tensors[id].column_bytes = int64_t{from.shape.c} * from.element_bytes;
    tensors[id].bytes = from.bytes();
    tensors[id].producer = producer[id];
    tensors[id].first_read = count;
  }
  for (int position = 0; position < count; ++position) {
    const RowOp& row = op(position);
    for (int i = 0; i < row.input_count; ++i) {
      RowTensor& in = tensors[static_cast<size_t>(row.inputs[static_cast<size_t>(i)])];
      in.first_read = std::min(in.first_read, position);
      in.last_read = position;
      // Adding a tensor to itself reads it once.
      if (i == 0 || row.inputs[0] != row.inputs[1]) ++in.readers;
    }
  }
  RowTensor& output = tensors[static_cast<size_t>(graph.output)];
  output.last_read = count;
  ++output.readers;

  for (size_t id = 0; id < tensors.size(); ++id) {
    RowTensor& tensor = tensors[id];
    if (tensor.last_read >= count) continue;
    if (tensor.readers == 1) {
      const RowOp& reader = op(tensor.last_read);
      tensor.ring_rows =
          reader.reduces ? 1 : rows_of_one_reader(tensor, reader.rows, this->tensor(reader.output).h);
      tensor.transient = tensor.ring_rows == 1 && reader.rows.kernel == 1 &&
                         tensor.producer == tensor.last_read - 1 && tensor.producer >= 0;
      tensor.dies_in_add = reader.is_add;
    } else if (!joins_at_last_reader(*this, tensor)) {
      tensor.ring_rows = tensor.h;
    } else if (!measure_simple_residual(*this, tensor, static_cast<TensorId>(id))) {
      Demand(*this, static_cast<TensorId>(id), tensor.producer + 1, tensor.last_read).run(tensor);
    }
  }
}

}  // namespace tinynas
