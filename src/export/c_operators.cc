#include "export/c_operators.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "base/error.h"
#include "cost_models/kernels.h"
#include "export/c_text.h"
#include "export/package.h"
#include "runtime/tn_buffer_sizes.h"

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

void add_pad_fields(const Padding& pad, Fields& fields) {
  fields.insert(fields.end(), {{"pad_top", number(pad.top)},
                               {"pad_left", number(pad.left)},
                               {"pad_bottom", number(pad.bottom)},
                               {"pad_right", number(pad.right)},
                               {"channels_before", number(pad.channels_before)},
                               {"channels_after", number(pad.channels_after)}});
}

const char* type_of(OpKind kind) {
  switch (kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
      return "tn_conv2d_op";
    case OpKind::kFullyConnected:
      return "tn_fully_connected_op";
    case OpKind::kAdd:
      return "tn_add_op";
    case OpKind::kGlobalAvgPool:
      return "tn_global_avg_pool_op";
    case OpKind::kAvgPool:
      return "tn_avg_pool_op";
    case OpKind::kSoftmax:
      return "tn_softmax_op";
    case OpKind::kPad:
    case OpKind::kReshape:
      return "tn_pad_op";
  }
  throw io_error("internal error: an operator of unknown kind");
}

// What tn_plain_output() (runtime/tn_dsp.h) computes exactly: no left shift, at least one to the right, and
// few enough that the zero point times 2^shift stays small; no narrower clamp than int8's.
constexpr int kMostRight = 22;

// Templates with a plain form.
bool has_plain_form(Kernel kernel) {
  return kernel == Kernel::kConv2d || kernel == Kernel::kConv2d1x1 || has_template(kernel);
}

// A channel's sum is bias + sum of weight * (input - zero point) = folded bias + sum of weight * input.
struct ChannelSum {
  int64_t folded_bias = 0;
  int64_t magnitude = 0;  // of the weights
  int64_t most() const { return std::abs(folded_bias) + 128 * magnitude; }
};

std::vector<ChannelSum> channel_sums(const Int8Model& model, const Op& op, const Int8Op& data) {
  const int64_t zero_point = model.tensors[static_cast<size_t>(op.inputs[0])].zero_point;
  const size_t channels = data.bias.size();
  const size_t taps = data.weights.size() / channels;
  const bool hwc = op.kind == OpKind::kDepthwiseConv2d;
  std::vector<ChannelSum> sums(channels);
  for (size_t out = 0; out < channels; ++out) {
    int64_t sum = 0;
    for (size_t tap = 0; tap < taps; ++tap) {
      const int64_t weight = data.weights[hwc ? tap * channels + out : out * taps + tap];
      sum += weight;
      sums[out].magnitude += std::abs(weight);
    }
    sums[out].folded_bias = data.bias[out] - zero_point * sum;
  }
  return sums;
}

// Requantisation as the tables have it. A channel that gives zero whatever comes in (a dead one: its weights,
// and so its multiplier, are next to nothing) gets the plain multiplier 0, which gives the same: |sum *
// multiplier| is at most |sum|, and rounds to 0 where it is shifted right by more bits than it has.
std::vector<FixedMultiplier> exported_requant(const Int8Model& model, const COperator& c) {
  std::vector<FixedMultiplier> requant = c.data->requant;
  if (!has_plain_form(c.step->kernel) || requant.size() != c.data->bias.size()) return requant;
  const std::vector<ChannelSum> sums = channel_sums(model, *c.op, *c.data);
  for (size_t out = 0; out < requant.size(); ++out) {
    FixedMultiplier& fixed = requant[out];
    const bool rounds_to_zero = fixed.shift < -kMostRight && sums[out].most() < int64_t{1}
                                                                                    << (-fixed.shift - 1);
    if (fixed.multiplier == 0 || rounds_to_zero) fixed = {.multiplier = 0, .shift = -1};
  }
  return requant;
}

