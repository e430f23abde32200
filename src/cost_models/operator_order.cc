#include "cost_models/operator_order.h"

#include <algorithm>
#include <numeric>
#include <queue>
#include <unordered_map>

namespace tinynas {
namespace {

// One step's arithmetic, shared by every search below.
class StepCosts {
 public:
  StepCosts(const Graph& graph, const InPlaceRules& rules, const OrderOptions& options)
      : graph_(graph), rules_(rules), options_(options) {}

  const Graph& graph() const { return graph_; }
  int64_t tensor_bytes(TensorId id) const { return align_up(graph_.tensor(id).bytes(), options_.alignment); }

  struct Step {
    int64_t extra = 0;  // alive at the step beside what was alive before it
    int64_t net = 0;    // change of the bytes alive from before the step to after it
  };

  // `dies(id)`: nobody needs the tensor after this step.
  template <typename Dies>
  Step step(const Op& op, const Dies& dies) const {
    const int64_t output = tensor_bytes(op.output);
    Step step{output + aligned_scratch(op, false), output};
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      if ((i == 1 && op.inputs[0] == op.inputs[1]) || !dies(op.inputs[i])) continue;
      if (rules_.can(op, i)) step.extra = std::min(step.extra, aligned_scratch(op, true));
      step.net -= tensor_bytes(op.inputs[i]);
    }
    return step;
  }

 private:
  int64_t aligned_scratch(const Op& op, bool in_place) const {
    return align_up(scratch_bytes(graph_, op, in_place, options_.runtime, options_.variant),
                    options_.alignment);
  }

  const Graph& graph_;
  const InPlaceRules& rules_;
  const OrderOptions& options_;
};

// Whether every operator needs the one before it: then there is no other order.
bool is_forced(const Graph& graph) {
  for (size_t i = 1; i < graph.ops.size(); ++i) {
    const TensorIds& inputs = graph.ops[i].inputs;
    if (std::find(inputs.begin(), inputs.end(), graph.ops[i - 1].output) == inputs.end()) return false;
  }
  return true;
}

using Set = std::vector<uint64_t>;  // of finished operators, a bit each

struct SetHash {
  size_t operator()(const Set& set) const {
    uint64_t hash = 0x9E3779B97F4A7C15u;
    for (const uint64_t word : set) hash = (hash ^ word) * 0xFF51AFD7ED558CCDu, hash ^= hash >> 32;
    return static_cast<size_t>(hash);
  }
};

bool has(const Set& set, int i) { return (set[static_cast<size_t>(i) / 64] >> (i % 64) & 1) != 0; }
void insert(Set& set, int i) { set[static_cast<size_t>(i) / 64] |= uint64_t{1} << (i % 64); }

// Where a search stands: which operators are done, and the bytes on the way there.
struct State {
  Set done;
  int64_t live = 0;
  int64_t peak = 0;
  int finished = 0;
  int parent = -1;     // index of the state before
  int first_move = 0;  // operators run since the parent: moves[first_move, last_move)
  int last_move = 0;
};

class OrderSearch {
 public:
  OrderSearch(const StepCosts& costs, const OrderOptions& options)
      : costs_(costs), options_(options), ops_(static_cast<int>(costs.graph().ops.size())) {
    const Graph& graph = costs.graph();
    producer_.assign(graph.tensors.size(), -1);
    readers_.resize(graph.tensors.size());
    for (int i = 0; i < ops_; ++i) {
      const Op& op = graph.ops[static_cast<size_t>(i)];
      producer_[static_cast<size_t>(op.output)] = i;
      for (const TensorId id : op.inputs) {
        std::vector<int>& readers = readers_[static_cast<size_t>(id)];
        if (readers.empty() || readers.back() != i) readers.push_back(i);
      }
    }
  }

