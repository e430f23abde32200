// Comparison of somebody else's int8 inference with ours, operator by operator.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "quantize/int8_model.h"

namespace tinynas::judges {

// How an accumulator becomes an output of convolutions and fully connected operators. Multipliers are the
// same.
enum class Rounding {
  kDouble,  // ours and TFLite Micro's: doubling high multiply, then a right shift with ties away from zero
  kTiesUp,  // the same with ties towards +infinity in the right shift
  kSingle,  // one rounding of the exact product, ties away from zero
};

// Counts of values by how far they are from the expected ones.
struct Distances {
  int64_t equal = 0;
  int64_t by_one = 0;
  int64_t further = 0;
  void add(int got, int expected);
};

struct Tally {
  Distances ours;    // from double rounding
  Distances theirs;  // from the judge's own variant
  int operators = 0;
};

// Every value of every operator: by TensorId of the graph, `tensors` is what the judge computed. Each
// operator is given the judge's own inputs, so that differences do not add up. `theirs` is the judge's
// variant for a kind with weights. Tallies are by kind of operator.
void judge_layers(const Int8Model& model, const std::vector<std::vector<int8_t>>& tensors,
                  const std::function<Rounding(OpKind)>& theirs, std::map<OpKind, Tally>& tallies);

// "conv2d            12 operators, 34567 values: 34560 as ours, 7 off by one, 0 further; own variant: ..."
std::string to_text(const std::map<OpKind, Tally>& tallies);

}  // namespace tinynas::judges