// Empty: its requantisation is plain.
std::string why_not_plain(const Int8Model& model, const COperator& c) {
  if (c.data->activation_min != -128 || c.data->activation_max != 127) {
    return "its outputs are clamped to " + std::to_string(c.data->activation_min) + ".." +
           std::to_string(c.data->activation_max) + ", plain takes -128..127";
  }
  const std::vector<FixedMultiplier> requant = exported_requant(model, c);
  for (size_t out = 0; out < requant.size(); ++out) {
    const int shift = requant[out].shift;
    if (shift <= -1 && shift >= -kMostRight) continue;
    return "output channel " + std::to_string(out) + " is shifted by " + std::to_string(shift) +
           ", plain takes " + std::to_string(-kMostRight) + " to -1";
  }
  return "";
}

std::string instance_of(const COperator& c) {
  const std::string plain = c.plain ? "1" : "0";
  switch (c.step->kernel) {
    case Kernel::kConv2d:
      return "TN_CONV2D(" + c.function + ", 0, " + plain + ")";
    case Kernel::kConv2d1x1:
      return "TN_CONV2D(" + c.function + ", 1, " + plain + ")";
    case Kernel::kDepthwise:
      return "TN_DEPTHWISE_ANY(" + c.function + ")";
    case Kernel::kDepthwiseInPlace:
      return "TN_DEPTHWISE_ANY_IN_PLACE(" + c.function + ")";
    case Kernel::kFullyConnected:
      return "TN_FULLY_CONNECTED(" + c.function + ")";
    default:
      return "TN_DEPTHWISE(" + c.function + ", " + number(c.op->kernel_h) + ", " + number(c.op->stride_h) +
             ", " + plain + ")";
  }
}

std::string row_instance_of(const COperator& c) {
  const std::string plain = c.plain ? "1" : "0";
  const std::string in_place = c.step->in_place ? "1" : "0";
  const std::string function = row_function(c);
  switch (c.step->kernel) {
    case Kernel::kConv2d:
      return "TN_CONV2D_ROW(" + function + ", 0, " + plain + ")";
    case Kernel::kConv2d1x1:
      return "TN_CONV2D_ROW(" + function + ", 1, " + plain + ")";
    case Kernel::kDepthwise:
    case Kernel::kDepthwiseInPlace:
      return "TN_DEPTHWISE_ANY_ROW(" + function + ", " + in_place + ")";
    default:
      return "TN_DEPTHWISE_ROW(" + function + ", " + number(c.op->kernel_h) + ", " + number(c.op->stride_h) +
             ", " + plain + ", " + in_place + ")";
  }
}

std::vector<int8_t> padded_weights(const Graph& graph, const COperator& c) {
  if (!runs_as_conv2d(graph, *c.op)) return c.data->weights;
  const int in_c = graph.tensor(c.op->inputs[0]).shape.c;
  const auto taps = static_cast<size_t>(c.op->kernel_h * c.op->kernel_w * in_c);
  const auto row = static_cast<size_t>(tn_conv2d_row_bytes(c.op->kernel_h, c.op->kernel_w, in_c));
  std::vector<int8_t> rows(c.data->bias.size() * row, 0);
  for (size_t out = 0; out < c.data->bias.size(); ++out) {
    if (c.op->kind == OpKind::kDepthwiseConv2d) {
      for (size_t tap = 0; tap < taps; ++tap)
        rows[out * row + tap] = c.data->weights[tap * c.data->bias.size() + out];
      continue;
    }
    const auto from = c.data->weights.begin() + static_cast<std::ptrdiff_t>(out * taps);
    std::copy(from, from + static_cast<std::ptrdiff_t>(taps),
              rows.begin() + static_cast<std::ptrdiff_t>(out * row));
  }
  return rows;
}

std::vector<int32_t> folded_bias(const Int8Model& model, const COperator& c) {
  const std::vector<ChannelSum> sums = channel_sums(model, *c.op, *c.data);
  std::vector<int32_t> folded(sums.size());
  for (size_t out = 0; out < sums.size(); ++out) {
    if (sums[out].most() > INT32_MAX) {
      throw usage_error("operator '" + c.op->name + "': the sum of output channel " + std::to_string(out) +
                        " may not fit 32 bits once the input's zero point is in the bias");
    }
    folded[out] = static_cast<int32_t>(sums[out].folded_bias);
  }
  return folded;
}