  // The order with the least peak, if that is below `limit` and found within max_states; else none.
  // Best-first over sets of finished operators, smallest peak first, so that the first complete set is
  // optimal.
  std::vector<int> exact(int64_t limit) {
    std::unordered_map<Set, int64_t, SetHash> seen;  // least peak
    const auto worse = [&](int a, int b) {
      const State &sa = states_[static_cast<size_t>(a)], &sb = states_[static_cast<size_t>(b)];
      if (sa.peak != sb.peak) return sa.peak > sb.peak;
      return sa.finished != sb.finished ? sa.finished < sb.finished : a > b;
    };
    std::priority_queue<int, std::vector<int>, decltype(worse)> queue(worse);
    begin();
    queue.push(0);
    while (!queue.empty()) {
      const int index = queue.top();
      queue.pop();
      if (states_[static_cast<size_t>(index)].finished == ops_) return order_to(index);
      for (int op = 0; op < ops_; ++op) {
        if (!is_ready(states_[static_cast<size_t>(index)].done, op)) continue;
        const int next = advance(index, op);
        const State& state = states_.back();
        const auto [found, is_new] = seen.try_emplace(state.done, state.peak);
        if (state.peak >= limit || (!is_new && found->second <= state.peak)) {
          states_.pop_back();
          continue;
        }
        found->second = state.peak;
        if (static_cast<int>(states_.size()) > options_.max_states) return {};
        queue.push(next);
      }
    }
    return {};
  }

  // Level by level, the `beam_width` sets with the smallest peaks, then the fewest bytes alive.
  std::vector<int> beam() {
    begin();
    std::vector<int> level{0};
    int complete = -1;
    while (!level.empty()) {
      std::vector<int> next_level;
      std::unordered_map<Set, int, SetHash> best;  // state of a set
      for (const int index : level) {
        for (int op = 0; op < ops_; ++op) {
          if (!is_ready(states_[static_cast<size_t>(index)].done, op)) continue;
          const int next = advance(index, op);
          const State& state = states_.back();
          const auto [found, is_new] = best.try_emplace(state.done, next);
          if (!is_new && !better(next, found->second)) continue;
          found->second = next;
          next_level.push_back(next);
        }
      }
      // A set may have been improved after its first state was listed.
      std::erase_if(next_level, [&](int i) { return best.at(states_[static_cast<size_t>(i)].done) != i; });
      std::sort(next_level.begin(), next_level.end(), [&](int a, int b) { return better(a, b); });
      std::vector<int> kept;
      for (const int i : next_level) {
        if (states_[static_cast<size_t>(i)].finished == ops_) {
          if (complete < 0 || better(i, complete)) complete = i;
        } else if (static_cast<int>(kept.size()) < options_.beam_width) {
          kept.push_back(i);
        }
      }
      level = std::move(kept);
    }
    return order_to(complete);
  }

 private:
  bool better(int a, int b) const {
    const State &sa = states_[static_cast<size_t>(a)], &sb = states_[static_cast<size_t>(b)];
    if (sa.peak != sb.peak) return sa.peak < sb.peak;
    return sa.live != sb.live ? sa.live < sb.live : a < b;
  }

  void begin() {
    states_.clear();
    moves_.clear();
    State start;
    start.done.assign((static_cast<size_t>(ops_) + 63) / 64, 0);
    start.live = start.peak = costs_.tensor_bytes(costs_.graph().input);
    states_.push_back(std::move(start));
  }

  bool is_ready(const Set& done, int op) const {
    if (has(done, op)) return false;
    for (const TensorId id : costs_.graph().ops[static_cast<size_t>(op)].inputs) {
      const int producer = producer_[static_cast<size_t>(id)];
      if (producer >= 0 && !has(done, producer)) return false;
    }
    return true;
  }

  StepCosts::Step step(const Set& done, int op) const {
    const auto dies = [&](TensorId id) {
      const std::vector<int>& readers = readers_[static_cast<size_t>(id)];
      return id != costs_.graph().output && std::all_of(readers.begin(), readers.end(), [&](int reader) {
               return reader == op || has(done, reader);
             });
    };
    return costs_.step(costs_.graph().ops[static_cast<size_t>(op)], dies);
  }

  void run(State& state, int op) {
    const StepCosts::Step step = this->step(state.done, op);
    state.peak = std::max(state.peak, state.live + step.extra);
    state.live += step.net;
    insert(state.done, op);
    ++state.finished;
    moves_.push_back(op);
  }

