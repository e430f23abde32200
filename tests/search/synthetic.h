// A small space and an evaluator whose accuracy is arithmetic on the genes, for the tests of the search.
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "search/constraint.h"
#include "search/evaluator.h"

namespace tinynas {

inline SearchSpace small_space() {
  SearchSpace space;
  space.name = "synthetic";
  space.stem = {8, 3, 1};
  space.stages = {{8, 1, {3}, {1}, {1}},
                  {16, 2, {3, 5, 7}, {2, 3, 4}, {1, 2, 3}},
                  {24, 2, {3, 5, 7}, {2, 3, 4}, {1, 2, 3}},
                  {40, 2, {3, 5, 7}, {2, 3, 4}, {1, 2, 3}}};
  space.head_channels = 64;
  space.widths = {0.5, 1.0, 1.5};
  space.resolutions = {16, 24, 32};
  return space;
}

// Small enough to enumerate: two elastic stages of at most two blocks, 90 x 90 architectures.
inline SearchSpace tiny_space() {
  SearchSpace space = small_space();
  space.name = "tiny";
  space.stages = {{16, 2, {3, 5, 7}, {2, 3, 4}, {1, 2}}, {24, 2, {3, 5, 7}, {2, 3, 4}, {1, 2}}};
  return space;
}

// In [0,1]: kernels have a best size that differs from block to block, expansion and depth help less and
// less, and the blocks of a stage work together. Integers until the end, so that every compiler computes the
// same.
inline double synthetic_accuracy(const Architecture& architecture) {
  int64_t score = 300000;
  for (size_t i = 0; i < architecture.stages.size(); ++i) {
    const std::vector<BlockChoice>& blocks = architecture.stages[i].blocks;
    int64_t previous = 0;
    for (size_t j = 0; j < blocks.size(); ++j) {
      const int64_t best_kernel = 3 + 2 * static_cast<int64_t>((i + 2 * j) % 3);
      const int64_t miss = std::abs(blocks[j].kernel - best_kernel);
      const int64_t gain = 24000 - 5000 * miss - 30000 / blocks[j].expansion;
      const int64_t together = previous * gain / 100000;
      score += std::max<int64_t>(gain + together, -8000) / static_cast<int64_t>(j + 1);
      previous = gain;
    }
  }
  return static_cast<double>(std::clamp<int64_t>(score, 0, 1000000)) / 1e6;
}

class SyntheticEvaluator final : public Evaluator {
 public:
  explicit SyntheticEvaluator(std::string key = "synthetic", int threads = 1)
      : key_(std::move(key)), threads_(threads) {}

  std::vector<double> evaluate(const std::vector<Architecture>& architectures,
                               const std::function<void(size_t, double)>& on_result) override {
    ++batches;
    std::vector<double> accuracies(architectures.size());
    std::atomic<size_t> next{0};
    std::atomic<bool> stopped{false};
    std::mutex mutex;
    const auto work = [&] {
      for (size_t i = next++; i < architectures.size() && !stopped; i = next++) {
        accuracies[i] = synthetic_accuracy(architectures[i]);
        const std::lock_guard lock(mutex);
        if (interrupt_after && evaluated.size() >= *interrupt_after) {
          stopped = true;
          return;
        }
        evaluated.push_back(encode(architectures[i]));
        on_result(i, accuracies[i]);
      }
    };
    std::vector<std::thread> helpers;
    for (int t = 1; t < threads_; ++t) helpers.emplace_back(work);
    work();
    for (std::thread& helper : helpers) helper.join();
    if (stopped) throw Error(ExitCode::kInterrupted, "interrupted");
    return accuracies;
  }
  std::string key() const override { return key_; }

  std::vector<std::string> evaluated;     // encodings, in the order they were evaluated
  std::optional<size_t> interrupt_after;  // as if Ctrl-C came after so many evaluations
  int batches = 0;

 private:
  std::string key_;
  int threads_;
};

inline Limits limits_of(std::optional<int64_t> sram, std::optional<int64_t> flash,
                        std::optional<int64_t> macs) {
  Limits limits;
  limits.sram_bytes = sram;
  limits.flash_bytes = flash;
  limits.macs = macs;
  return limits;
}

}  // namespace tinynas