std::string shape_text(const Shape& shape) {
  return number(shape.h) + "x" + number(shape.w) + "x" + number(shape.c);
}

}  // namespace

std::string row_function(const COperator& c) {
  const bool in_place = c.step->in_place && c.op->kind == OpKind::kDepthwiseConv2d;
  return c.function + (in_place ? "_over_row" : "_row");
}

std::vector<COperator> c_operators(const std::string& package, const Int8Model& model, const MemoryPlan& plan,
                                   KernelVariant variant) {
  std::vector<COperator> operators;
  std::set<std::string> taken;
  for (const PlanStep& step : plan.order) {
    COperator c;
    c.op = &model.graph.ops[static_cast<size_t>(step.op)];
    c.data = &model.ops[static_cast<size_t>(step.op)];
    c.step = &step;
    c.function = (is_instance(step.kernel) ? package + "_" : "tn_") + name_of(step.kernel);
    if (has_plain_form(step.kernel) && variant != KernelVariant::kPortable)
      c.why_general = why_not_plain(model, c);
    c.plain = c.why_general.empty();
    const int position = static_cast<int>(operators.size());
    for (const PlanSegment& segment : plan.segments)
      c.by_rows |= segment.first_step <= position && position <= segment.last_step &&
                   runs_by_rows(model.graph, plan, segment);
    check_exportable(model.graph, *c.op);
    if (!c.by_rows) check_in_place(plan, c);
    // "a.b" and "a_b" are different operators: the later one is told apart by its number.
    c.symbol = c_symbol(c.op->name);
    while (!taken.insert(c.symbol).second) c.symbol += "_" + number(step.op);
    operators.push_back(std::move(c));
  }
  for (const Kernel kernel : linked_twice(operators)) {
    for (COperator& c : operators) {
      if (c.step->kernel == kernel && !c.plain) c.function += "_general";
    }
  }
  return operators;
}

std::vector<Kernel> linked_twice(const std::vector<COperator>& operators) {
  std::map<Kernel, std::set<bool>> forms;
  for (const COperator& c : operators) {
    if (is_instance(c.step->kernel)) forms[c.step->kernel].insert(c.plain);
  }
  std::vector<Kernel> kernels;
  for (const auto& [kernel, plain] : forms) {
    if (plain.size() == 2) kernels.push_back(kernel);
  }
  return kernels;
}

GeneralLayers general_layers(const Int8Model& model, const PlanOptions& options) {
  const MemoryPlan plan = plan_memory(model.graph, options);
  const std::vector<COperator> operators = c_operators("model", model, plan, options.variant);
  GeneralLayers layers;
  layers.linked_twice = linked_twice(operators);
  for (const COperator& c : operators) {
    if (!c.plain) layers.reasons.push_back("operator '" + c.op->name + "': " + c.why_general);
  }
  return layers;
}

std::vector<std::string> runtime_files(const std::vector<COperator>& operators) {
  std::vector<std::string> files = {"tn_buffer_sizes.h", "tn_kernels.h", "tn_requantize.h", "tn_variant.h"};
  for (const char* header :
       {"tn_conv2d_dsp.h", "tn_conv2d_mve.h", "tn_conv2d_portable.h", "tn_depthwise_dsp.h",
        "tn_depthwise_mve.h", "tn_depthwise_portable.h", "tn_dsp.h", "tn_fully_connected_dsp.h",
        "tn_fully_connected_mve.h", "tn_fully_connected_portable.h", "tn_instances.h", "tn_mean.h",
        "tn_mve.h", "tn_rows.h"}) {
    files.emplace_back(header);
  }
  std::set<std::string> kernels;
  for (const COperator& c : operators) {
    if (is_instance(c.step->kernel) || c.step->kernel == Kernel::kReshape) continue;
    const bool sums = c.by_rows && c.op->kind == OpKind::kGlobalAvgPool;
    kernels.insert(sums ? "tn_mean.c" : c.function + ".c");
  }
  files.insert(files.end(), kernels.begin(), kernels.end());
  return files;
}

