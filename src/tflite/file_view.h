// Checked access to a .tflite file: nothing is taken from it without a look.
#pragma once

#include <schema_generated.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quantize/int8_model.h"

namespace tinynas {

// All functions throw Error(kData) naming the file, the operator at hand, what was got and what was expected.
class FileView {
 public:
  // Verifies the bytes and that they hold one graph of schema version 3.
  FileView(std::string_view bytes, std::string where);

  // Operator `index` is the one that errors name from here on.
  void at_operator(size_t index);
  void at_no_operator() { place_.clear(); }
  [[noreturn]] void fail(const std::string& message) const;

  const fb::Model& model() const { return *model_; }
  const fb::SubGraph& graph() const { return *graph_; }
  size_t tensor_count() const;
  size_t operator_count() const;
  const fb::Operator& op(size_t index) const;
  fb::BuiltinOperator code(const fb::Operator& op) const;

  // The tensor that operator `op` has at `position`. -1 where it is left out.
  int input(const fb::Operator& op, size_t position) const;
  size_t input_count(const fb::Operator& op) const;
  int only_output(const fb::Operator& op) const;
  // The graph's only input or output.
  int graph_input() const;
  int graph_output() const;

  const fb::Tensor& tensor(int index) const;
  fb::TensorType type(int index) const { return tensor(index).type(); }
  // For messages and names: printable, of reasonable length; "tensor 7" where the file has none.
  std::string name(int index) const;
  std::string describe(int index) const;  // "'conv1' (INT8, 1x24x24x8)"

  // Up to four dimensions of 1 and more.
  std::vector<int> dims(int index) const;
  // As NHWC with a batch of 1: {1, h, w, c}, {1, w, c}, {1, n}, {n} or a scalar.
  Shape shape(int index) const;

  bool is_constant(int index) const;
  // The constant's bytes: as many as its type and dimensions say.
  std::span<const uint8_t> constant(int index, fb::TensorType expected) const;
  std::span<const uint8_t> buffer(uint32_t index) const;  // empty where there is none
  // A few numbers (axes, paddings) of type INT32 or INT64.
  std::vector<int64_t> integers(int index, size_t expected_count) const;

  // As many as the tensor has. The format asks for 8-byte alignment of these numbers, which flatbuffers'
  // verifier does not check: nothing reads them where they lie.
  std::vector<int64_t> zero_points(int index) const;
  // One scale and one zero point. `type`: INT8, or UINT8, whose zero point is in [0, 255].
  QuantParams activation(int index, fb::TensorType type = fb::TensorType::INT8) const;
  // Positive scales with zero points of 0: one, or one for each of `channels` along `channel_dimension`.
  std::vector<float> weight_scales(int index, int channels, int channel_dimension) const;

 private:
  std::vector<uint64_t> aligned_;  // a copy at an address that every field's alignment allows
  std::string where_;
  std::string place_;
  const fb::Model* model_ = nullptr;
  const fb::SubGraph* graph_ = nullptr;
};

std::string text_of(const std::vector<int>& dims);  // "1x24x24x8"

}  // namespace tinynas
