#include "cost_models/schedule.h"

#include <array>

#include "base/error.h"

namespace tinynas {
namespace {

template <typename Enum, size_t kCount>
Enum from_name(const std::array<const char*, kCount>& names, const std::string& name,
               const std::string& what) {
  std::string expected;
  for (size_t i = 0; i < kCount; ++i) {
    if (name == names[i]) return static_cast<Enum>(i);
    expected += (i == 0 ? "" : ", ") + std::string(names[i]);
  }
  throw usage_error(what + ": got '" + name + "', expected one of " + expected);
}

constexpr std::array kSchedules = {"layer", "stream", "auto"};
constexpr std::array kInputs = {"resident", "rows", "reread"};
constexpr std::array kObjectives = {"sram", "macs"};

}  // namespace

const char* name_of(Schedule schedule) { return kSchedules.at(static_cast<size_t>(schedule)); }
const char* name_of(InputKind input) { return kInputs.at(static_cast<size_t>(input)); }
const char* name_of(PlanObjective objective) { return kObjectives.at(static_cast<size_t>(objective)); }

Schedule schedule_from_name(const std::string& name, const std::string& what) {
  return from_name<Schedule>(kSchedules, name, what);
}
InputKind input_kind_from_name(const std::string& name, const std::string& what) {
  return from_name<InputKind>(kInputs, name, what);
}
PlanObjective plan_objective_from_name(const std::string& name, const std::string& what) {
  return from_name<PlanObjective>(kObjectives, name, what);
}

}  // namespace tinynas