std::string c_instances(const std::vector<COperator>& operators) {
  std::map<std::string, std::string> lines;
  for (const COperator& c : operators) {
    if (!is_instance(c.step->kernel)) continue;
    const std::string function = c.by_rows ? row_function(c) : c.function;
    lines[function] = c.by_rows ? row_instance_of(c) : instance_of(c);
  }
  std::string text;
  for (const auto& [function, line] : lines) text += line + "\n";
  return text;
}

std::string c_instance_declarations(const std::vector<COperator>& operators) {
  std::map<std::string, std::string> types;
  std::set<std::string> rows;
  for (const COperator& c : operators) {
    if (!is_instance(c.step->kernel)) continue;
    if (c.by_rows) {
      rows.insert(row_function(c));
    } else {
      types[c.function] = type_of(c.op->kind);
    }
  }
  std::string text;
  for (const auto& [function, type] : types) {
    text += "void " + function + "(const " + type +
            " *op, const int8_t *input, int8_t *output, int8_t *scratch);\n";
  }
  for (const std::string& function : rows) {
    text += "void " + function +
            "(const tn_conv2d_op *op, const tn_columns *columns, const int8_t *const *rows, int8_t *output, "
            "int8_t *scratch);\n";
  }
  return text;
}

std::vector<CTable> c_tables(const Int8Model& model, const std::string& package, const COperator& op) {
  if (!op.op->has_weights()) return {};
  CTable multipliers;
  CTable shifts;
  for (const FixedMultiplier& fixed : exported_requant(model, op)) {
    multipliers.words.push_back(fixed.multiplier);
    shifts.bytes.push_back(static_cast<int8_t>(fixed.shift));
  }
  const std::string prefix = package + "_" + op.symbol + "_";
  multipliers.name = prefix + "multipliers";
  shifts.name = prefix + "shifts";
  return {{prefix + "weights", padded_weights(model.graph, op), {}, true},
          {prefix + "bias", {}, folded_bias(model, op), true},
          std::move(multipliers),
          std::move(shifts)};
}

