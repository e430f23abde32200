#include "search/space_samples.h"

#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <tuple>
#include <unordered_map>

#include "base/interrupt.h"
#include "base/progress.h"

namespace tinynas {
namespace {

constexpr int kChunk = 50;  // samples a task draws: a millisecond or a few
constexpr int64_t kMaxRows = 100'000'000;

// Everything that a width changes: sub-spaces with the same text hold the same networks.
std::string networks_of(const SearchSpace& space, const SubSpace& sub_space) {
  std::string text = "r" + std::to_string(sub_space.resolution) + ":" +
                     std::to_string(scaled_channels(space.stem.channels, sub_space.width, space.divisor));
  for (const StageSpec& stage : space.stages) {
    const ChannelOptions options = channel_options(space, stage, sub_space.width);
    text += "," + std::to_string(options.first);
    if (options.last != options.first) text += "-" + std::to_string(options.last);
  }
  if (space.head_channels > 0) {
    text += "," + std::to_string(scaled_channels(space.head_channels, sub_space.width, space.divisor));
  }
  return text;
}

CostRow costs_of(const Constraint& constraint, const Architecture& architecture) {
  return cost_row(constraint.costs(architecture));
}

// The grid, with the smallest network of each sub-space; its largest is lowered too, so that a grid that
// cannot be computed fails at once and not at a random sample.
std::vector<SubSpaceSamples> empty_grid(const Constraint& constraint) {
  const SearchSpace& space = constraint.space();
  std::vector<SubSpaceSamples> grid;
  std::unordered_map<std::string, size_t> first_with;
  for (const double width : space.widths) {
    for (const int resolution : space.resolutions) {
      check_interrupt();
      SubSpaceSamples samples;
      samples.sub_space = {width, resolution};
      samples.same_as = first_with.emplace(networks_of(space, samples.sub_space), grid.size()).first->second;
      try {
        costs_of(constraint, largest(space, samples.sub_space));
        samples.smallest = costs_of(constraint, smallest(space, samples.sub_space));
      } catch (const Error& error) {
        throw Error(error.code(), "space " + space.name + ", sub-space " + describe(samples.sub_space) +
                                      ": " + error.what());
      }
      grid.push_back(std::move(samples));
    }
  }
  return grid;
}

// Samples [begin, end) of one sub-space.
struct Chunk {
  SubSpaceSamples* samples;
  Rng rng;
  int begin;
  int end;
};

std::vector<Chunk> chunks_of(const SearchSpace& space, std::vector<SubSpaceSamples>& grid,
                             const SamplingOptions& options) {
  const Rng root = Rng(options.seed).fork("space samples");
  std::vector<Chunk> chunks;
  for (size_t i = 0; i < grid.size(); ++i) {
    if (grid[i].same_as != i) continue;
    grid[i].rows.resize(static_cast<size_t>(options.samples));
    const Rng rng = root.fork(networks_of(space, grid[i].sub_space));
    for (int begin = 0; begin < options.samples; begin += kChunk) {
      chunks.push_back({&grid[i], rng, begin, std::min(begin + kChunk, options.samples)});
    }
  }
  return chunks;
}

void draw(const Constraint& constraint, const Chunk& chunk) {
  Architecture architecture;
  for (int i = chunk.begin; i < chunk.end; ++i) {
    Rng rng = chunk.rng.fork(static_cast<uint64_t>(i));
    sample_into(constraint.space(), chunk.samples->sub_space, rng, architecture);
    chunk.samples->rows[static_cast<size_t>(i)] = costs_of(constraint, architecture);
  }
}

// Shows the work of several threads: whoever finds the bar free moves it.
class SharedProgress {
 public:
  SharedProgress(const std::string& label, int64_t total) : progress_(label, total) {}

  void add(int64_t done) {
    done_ += done;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock.owns_lock()) progress_.update(done_);
  }

 private:
  std::atomic<int64_t> done_{0};
  std::mutex mutex_;
  Progress progress_;
};

void sort_rows(std::vector<CostRow>& rows) {
  const auto key = [](const CostRow& row) {
    return std::tie(row.macs, row.params, row.sram_bytes, row.flash_bytes, row.latency_ms, row.energy_mj);
  };
  std::sort(rows.begin(), rows.end(), [&](const CostRow& a, const CostRow& b) { return key(a) < key(b); });
}

}  // namespace

void SamplingOptions::check() const {
  const auto require = [](bool ok, const char* option, int got, const char* expected) {
    if (!ok)
      throw usage_error(std::string("space optimisation: ") + option + ": got " + std::to_string(got) +
                        ", expected " + expected);
  };
  require(samples >= 1, "samples", samples, "at least 1");
  require(threads >= 0, "threads", threads, "at least 1, or 0 for all");
}

SpaceSamples draw_samples(const Constraint& constraint, const SamplingOptions& options) {
  options.check();
  const SearchSpace& space = constraint.space();
  const auto sub_spaces = static_cast<int64_t>(space.widths.size() * space.resolutions.size());
  if (sub_spaces * options.samples > kMaxRows) {
    throw usage_error("space optimisation: " + std::to_string(options.samples) + " samples in " +
                      std::to_string(sub_spaces) + " sub-spaces, expected at most " +
                      std::to_string(kMaxRows) + " in all");
  }
  SpaceSamples result{space, constraint.num_classes(), options, empty_grid(constraint)};
  const std::vector<Chunk> chunks = chunks_of(space, result.sub_spaces, options);
  {
    int64_t total = 0;
    for (const Chunk& chunk : chunks) total += chunk.end - chunk.begin;
    SharedProgress progress("space", total);
    // More threads than the machine has would only make TBB warn.
    const int available = tbb::info::default_concurrency();
    tbb::task_arena arena(options.threads > 0 ? std::min(options.threads, available) : available);
    arena.execute([&] {
      tbb::parallel_for(size_t{0}, chunks.size(), [&](size_t i) {
        check_interrupt();
        draw(constraint, chunks[i]);
        progress.add(chunks[i].end - chunks[i].begin);
      });
    });
  }
  for (size_t i = 0; i < result.sub_spaces.size(); ++i) {
    SubSpaceSamples& samples = result.sub_spaces[i];
    if (samples.same_as == i) {
      sort_rows(samples.rows);
    } else {
      samples.rows = result.sub_spaces[samples.same_as].rows;
    }
  }
  return result;
}

}  // namespace tinynas
