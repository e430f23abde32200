// Operators that leave no operator behind, or only where a reader needs it: RESHAPE, PAD, QUANTIZE,
// DEQUANTIZE.
#include "tflite/importer.h"

#include <cstdio>

#include "graph/limits.h"

namespace tinynas {

void Importer::expect_same_params(int input, int output) {
  if (file_.activation(input) == file_.activation(output)) return;
  file_.fail("its input " + text(input) + " and its output " + text(output) +
             " have different scales or zero points, expected the same");
}

void Importer::expect_shifted(const QuantParams& int8, const QuantParams& uint8, int input, int output) {
  if (int8.scale == uint8.scale && int8.zero_point + 128 == uint8.zero_point) return;
  file_.fail("between " + text(input) + " and " + text(output) +
             " more changes than the zero point by 128, expected the same scale");
}

// TensorFlow Lite computes the output's shape from input 1 where there is one, from the options otherwise.
void Importer::expect_asked_shape(const fb::Operator& from, int output) {
  std::vector<int64_t> asked;
  const int sizes = file_.input_count(from) > 1 ? file_.input(from, 1) : -1;
  if (sizes >= 0 && file_.is_constant(sizes)) {
    const std::vector<int> count = file_.dims(sizes);
    if (count.size() != 1) file_.fail("got the shape " + text(sizes) + ", expected a list of sizes");
    asked = file_.integers(sizes, static_cast<size_t>(count[0]));
  } else if (const auto* given = from.builtin_options_as_ReshapeOptions();
             given != nullptr && given->new_shape() != nullptr) {
    asked.assign(given->new_shape()->begin(), given->new_shape()->end());
  }
  if (asked.empty()) return;
  const std::vector<int> made = file_.dims(output);
  bool same = asked.size() == made.size();
  for (size_t i = 0; same && i < made.size(); ++i) same = asked[i] == -1 || asked[i] == made[i];
  if (same) return;
  std::string list;
  for (const int64_t size : asked) list += (list.empty() ? "" : "x") + std::to_string(size);
  file_.fail("reshapes to " + list + ", but its output is " + text(output));
}

void Importer::add_reshape(const fb::Operator& from) {
  expect_inputs(from, 1, 2);
  const int index = file_.input(from, 0);
  const int output = file_.only_output(from);
  const Shape given = padded(activation(index));
  expect_same_params(index, output);
  const Shape shape = file_.shape(output);
  if (shape.elements() != given.elements())
    file_.fail("its input " + text(index) + " and its output " + text(output) +
               " hold different numbers of values");
  expect_asked_shape(from, output);
  if (shape == given) return alias(from, activation(index));
  ImportedValue input = unpadded_activation(index);
  input.shape = shape;
  alias(from, std::move(input));
}

Padding Importer::paddings_of(int index, size_t rank) {
  if (index == -1) file_.fail("its paddings are left out");
  if (!file_.is_constant(index)) {
    file_.fail("its paddings " + text(index) +
               " are computed at run time, expected a constant (export the network with static shapes)");
  }
  if (file_.dims(index) != std::vector<int>{static_cast<int>(rank), 2}) {
    file_.fail("got the paddings " + text(index) + ", expected " + std::to_string(rank) +
               "x2: before and after each dimension of the input");
  }
  std::vector<int64_t> sizes = file_.integers(index, 2 * rank);
  for (const int64_t size : sizes) {
    if (size < 0 || size > kMaxDimension) {
      file_.fail("got a padding of " + std::to_string(size) + ", expected 0 to " +
                 std::to_string(kMaxDimension));
    }
  }
  // As the shape: from the channels backwards.
  sizes.insert(sizes.begin(), 8 - sizes.size(), 0);
  if (sizes[0] != 0 || sizes[1] != 0) {
    file_.fail("pads the batch, expected a batch of 1: rows, columns and channels may be padded");
  }
  const auto at = [&](size_t i) { return static_cast<int>(sizes[i]); };
  return {at(2), at(4), at(3), at(5), at(6), at(7)};
}

void Importer::add_pad(const fb::Operator& from) {
  expect_inputs(from, 2, 2);
  const int index = file_.input(from, 0);
  const int output = file_.only_output(from);
  ImportedValue input = shaped_activation(index);
  expect_same_params(index, output);
  const Padding by = paddings_of(file_.input(from, 1), file_.dims(index).size());
  Padding pad = input.pad.value_or(Padding{});  // of a PAD before this one
  pad.top += by.top;
  pad.left += by.left;
  pad.bottom += by.bottom;
  pad.right += by.right;
  pad.channels_before += by.channels_before;
  pad.channels_after += by.channels_after;
  input.pad = pad;
  const Shape made = padded(input);
  if (!(file_.shape(output) == made)) {
    file_.fail("its output is " + text(output) + ", but it makes " + text_of({made.h, made.w, made.c}) +
               " values");
  }
  alias(from, std::move(input));
}

void Importer::add_quantize(const fb::Operator& from) {
  expect_inputs(from, 1, 1);
  const int index = file_.input(from, 0);
  const int output = file_.only_output(from);
  if (index >= 0 && value(index).kind == ImportedValue::Kind::kForeignInput)
    return quantize_input(index, output);
  if (file_.type(output) == fb::TensorType::UINT8) {
    ImportedValue input = unpadded_activation(index);
    expect_shifted(file_.activation(index), file_.activation(output, fb::TensorType::UINT8), index, output);
    result_.notes.push_back("output: the QUANTIZE to uint8 is left out; uint8 = int8 + 128");
    input.kind = ImportedValue::Kind::kForeignOutput;
    return alias(from, std::move(input));
  }
  if (!(file_.activation(index) == file_.activation(output))) {
    file_.fail("changes the scale of " + text(index) +
               " inside the network, which is not supported (quantise the whole network in one go)");
  }
  alias(from, activation(index));
}

void Importer::quantize_input(int index, int output) {
  const QuantParams params = file_.activation(output);
  if (value(output).kind != ImportedValue::Kind::kUnknown)
    file_.fail("makes " + text(output) + ", which is there already");
  if (file_.type(index) == fb::TensorType::UINT8) {
    expect_shifted(params, file_.activation(index, fb::TensorType::UINT8), index, output);
    result_.notes.push_back("input: uint8 in the file; the network here takes int8 = uint8 - 128");
  } else {
    char scale[32];
    std::snprintf(scale, sizeof scale, "%.9g", static_cast<double>(params.scale));
    result_.notes.push_back("input: float in the file; the network here takes int8 = round(x / " +
                            std::string(scale) + ") + (" + std::to_string(params.zero_point) + ")");
  }
  if (!(file_.shape(index) == file_.shape(output)))
    file_.fail("its input " + text(index) + " and its output " + text(output) + " have different shapes");
  make_graph_input(index, output);
}

void Importer::add_dequantize(const fb::Operator& from) {
  expect_inputs(from, 1, 1);
  ImportedValue input = unpadded_activation(file_.input(from, 0));
  const int output = file_.only_output(from);
  if (output != file_.graph_output()) {
    file_.fail("turns " + text(file_.input(from, 0)) +
               " into float inside the network; expected int8 throughout (convert with full integer "
               "quantisation)");
  }
  const QuantParams& params = result_.model.tensors[static_cast<size_t>(input.id)];
  char scale[32];
  std::snprintf(scale, sizeof scale, "%.9g", static_cast<double>(params.scale));
  result_.notes.push_back("output: the DEQUANTIZE to float is left out; float = " + std::string(scale) +
                          " * (int8 - (" + std::to_string(params.zero_point) + "))");
  input.kind = ImportedValue::Kind::kForeignOutput;
  alias(from, std::move(input));
}

}  // namespace tinynas
