// Accuracies of batches of networks through the trial store.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "search/candidate.h"
#include "search/constraint.h"
#include "search/evaluator.h"
#include "search/trial_store.h"

namespace tinynas {

class Measurer {
 public:
  // References are kept.
  Measurer(const Constraint& constraint, Evaluator& evaluator, TrialStore& store);

  // Fills in the accuracies of `batch`: from the store where it holds them, the rest in one batch of
  // Evaluator::evaluate, each stored, with its costs, as soon as it is known. `on_measured` is called once
  // for every candidate, one call at a time: those of the store first, then the others in any order. Returns
  // how many came from the store. Throws Error(kInterrupted) with what is known stored.
  int64_t measure(std::vector<Candidate>& batch, const std::function<void(const Candidate&)>& on_measured);

  const std::string& key() const { return key_; }  // of the evaluator

 private:
  const Constraint& constraint_;
  Evaluator& evaluator_;
  TrialStore& store_;
  const std::string key_;
};

}  // namespace tinynas
