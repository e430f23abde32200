#include "search/evolution.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <numeric>
#include <optional>
#include <unordered_set>

#include "base/interrupt.h"
#include "base/progress.h"
#include "search/measurer.h"

namespace tinynas {
namespace {

void require_at_least(const char* option, int64_t got, int64_t low) {
  if (got < low) {
    throw usage_error(std::string("search: ") + option + ": got " + std::to_string(got) +
                      ", expected at least " + std::to_string(low));
  }
}

std::string percent(double fraction) {
  char text[16];
  std::snprintf(text, sizeof text, "%.2f %%", 100.0 * fraction);
  return text;
}

class Evolution {
 public:
  Evolution(const SubSpace& sub_space, const Constraint& constraint, Evaluator& evaluator, TrialStore& store,
            const EvolutionOptions& options, MetricsLog& metrics, const Mutator& mutator,
            const Ranking& ranking, const FirstGeneration& first)
      : sub_space_(sub_space),
        constraint_(constraint),
        options_(options),
        metrics_(metrics),
        mutator_(mutator),
        ranking_rule_(ranking),
        first_(first),
        measurer_(constraint, evaluator, store),
        root_(Rng(options.seed).fork("evolution")),
        stored_before_(std::min(store.count(measurer_.key(), sub_space), options.budget())),
        progress_(options.label, options.budget(), stored_before_) {}

  SearchResult run() {
    evaluate(first_population());
    report(0);
    for (int generation = 1; generation <= options_.generations; ++generation) {
      check_interrupt();
      if (evaluate(children(generation)) == 0) break;
      report(generation);
    }
    result_.best = result_.candidates[best_];
    return std::move(result_);
  }

 private:
  std::vector<Candidate> first_population() {
    std::vector<Candidate> population;
    for (const Architecture& known : first_.known) {
      if (std::ssize(population) == options_.population) break;
      if (std::optional<Candidate> candidate = if_new_and_fitting(known))
        population.push_back(std::move(*candidate));
    }
    const int missing = options_.population - static_cast<int>(population.size());
    if (first_.proxy == nullptr) {
      draw_into(population, missing);
      return population;
    }
    std::vector<Candidate> drawn;
    draw_into(drawn, missing * first_.oversampling);
    keep_best_by_proxy(drawn, missing);
    std::move(drawn.begin(), drawn.end(), std::back_inserter(population));
    return population;
  }

  void draw_into(std::vector<Candidate>& population, int count) {
    for (int i = 0; i < count; ++i) {
      Rng rng = root_.fork("population").fork(static_cast<uint64_t>(i));
      const auto draw = [&] { return sample(constraint_.space(), sub_space_, rng); };
      std::optional<Candidate> drawn = first_new_fitting(draw);
      // A sub-space so tight that random networks do not fit still has the small ones.
      if (!drawn) drawn = if_new_and_fitting(sample_fitting(constraint_, sub_space_, rng, 0));
      if (drawn) population.push_back(std::move(*drawn));
    }
  }

