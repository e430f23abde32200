// Seeded, forkable random numbers: one seed fixes a run whatever the number of threads.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace tinynas {

// xoshiro256** seeded through SplitMix64. Every draw is defined here and not by the standard library, so that a seed
// means the same numbers with every compiler. Not for cryptography.
class Rng {
 public:
  explicit Rng(uint64_t seed);

  // An independent stream for a task: depends on this generator's seed and on `tag`, never on how many numbers were
  // drawn before, so tasks may fork in any order.
  Rng fork(uint64_t tag) const;
  Rng fork(std::string_view tag) const;

  uint64_t next();
  // Uniform in [0, n); n >= 1.
  int64_t below(int64_t n);
  // Uniform in [0, 1).
  double uniform();
  // Standard normal (Box-Muller).
  double normal();
  bool chance(double probability) { return uniform() < probability; }

  template <typename T>
  const T& pick(const std::vector<T>& options) {
    return options[static_cast<size_t>(below(static_cast<int64_t>(options.size())))];
  }

  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[static_cast<size_t>(below(static_cast<int64_t>(i)))]);
    }
  }

 private:
  uint64_t seed_;
  uint64_t state_[4];
};

}  // namespace tinynas
