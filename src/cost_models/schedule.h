// How operators run one after another, and how the input arrives (design.md, section 4).
#pragma once

#include <string>

namespace tinynas {

enum class Schedule {
  kLayer,   // every operator on whole tensors
  kStream,  // runs of operators row by row through rings of rows, where that takes fewer bytes
  kAuto     // layer where that meets the SRAM limit (or none is given), else stream
};

enum class InputKind {
  kResident,  // the whole input tensor lies in the arena
  kRows,      // its rows arrive once, from the first to the last, as a camera delivers them
  kReread     // its rows, or columns of them, can be fetched as often as they are needed
};

enum class PlanObjective {
  kSram,  // the smallest arena with at most max_extra_macs
  kMacs   // the fewest extra MACs within sram_limit_bytes
};

const char* name_of(Schedule schedule);        // "layer", "stream", "auto"
const char* name_of(InputKind input);          // "resident", "rows", "reread"
const char* name_of(PlanObjective objective);  // "sram", "macs"
// Throw Error(kUsage) naming `what`.
Schedule schedule_from_name(const std::string& name, const std::string& what);
InputKind input_kind_from_name(const std::string& name, const std::string& what);
PlanObjective plan_objective_from_name(const std::string& name, const std::string& what);

}  // namespace tinynas
