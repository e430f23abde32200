// Turns a checked .tflite file into a graph and its int8 data, operator by operator in the file's order. One
// class; its operators stand in import_weighted.cc, import_unweighted.cc and import_relabelling.cc.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tflite/file_view.h"
#include "tflite/tflite.h"

namespace tinynas {

// What a tensor of the file is in our graph.
struct ImportedValue {
  enum class Kind {
    kUnknown,       // no operator has made it yet
    kInt8,          // a tensor of ours
    kForeignInput,  // the input as uint8 or float, before its QUANTIZE
    kForeignOutput  // the output after its DEQUANTIZE or QUANTIZE to uint8
  };
  Kind kind = Kind::kUnknown;
  TensorId id = -1;
  Shape shape;                 // as the file sees it, without `pad`; RESHAPE may change it
  std::optional<Padding> pad;  // zeros that a PAD put around it: a convolution's own, or an operator of ours
};

Shape padded(const ImportedValue& value);  // its shape with its pad

class Importer {
 public:
  Importer(std::string_view bytes, const std::string& where);

  // Call once. Throws as read_tflite() does.
  TfliteImport import();

 private:
  // ---- the graph as a whole
  std::string graph_name() const;
  void add_input();
  // The graph's input with the name of one tensor and the parameters of another.
  void make_graph_input(int name, int index);
  void read_class_names();
  void check();

  // ---- tensors
  ImportedValue& value(int index);
  std::string text(int index) const;
  TensorId add_tensor(std::string name, const Shape& shape, const QuantParams& params);
  // An input that operators compute: our tensor, maybe under another shape and with a pad that nobody
  // computed yet. `index` as in the file.
  ImportedValue& activation(int index);
  // The same with a tensor of ours that has the shape: the network's input takes it on before anyone reads
  // it, else a reshape makes one.
  ImportedValue& shaped_activation(int index);
  // A tensor of ours that is just what the file's is, for operators that do not pad by themselves: a pad
  // makes one.
  ImportedValue& plain_activation(int index);
  // Without a pad, under any shape.
  ImportedValue& unpadded_activation(int index);

  // ---- what operators share
  template <typename Options>
  const Options& options(const fb::Operator& op, const Options* found) const {
    if (found == nullptr) {
      file_.fail("its options are missing, or of another operator (" +
                 std::to_string(static_cast<int>(op.builtin_options_type())) + ")");
    }
    return *found;
  }
  void expect_inputs(const fb::Operator& op, size_t least, size_t most) const;
  Activation activation_of(fb::ActivationFunctionType type) const;
  // The output becomes a tensor of ours; its name is the operator's too.
  void emit(const fb::Operator& from, Op op, Int8Op data);
  // The operator with a tensor of the name, shape and parameters as its output.
  TensorId append(Op op, Int8Op data, std::string name, const Shape& shape, const QuantParams& params);
  // An operator of ours makes what the file's tensor stands for.
  void make(int index, OpKind kind, const Padding& pad, const Shape& shape);
  // Another name for a value that is there.
  void alias(const fb::Operator& from, ImportedValue made);
  // Input, kernel, strides and padding. `takes_pad`: a PAD of the input becomes the operator's own padding,
  // where every window then reaches into the input.
  void set_window(Op& op, int input, bool takes_pad, int kernel_h, int kernel_w, int stride_h, int stride_w,
                  fb::Padding padding);

  // ---- operators with weights
  void expect_no_dilation(int h, int w) const;
  // Input 2, or zeros where it is left out. As TensorFlow Lite, refuses a scale that is not input x weights
  // by more than two hundredths of an output step.
  void read_bias(const fb::Operator& op, int channels, Int8Op& data);
  // Weights of int8 with `rank` dimensions.
  std::vector<int> read_weights(const fb::Operator& op, size_t rank, Int8Op& data);
  void read_scales(const fb::Operator& op, int channels, int channel_dimension, Int8Op& data);
  void expect_output_channels(const fb::Operator& from, int channels);
  void add_conv(const fb::Operator& from);
  void add_depthwise(const fb::Operator& from);
  void add_fully_connected(const fb::Operator& from);

  // ---- without
  void add_add(const fb::Operator& from);
  void add_average_pool(const fb::Operator& from);
  void add_mean(const fb::Operator& from);
  void add_softmax(const fb::Operator& from);

  // ---- that leave none behind, or only where a reader needs it
  void expect_same_params(int input, int output);
  void expect_shifted(const QuantParams& int8, const QuantParams& uint8, int input, int output);
  // Fails where the file says one shape for the output and asks for another.
  void expect_asked_shape(const fb::Operator& from, int output);
  void add_reshape(const fb::Operator& from);
  void add_pad(const fb::Operator& from);
  // The paddings of an input with `rank` dimensions, one to four.
  Padding paddings_of(int index, size_t rank);
  // At the input: to int8. At the output: from int8 to uint8. In between only where it changes nothing.
  void add_quantize(const fb::Operator& from);
  void quantize_input(int index, int output);
  void add_dequantize(const fb::Operator& from);

  void add_operator(const fb::Operator& op);

  FileView file_;
  std::vector<ImportedValue> values_;  // by the file's tensor index
  Graph graph_;
  std::vector<bool> is_read_ = std::vector<bool>(1, false);  // by TensorId
  std::set<std::string> names_;
  TfliteImport result_;
};

}  // namespace tinynas