std::string c_constants(const Int8Model& model, const std::string& package, const COperator& c) {
  if (c.step->kernel == Kernel::kReshape) return "";
  const Op& op = *c.op;
  const Int8Op& data = *c.data;
  const Shape& in = model.graph.tensor(op.inputs[0]).shape;
  const Shape& out = model.graph.tensor(op.output).shape;
  const auto zero_point = [&](TensorId id) {
    return number(model.tensors[static_cast<size_t>(id)].zero_point);
  };
  Fields fields;
  switch (op.kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
      add_table_fields(package + "_" + c.symbol + "_", fields);
      fields.insert(fields.end(), {{"in_h", number(in.h)}, {"in_w", number(in.w)}, {"in_c", number(in.c)}});
      fields.insert(fields.end(),
                    {{"out_h", number(out.h)}, {"out_w", number(out.w)}, {"out_c", number(out.c)}});
      add_window_fields(op, fields);
      fields.push_back({"input_zero_point", zero_point(op.inputs[0])});
      break;
    case OpKind::kFullyConnected:
      add_table_fields(package + "_" + c.symbol + "_", fields);
      fields.insert(fields.end(), {{"in_c", number(in.elements())}, {"out_c", number(out.elements())}});
      break;
    case OpKind::kAdd:
      fields.push_back({"input", pair(multiplier(data.add_input[0]), multiplier(data.add_input[1]))});
      fields.push_back({"output", multiplier(data.add_output)});
      fields.push_back({"count", number(out.elements())});
      fields.push_back({"input_zero_point", pair(zero_point(op.inputs[0]), zero_point(op.inputs[1]))});
      break;
    case OpKind::kGlobalAvgPool:
      fields.push_back({"mean", multiplier(data.mean)});
      fields.insert(fields.end(), {{"count", number(int64_t{in.h} * in.w)}, {"c", number(in.c)}});
      fields.push_back({"input_zero_point", zero_point(op.inputs[0])});
      break;
    case OpKind::kAvgPool:
      fields.insert(fields.end(), {{"in_h", number(in.h)}, {"in_w", number(in.w)}, {"c", number(in.c)}});
      fields.insert(fields.end(), {{"out_h", number(out.h)}, {"out_w", number(out.w)}});
      add_window_fields(op, fields);
      break;
    case OpKind::kSoftmax:
      fields.push_back({"input", multiplier(data.softmax_input)});
      fields.push_back({"difference_min", number(data.softmax_difference_min)});
      fields.insert(fields.end(), {{"rows", number(int64_t{in.h} * in.w)}, {"c", number(in.c)}});
      break;
    case OpKind::kPad:
    case OpKind::kReshape:
      fields.insert(fields.end(), {{"in_h", number(in.h)}, {"in_w", number(in.w)}, {"in_c", number(in.c)}});
      add_pad_fields(op.padding, fields);
      fields.push_back({"zero_point", zero_point(op.output)});
      break;
  }
  // Values that are kept as they are keep their zero point; a softmax's output is fixed.
  const bool has_zero_point = !keeps_params(op.kind) && op.kind != OpKind::kSoftmax;
  if (has_zero_point) fields.push_back({"output_zero_point", zero_point(op.output)});
  const bool moves = op.kind == OpKind::kPad || op.kind == OpKind::kReshape;
  if (op.kind != OpKind::kSoftmax && !moves) {
    fields.push_back({"activation_min", number(data.activation_min)});
    fields.push_back({"activation_max", number(data.activation_max)});
  }

  std::string text = "/* " + c_comment(op.name) + ": " + name_of(op.kind) + " " + shape_text(in) + " -> " +
                     shape_text(out) + " */\n";
  text += std::string("static const ") + type_of(op.kind) + " op_" + c.symbol + " = {\n";
  for (const auto& [field, value] : fields) text += "    ." + field + " = " + value + ",\n";
  return text + "};\n";
}

bool input_can_be_outside(const Graph& graph, const MemoryPlan& plan) {
  return plan.input == InputKind::kResident && graph.input != graph.output &&
         std::none_of(plan.order.begin(), plan.order.end(), [&](const PlanStep& step) {
           const Op& op = graph.ops[static_cast<size_t>(step.op)];
           return step.in_place && op.inputs[static_cast<size_t>(step.in_place_input)] == graph.input;
         });
}

bool output_can_be_outside(const Graph& graph, const MemoryPlan& plan) {
  return graph.input != graph.output &&
         std::none_of(plan.order.begin(), plan.order.end(), [&](const PlanStep& step) {
           return step.in_place && graph.ops[static_cast<size_t>(step.op)].output == graph.output;
         });
}

std::string c_call(const Graph& graph, const MemoryPlan& plan, const COperator& c) {
  const auto at = [](int64_t offset) { return "arena + " + number(offset); };
  const auto tensor = [&](TensorId id) -> std::string {
    if (id == graph.input && input_can_be_outside(graph, plan)) return "input";
    if (id == graph.output && output_can_be_outside(graph, plan)) return "output";
    return at(plan.offset_of(id));
  };
  if (c.step->kernel == Kernel::kReshape)
    return "/* " + c_comment(graph.tensor(c.op->output).name) + ": the same bytes */";
  std::vector<std::string> arguments = {"&op_" + c.symbol};
  for (const TensorId id : c.op->inputs) arguments.push_back(tensor(id));
  arguments.push_back(tensor(c.op->output));
  if (is_instance(c.step->kernel)) {
    // The arena's start stands for no scratch.
    const int buffer = c.step->scratch_buffer;
    arguments.push_back(buffer < 0 ? "arena" : at(plan.buffers[static_cast<size_t>(buffer)].offset_bytes));
  }
  return c.function + "(" + join(arguments, ", ") + "); /* " + c_comment(graph.tensor(c.op->output).name) +
         " */";
}

}  // namespace tinynas
