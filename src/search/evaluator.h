// What the search knows of accuracy: an interface. The supernet implements it; unit tests and the signature
// test use a synthetic one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "space/architecture.h"

namespace tinynas {

class Evaluator {
 public:
  virtual ~Evaluator() = default;

  // Top-1 accuracy in [0,1] of each architecture, in order. Deterministic: depends on key() and on the
  // architecture alone, never on the others in the batch or on timing. May throw Error(kInterrupted) between
  // architectures. `on_result(i, accuracy)` is called once for every architecture as soon as it is known (so
  // that an interrupted batch keeps what it has), one call at a time, in any order.
  virtual std::vector<double> evaluate(const std::vector<Architecture>& architectures,
                                       const std::function<void(size_t, double)>& on_result) = 0;

  // Everything beside the architecture that an accuracy depends on: supernet checkpoint, data split,
  // recalibration settings. The trial store keys rows by it, so that figures of another checkpoint never come
  // back.
  virtual std::string key() const = 0;
};

}  // namespace tinynas
