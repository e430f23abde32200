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

  // Inline, with below(): a search draws some fifty numbers for every architecture that it looks at.
  uint64_t next() {
    const uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate_left(state_[3], 45);
    return result;
  }

  // Uniform in [0, n); n >= 1. Exactly uniform: a draw from the last, incomplete stretch of n numbers is rejected.
  int64_t below(int64_t n) {
    const uint64_t range = static_cast<uint64_t>(n);
    uint64_t draw = next();
    uint64_t remainder = draw % range;
    while (draw - remainder > UINT64_MAX - range) {
      draw = next();
      remainder = draw % range;
    }
    return static_cast<int64_t>(remainder);
  }

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
  static uint64_t rotate_left(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

  uint64_t seed_;
  uint64_t state_[4];
};

}  // namespace tinynas
