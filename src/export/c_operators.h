// One operator of the int8 graph as C: which kernel runs it, its constants, its call.
#pragma once

#include <string>
#include <vector>

#include "cost_models/memory_plan.h"
#include "quantize/int8_model.h"

namespace tinynas {

// One step of the plan with everything that its C text needs.
struct COperator {
  const Op* op = nullptr;
  const Int8Op* data = nullptr;
  const PlanStep* step = nullptr;
  std::string symbol;    // unique in the package: "stage0_block1_expand"
  std::string function;  // what runs it: "tn_add", or an instance of a template, "model_conv2d_1x1"
  // Has plain requantisation (runtime/tn_dsp.h). Where it has not, and another operator of this kernel has,
  // it runs on an instance of its own: `model_conv2d_1x1_general`.
  bool plain = false;
  std::string why_general;  // empty where that is so, and for kernels and variants without a plain form
  bool by_rows = false;     // its segment runs row by row
};

// What makes a row of a streamed operator: `model_conv2d_1x1_row`.
std::string row_function(const COperator& op);

// The operators in the plan's order. Throws Error(kUsage) naming the operator when a kernel's struct cannot
// hold it (a side above 65535, a kernel or stride above 255, padding as large as the kernel).
std::vector<COperator> c_operators(const std::string& package, const Int8Model& model, const MemoryPlan& plan,
                                   KernelVariant variant);
// Kernels with operators of both forms.
std::vector<Kernel> linked_twice(const std::vector<COperator>& operators);

// Files of src/runtime that the operators call or instantiate: headers and the kernels that are no templates.
std::vector<std::string> runtime_files(const std::vector<COperator>& operators);
// The instances of the templates, a line each: `TN_CONV2D(model_conv2d_1x1, 1, 1)`, and their declarations.
std::string c_instances(const std::vector<COperator>& operators);
std::string c_instance_declarations(const std::vector<COperator>& operators);

// Weights, biases and requantisation tables of an operator as arrays of one package:
// `<name>_<symbol>_<what>`. Rows of convolution weights are filled up to a multiple of 4 bytes, and the
// input's zero point is folded into the bias (runtime/tn_kernels.h). Throws Error(kUsage) where the folded
// sums could overflow.
struct CTable {
  std::string name;
  std::vector<int8_t> bytes;  // one of the two is empty
  std::vector<int32_t> words;
  bool is_weights = false;  // weights and biases; the others are requantisation tables
};
std::vector<CTable> c_tables(const Int8Model& model, const std::string& package, const COperator& op);

// `static const tn_conv2d_op op_<symbol> = {...};`
std::string c_constants(const Int8Model& model, const std::string& package, const COperator& op);

// Whether the graph's input can be read, and its output written, at another place than the plan's: no
// operator works in place there.
bool input_can_be_outside(const Graph& graph, const MemoryPlan& plan);
bool output_can_be_outside(const Graph& graph, const MemoryPlan& plan);

// `tn_conv2d(&op_<symbol>, input, arena + 3072);`: the graph's input and output are `input` and `output`
// where they can be outside the arena.
std::string c_call(const Graph& graph, const MemoryPlan& plan, const COperator& op);

}  // namespace tinynas
