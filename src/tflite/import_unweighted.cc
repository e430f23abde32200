// Operators that compute without weights: ADD, AVERAGE_POOL_2D, MEAN, SOFTMAX.
#include "tflite/importer.h"

#include <set>

namespace tinynas {

void Importer::add_add(const fb::Operator& from) {
  expect_inputs(from, 2, 2);
  const auto& given = options(from, from.builtin_options_as_AddOptions());
  Op op;
  op.kind = OpKind::kAdd;
  // Before one of them may take on its shape: both can be the network's input under two shapes.
  const int first = file_.input(from, 0);
  const int second = file_.input(from, 1);
  if (!(padded(activation(first)) == padded(activation(second))))
    file_.fail("adds " + text(first) + " and " + text(second) + ", expected two tensors of one shape");
  const TensorId a = plain_activation(first).id;
  const TensorId b = plain_activation(second).id;
  op.inputs = {a, b};
  op.activation = activation_of(given.fused_activation_function());
  emit(from, std::move(op), {});
}

void Importer::add_average_pool(const fb::Operator& from) {
  expect_inputs(from, 1, 1);
  const auto& given = options(from, from.builtin_options_as_Pool2DOptions());
  Op op;
  op.kind = OpKind::kAvgPool;
  op.activation = activation_of(given.fused_activation_function());
  // The zeros of a PAD count in the average, those of SAME padding do not.
  set_window(op, file_.input(from, 0), /*takes_pad=*/false, given.filter_height(), given.filter_width(),
             given.stride_h(), given.stride_w(), given.padding());
  emit(from, std::move(op), {});
}

void Importer::add_mean(const fb::Operator& from) {
  expect_inputs(from, 2, 2);
  const int index = file_.input(from, 0);
  const ImportedValue& input = plain_activation(index);
  const auto rank = static_cast<int64_t>(file_.dims(index).size());
  const int axes = file_.input(from, 1);
  if (axes == -1) file_.fail("its axes are left out");
  std::set<int64_t> found;
  for (const int64_t axis : file_.integers(axes, 2)) found.insert(axis < 0 ? axis + rank : axis);
  if (rank != 4 || found != std::set<int64_t>{1, 2})
    file_.fail("its axes " + text(axes) + " are not rows and columns (1, 2) of " + text(index));
  Op op;
  op.kind = OpKind::kGlobalAvgPool;
  op.inputs = {input.id};
  emit(from, std::move(op), {});
}

void Importer::add_softmax(const fb::Operator& from) {
  expect_inputs(from, 1, 1);
  const auto& given = options(from, from.builtin_options_as_SoftmaxOptions());
  if (given.beta() != 1.0f) file_.fail("got beta " + std::to_string(given.beta()) + ", expected 1");
  Op op;
  op.kind = OpKind::kSoftmax;
  op.inputs = {plain_activation(file_.input(from, 0)).id};
  emit(from, std::move(op), {});
}

}  // namespace tinynas
