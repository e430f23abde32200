#include "export/c_operators.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "cost_models/kernels.h"
#include "export/c_text.h"

namespace tinynas {
namespace {

void check_limit(const Op& op, const char* what, int64_t value, int64_t limit) {
  if (value > limit) {
    throw usage_error("operator '" + op.name + "': " + what + " is " + std::to_string(value) +
                      ", the C kernels take at most " + std::to_string(limit));
  }
}

void check_exportable(const Graph& graph, const Op& op) {
  for (const TensorId id : {op.inputs[0], op.output}) {
    const Shape& shape = graph.tensor(id).shape;
    const bool flat = op.kind == OpKind::kFullyConnected || op.kind == OpKind::kAdd;
    check_limit(op, "a tensor side", std::max({shape.h, shape.w, shape.c}), flat ? INT32_MAX : UINT16_MAX);
    check_limit(op, "a tensor's size", shape.elements(), INT32_MAX);
  }
  if (op.kind != OpKind::kConv2d && op.kind != OpKind::kDepthwiseConv2d && op.kind != OpKind::kAvgPool)
    return;
  check_limit(op, "the kernel", std::max(op.kernel_h, op.kernel_w), UINT8_MAX);
  check_limit(op, "the stride", std::max(op.stride_h, op.stride_w), UINT8_MAX);
  check_limit(op, "the padding of rows", std::max(op.padding.top, op.padding.bottom), op.kernel_h - 1);
  check_limit(op, "the padding of columns", std::max(op.padding.left, op.padding.right), op.kernel_w - 1);
}

// The call below passes one pointer where the plan says in place: the two tensors must be the same bytes.
void check_in_place(const MemoryPlan& plan, const COperator& c) {
  if (!c.step->in_place) return;
  const TensorId input = c.op->inputs[static_cast<size_t>(c.step->in_place_input)];
  if (plan.offset_of(input) != plan.offset_of(c.op->output)) {
    throw io_error("internal error: the plan has operator '" + c.op->name + "' in place at two offsets");
  }
}

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string number(int64_t value) { return std::to_string(value); }
std::string pair(const std::string& a, const std::string& b) { return "{" + a + ", " + b + "}"; }
std::string multiplier(const FixedMultiplier& fixed) {
  return pair(number(fixed.multiplier), number(fixed.shift));
}

void add_table_fields(const std::string& prefix, Fields& fields) {
  for (const char* what : {"weights", "bias", "multipliers", "shifts"})
    fields.push_back({what, prefix + what});
}

void add_window_fields(const Op& op, Fields& fields) {
  fields.insert(fields.end(), {{"kernel_h", number(op.kernel_h)}, {"kernel_w", number(op.kernel_w)}});
  fields.insert(fields.end(), {{"stride_h", number(op.stride_h)}, {"stride_w", number(op.stride_w)}});
  fields.insert(fields.end(), {{"pad_top", number(op.padding.top)}, {"pad_left", number(op.padding.left)}});
}

std::string shape_text(const Shape& shape) {
  return number(shape.h) + "x" + number(shape.w) + "x" + number(shape.c);
}

}  // namespace

std::vector<COperator> c_operators(const Int8Model& model, const MemoryPlan& plan) {
  std::vector<COperator> operators;
  std::set<std::string> taken;
  for (const PlanStep& step : plan.order) {
    COperator c;
    c.op = &model.graph.ops[static_cast<size_t>(step.op)];
    c.data = &model.ops[static_cast<size_t>(step.op)];
    c.step = &step;
    c.kernel = symbol_of(kernel_of(*c.op, step.in_place));
    check_exportable(model.graph, *c.op);
    check_in_place(plan, c);
    // "a.b" and "a_b" are different operators: the later one is told apart by its number.
    c.symbol = c_symbol(c.op->name);
    while (!taken.insert(c.symbol).second) c.symbol += "_" + number(step.op);
    operators.push_back(std::move(c));
  }
  return operators;
}

std::vector<CTable> c_tables(const std::string& package, const COperator& op) {
  if (!op.op->has_weights()) return {};
  CTable multipliers;
  CTable shifts;
  for (const FixedMultiplier& fixed : op.data->requant) {
    multipliers.words.push_back(fixed.multiplier);
    shifts.bytes.push_back(static_cast<int8_t>(fixed.shift));
  }
  const std::string prefix = package + "_" + op.symbol + "_";
  multipliers.name = prefix + "multipliers";
  shifts.name = prefix + "shifts";
  return {{prefix + "weights", op.data->weights, {}, true},
          {prefix + "bias", {}, op.data->bias, true},
          std::move(multipliers),
          std::move(shifts)};
}

std::string c_constants(const Int8Model& model, const std::string& package, const COperator& c) {
  const Op& op = *c.op;
  const Int8Op& data = *c.data;
  const Shape& in = model.graph.tensor(op.inputs[0]).shape;
  const Shape& out = model.graph.tensor(op.output).shape;
  const auto zero_point = [&](TensorId id) {
    return number(model.tensors[static_cast<size_t>(id)].zero_point);
  };
  Fields fields;
  std::string type;
  switch (op.kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
      type = "tn_conv2d_op";
      add_table_fields(package + "_" + c.symbol + "_", fields);
      fields.insert(fields.end(), {{"in_h", number(in.h)}, {"in_w", number(in.w)}, {"in_c", number(in.c)}});
      fields.insert(fields.end(),
                    {{"out_h", number(out.h)}, {"out_w", number(out.w)}, {"out_c", number(out.c)}});
      add_window_fields(op, fields);
      fields.push_back({"input_zero_point", zero_point(op.inputs[0])});
      break;
    case OpKind::kFullyConnected:
      type = "tn_fully_connected_op";
      add_table_fields(package + "_" + c.symbol + "_", fields);
      fields.insert(fields.end(), {{"in_c", number(in.elements())}, {"out_c", number(out.elements())}});
      fields.push_back({"input_zero_point", zero_point(op.inputs[0])});
      break;
    case OpKind::kAdd:
      type = "tn_add_op";
      fields.push_back({"input", pair(multiplier(data.add_input[0]), multiplier(data.add_input[1]))});
      fields.push_back({"output", multiplier(data.add_output)});
      fields.push_back({"count", number(out.elements())});
      fields.push_back({"input_zero_point", pair(zero_point(op.inputs[0]), zero_point(op.inputs[1]))});
      break;
    case OpKind::kGlobalAvgPool:
      type = "tn_global_avg_pool_op";
      fields.push_back({"mean", multiplier(data.mean)});
      fields.insert(fields.end(), {{"count", number(int64_t{in.h} * in.w)}, {"c", number(in.c)}});
      fields.push_back({"input_zero_point", zero_point(op.inputs[0])});
      break;
    case OpKind::kAvgPool:
      type = "tn_avg_pool_op";
      fields.insert(fields.end(), {{"in_h", number(in.h)}, {"in_w", number(in.w)}, {"c", number(in.c)}});
      fields.insert(fields.end(), {{"out_h", number(out.h)}, {"out_w", number(out.w)}});
      add_window_fields(op, fields);
      break;
    case OpKind::kSoftmax:
      type = "tn_softmax_op";
      fields.push_back({"input", multiplier(data.softmax_input)});
      fields.push_back({"difference_min", number(data.softmax_difference_min)});
      fields.insert(fields.end(), {{"rows", number(int64_t{in.h} * in.w)}, {"c", number(in.c)}});
      break;
  }
  // An average pool's values keep their zero point; a softmax's output is fixed.
  const bool has_zero_point = op.kind != OpKind::kAvgPool && op.kind != OpKind::kSoftmax;
  if (has_zero_point) fields.push_back({"output_zero_point", zero_point(op.output)});
  if (op.kind != OpKind::kSoftmax) {
    fields.push_back({"activation_min", number(data.activation_min)});
    fields.push_back({"activation_max", number(data.activation_max)});
  }

  std::string text = "/* " + c_comment(op.name) + ": " + name_of(op.kind) + " " + shape_text(in) + " -> " +
                     shape_text(out) + " */\n";
  text += "static const " + type + " op_" + c.symbol + " = {\n";
  for (const auto& [field, value] : fields) text += "    ." + field + " = " + value + ",\n";
  return text + "};\n";
}

std::string c_call(const Graph& graph, const MemoryPlan& plan, const COperator& c) {
  const auto at = [](int64_t offset) { return "arena + " + number(offset); };
  std::vector<std::string> arguments = {"&op_" + c.symbol};
  for (const TensorId id : c.op->inputs) arguments.push_back(at(plan.offset_of(id)));
  if (c.kernel == "tn_depthwise_conv2d_in_place") {
    arguments.push_back(at(plan.buffers[static_cast<size_t>(c.step->scratch_buffer)].offset_bytes));
  } else {
    arguments.push_back(at(plan.offset_of(c.op->output)));
  }
  return c.kernel + "(" + join(arguments, ", ") + "); /* " + c_comment(graph.tensor(c.op->output).name) +
         " */";
}

}  // namespace tinynas
