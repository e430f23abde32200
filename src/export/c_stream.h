// A stream segment of the plan as C: a function for every operator, which makes rows of its output on demand
// and asks its inputs' functions for the rows that it needs. What the plan says of rings, strips and in-place
// rows becomes constants; nothing divides, nothing recurses.
//
// Where the input comes row by row, the first segment's functions return 0 as soon as a row of it is wanted
// that has not arrived, and go on from there when they are called again: what is there is not asked for
// twice. So rows can be pushed as well as pulled, and memory is used as if they were demanded.
#pragma once

#include <string>
#include <vector>

#include "cost_models/memory_plan.h"
#include "export/c_operators.h"

namespace tinynas {

// The functions of one segment. `operators`: of the whole plan, in its order. The last of them is
// `static void segment_<number>(int8_t *arena, const int8_t *input, int8_t *output HOOK_PARAMETERS)`, without
// `input` where that is not resident. The first segment then has, instead, for the loops of templates/rows
// and templates/reread: segment_0_begin, _start_strip, _row, _row_arrived and _end, which take a
// `<package>_stream *`, and for `reread` the tables segment_0_first_column and segment_0_column_count, by
// strip.
std::string c_segment(const std::string& package, const Graph& graph, const MemoryPlan& plan,
                      const std::vector<COperator>& operators, size_t number);

// `typedef struct {...} <package>_stream;`: that segment's state between two rows of the input. With input
// `rows` it stands in the package's header; package_bounds() counts its bytes.
std::string c_stream_struct(const std::string& package, const Graph& graph, const MemoryPlan& plan,
                            const std::vector<COperator>& operators);

}  // namespace tinynas