  // Appends the state after `op`, and after every operator that then costs nothing: one that neither raises
  // the peak nor leaves more alive than before may run at once, for it can only lower the bytes alive at
  // every other step.
  int advance(int from, int op) {
    State state = states_[static_cast<size_t>(from)];
    state.parent = from;
    state.first_move = static_cast<int>(moves_.size());
    run(state, op);
    for (bool moved = true; moved;) {
      moved = false;
      for (int free = 0; free < ops_; ++free) {
        if (!is_ready(state.done, free)) continue;
        const StepCosts::Step step = this->step(state.done, free);
        if (step.net > 0 || state.live + step.extra > state.peak) continue;
        run(state, free);
        moved = true;
      }
    }
    state.last_move = static_cast<int>(moves_.size());
    states_.push_back(std::move(state));
    return static_cast<int>(states_.size()) - 1;
  }

  std::vector<int> order_to(int index) const {
    std::vector<int> order;
    for (; index >= 0; index = states_[static_cast<size_t>(index)].parent) {
      const State& state = states_[static_cast<size_t>(index)];
      for (int move = state.last_move; move > state.first_move; --move)
        order.push_back(moves_[static_cast<size_t>(move) - 1]);
    }
    std::reverse(order.begin(), order.end());
    return order;
  }

  const StepCosts& costs_;
  const OrderOptions& options_;
  int ops_;
  std::vector<int> producer_;              // by tensor; -1 for the graph's input
  std::vector<std::vector<int>> readers_;  // by tensor
  std::vector<State> states_;
  std::vector<int> moves_;
};

// No order can be below: what one operator needs for itself.
int64_t least_possible(const StepCosts& costs) {
  const auto dies = [](TensorId) { return true; };
  int64_t most = 0;
  for (const Op& op : costs.graph().ops) {
    int64_t inputs = costs.tensor_bytes(op.inputs[0]);
    if (op.inputs.size() == 2 && op.inputs[1] != op.inputs[0]) inputs += costs.tensor_bytes(op.inputs[1]);
    most = std::max(most, inputs + costs.step(op, dies).extra);
  }
  return most;
}

}  // namespace

int64_t peak_of_order(const Graph& graph, const InPlaceRules& rules, const std::vector<int>& order,
                      const OrderOptions& options) {
  const StepCosts costs(graph, rules, options);
  std::vector<int> reads(graph.tensors.size(), 0);
  for (const Op& op : graph.ops) {
    for (const TensorId id : op.inputs) ++reads[static_cast<size_t>(id)];
  }
  int64_t live = costs.tensor_bytes(graph.input);
  int64_t peak = live;
  for (const int index : order) {
    const Op& op = graph.ops[static_cast<size_t>(index)];
    for (const TensorId id : op.inputs) --reads[static_cast<size_t>(id)];
    const auto step = costs.step(
        op, [&](TensorId id) { return id != graph.output && reads[static_cast<size_t>(id)] == 0; });
    peak = std::max(peak, live + step.extra);
    live += step.net;
  }
  return peak;
}

std::vector<int> best_order(const Graph& graph, const InPlaceRules& rules, const OrderOptions& options) {
  std::vector<int> given(graph.ops.size());
  std::iota(given.begin(), given.end(), 0);
  if (is_forced(graph)) return given;
  const StepCosts costs(graph, rules, options);
  const int64_t given_peak = peak_of_order(graph, rules, given, options);
  if (given_peak <= least_possible(costs)) return given;
  OrderSearch search(costs, options);
  // What the beam finds lets the exact search leave out all that cannot be better.
  const std::vector<int> beam = search.beam();
  const int64_t beam_peak = peak_of_order(graph, rules, beam, options);
  const std::vector<int>& best = beam_peak < given_peak ? beam : given;
  const int64_t best_peak = std::min(beam_peak, given_peak);
  if (best_peak <= least_possible(costs)) return best;
  const std::vector<int> better = search.exact(best_peak);
  return better.empty() ? best : better;
}

}  // namespace tinynas