  // The `count` of the highest score, in the order in which they were drawn.
  void keep_best_by_proxy(std::vector<Candidate>& drawn, int count) {
    if (std::ssize(drawn) <= count) return;
    std::vector<Architecture> architectures;
    for (const Candidate& candidate : drawn) architectures.push_back(candidate.architecture);
    const std::vector<double> scores = first_.proxy->score(architectures);
    std::vector<size_t> order(drawn.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    order.resize(static_cast<size_t>(count));
    std::sort(order.begin(), order.end());
    std::vector<Candidate> kept;
    for (const size_t i : order) kept.push_back(std::move(drawn[i]));
    drawn = std::move(kept);
  }

  std::vector<Candidate> children(int generation) {
    const size_t parents = std::min(static_cast<size_t>(options_.parents), ranking_.size());
    const auto parent = [&](Rng& rng) -> const Architecture& {
      return result_.candidates[ranking_[static_cast<size_t>(rng.below(static_cast<int64_t>(parents)))]]
          .architecture;
    };
    const SearchSpace& space = constraint_.space();
    const Rng generation_rng = root_.fork("generation").fork(static_cast<uint64_t>(generation));
    std::vector<Candidate> born;
    for (int i = 0; i < options_.crossovers + options_.mutations; ++i) {
      Rng rng = generation_rng.fork(static_cast<uint64_t>(i));
      const auto breed = [&] {
        const Architecture& a = parent(rng);
        if (i >= options_.crossovers) return mutator_.mutate(space, a, options_.mutation_probability, rng);
        return mutator_.crossover(space, a, parent(rng), rng);
      };
      if (std::optional<Candidate> child = first_new_fitting(breed)) born.push_back(std::move(*child));
    }
    return born;
  }

  template <typename Draw>
  std::optional<Candidate> first_new_fitting(const Draw& draw) {
    for (int attempt = 0; attempt < options_.max_attempts; ++attempt) {
      if (std::optional<Candidate> candidate = if_new_and_fitting(draw())) return candidate;
    }
    return std::nullopt;
  }

  std::optional<Candidate> if_new_and_fitting(Architecture architecture) {
    if (!examined_.insert(encode(architecture)).second) return std::nullopt;
    CostReport costs = constraint_.costs(architecture);
    if (!violations(costs, constraint_.limits()).empty()) return std::nullopt;
    return Candidate{std::move(architecture), 0.0, std::move(costs)};
  }

  // Measures the batch and adds it to the result. Returns its size.
  size_t evaluate(std::vector<Candidate> batch) {
    int64_t done = static_cast<int64_t>(result_.candidates.size());
    double best = result_.candidates.empty() ? 0 : result_.candidates[best_].accuracy;
    const auto show = [&](const Candidate& measured) {
      best = std::max(best, measured.accuracy);
      progress_.update(std::max(++done, stored_before_), "best " + percent(best));
    };
    result_.cached += measurer_.measure(batch, show);
    for (Candidate& candidate : batch) {
      result_.candidates.push_back(std::move(candidate));
      if (better(result_.candidates.back(), result_.candidates[best_])) best_ = result_.candidates.size() - 1;
    }
    ranking_ = ranking_rule_.order(result_.candidates);
    newborn_ = static_cast<int>(batch.size());
    return batch.size();
  }

  void report(int generation) {
    const size_t parents = std::min(static_cast<size_t>(options_.parents), ranking_.size());
    double sum = 0;
    for (size_t i = 0; i < parents; ++i) sum += result_.candidates[ranking_[i]].accuracy;
    const Candidate& best = result_.candidates[best_];
    result_.history.push_back({generation, newborn_, best.accuracy, sum / static_cast<double>(parents),
                               static_cast<int64_t>(result_.candidates.size()), best.architecture});
    metrics_.write({{"event", "generation"},
                    {"generation", generation},
                    {"children", newborn_},
                    {"best_accuracy", best.accuracy},
                    {"mean_accuracy", result_.history.back().mean_accuracy},
                    {"evaluated", result_.candidates.size()},
                    {"cached", result_.cached},
                    {"best", encode(best.architecture)},
                    {"best_macs", best.costs.macs},
                    {"best_sram_bytes", best.costs.sram.total_bytes()},
                    {"best_flash_bytes", best.costs.flash.total_bytes()}});
  }

  const SubSpace sub_space_;
  const Constraint& constraint_;
  const EvolutionOptions& options_;
  MetricsLog& metrics_;
  const Mutator& mutator_;
  const Ranking& ranking_rule_;
  const FirstGeneration& first_;
  Measurer measurer_;
  const Rng root_;
  const int64_t stored_before_;
  Progress progress_;

  std::unordered_set<std::string> examined_;  // evaluated or found not to fit: never looked at again
  std::vector<size_t> ranking_;               // indices into result_.candidates, best first
  size_t best_ = 0;                           // the most accurate
  int newborn_ = 0;
  SearchResult result_;
};

}  // namespace

void EvolutionOptions::check() const {
  require_at_least("population", population, 1);
  require_at_least("parents", parents, 1);
  require_at_least("crossovers", crossovers, 0);
  require_at_least("mutations", mutations, 0);
  require_at_least("generations", generations, 0);
  require_at_least("max_attempts", max_attempts, 1);
  if (!(mutation_probability >= 0.0 && mutation_probability <= 1.0)) {
    throw usage_error("search: mutation_probability: got " + std::to_string(mutation_probability) +
                      ", expected 0 to 1");
  }
}

int64_t EvolutionOptions::budget() const {
  return population + int64_t{generations} * (int64_t{crossovers} + mutations);
}

Architecture Mutator::mutate(const SearchSpace& space, const Architecture& parent, double probability,
                             Rng& rng) const {
  return tinynas::mutate(space, parent, probability, rng);
}

Architecture Mutator::crossover(const SearchSpace& space, const Architecture& a, const Architecture& b,
                                Rng& rng) const {
  return tinynas::crossover(space, a, b, rng);
}

SearchResult evolve(const SubSpace& sub_space, const Constraint& constraint, Evaluator& evaluator,
                    TrialStore& store, const EvolutionOptions& options, MetricsLog& metrics,
                    const Mutator& mutator, const Ranking& ranking, const FirstGeneration& first) {
  options.check();
  require_at_least("oversampling", first.oversampling, 1);
  return Evolution(sub_space, constraint, evaluator, store, options, metrics, mutator, ranking, first).run();
}

nlohmann::json to_json(const SearchResult& result) {
  nlohmann::json history = nlohmann::json::array();
  for (const GenerationReport& generation : result.history) {
    history.push_back({{"generation", generation.generation},
                       {"children", generation.children},
                       {"best_accuracy", generation.best_accuracy},
                       {"mean_accuracy", generation.mean_accuracy},
                       {"evaluated", generation.evaluated},
                       {"best", encode(generation.best)}});
  }
  nlohmann::json candidates = nlohmann::json::array();
  for (const Candidate& candidate : result.candidates) {
    candidates.push_back(
        {{"architecture", encode(candidate.architecture)},
         {"accuracy", candidate.accuracy},
         {"macs", candidate.costs.macs},
         {"sram_bytes", candidate.costs.sram.total_bytes()},
         {"flash_bytes", candidate.costs.flash.total_bytes()},
         {"latency_ms",
          candidate.costs.latency_ms ? nlohmann::json(*candidate.costs.latency_ms) : nlohmann::json()}});
  }
  return {{"best",
           {{"architecture", encode(result.best.architecture)},
            {"accuracy", result.best.accuracy},
            {"costs", to_json(result.best.costs)}}},
          {"evaluated", result.candidates.size()},
          {"cached", result.cached},
          {"history", history},
          {"candidates", candidates},
          {"front", pareto_front(result.candidates)}};
}

}  // namespace tinynas
