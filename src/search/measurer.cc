#include "search/measurer.h"

#include <optional>
#include <stdexcept>

namespace tinynas {

Measurer::Measurer(const Constraint& constraint, Evaluator& evaluator, TrialStore& store)
    : constraint_(constraint), evaluator_(evaluator), store_(store), key_(evaluator.key()) {}

int64_t Measurer::measure(std::vector<Candidate>& batch,
                          const std::function<void(const Candidate&)>& on_measured) {
  std::vector<size_t> asked;
  std::vector<Architecture> architectures;
  std::vector<std::pair<Architecture, CostRow>> costs;
  for (size_t i = 0; i < batch.size(); ++i) {
    const Architecture& architecture = batch[i].architecture;
    if (const std::optional<double> known = store_.find(key_, architecture)) {
      batch[i].accuracy = *known;
      on_measured(batch[i]);
      continue;
    }
    asked.push_back(i);
    architectures.push_back(architecture);
    costs.emplace_back(architecture, cost_row(batch[i].costs));
  }
  const int64_t cached = static_cast<int64_t>(batch.size() - asked.size());
  if (asked.empty()) return cached;
  store_.put_costs(constraint_.key(), costs);
  size_t reported = 0;
  evaluator_.evaluate(architectures, [&](size_t i, double accuracy) {
    ++reported;
    store_.put(key_, architectures[i], accuracy);
    batch[asked[i]].accuracy = accuracy;
    on_measured(batch[asked[i]]);
  });
  if (reported != asked.size()) {
    throw std::logic_error("an evaluator reported " + std::to_string(reported) + " results of " +
                           std::to_string(asked.size()));
  }
  return cached;
}

}  // namespace tinynas
