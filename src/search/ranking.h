// Who breeds: the order in which a search likes what it has evaluated.
#pragma once

#include <vector>

#include "search/candidate.h"
#include "search/pareto.h"

namespace tinynas {

class Ranking {
 public:
  virtual ~Ranking() = default;
  // Indices into `candidates`, the best first. Depends on the candidates alone.
  virtual std::vector<size_t> order(const std::vector<Candidate>& candidates) const = 0;
};

// The most accurate first (`better`).
class ByAccuracy : public Ranking {
 public:
  std::vector<size_t> order(const std::vector<Candidate>& candidates) const override;
};

// NSGA-II's: accuracy against SRAM, Flash, MACs and, where it is modelled, latency. Within a front the less
// crowded first, so that the whole front is bred from.
class ByParetoFront : public Ranking {
 public:
  std::vector<size_t> order(const std::vector<Candidate>& candidates) const override;
};

// {1 - accuracy, SRAM bytes, Flash bytes, MACs} and the latency in ms where the costs have one.
Objectives objectives(const Candidate& candidate);

// Indices of the candidates that no other dominates, by ascending SRAM, then `better`. Of candidates that are
// equal in every objective, the first.
std::vector<size_t> pareto_front(const std::vector<Candidate>& candidates);

}  // namespace tinynas
