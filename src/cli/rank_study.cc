#include "cli/rank_study.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <unordered_set>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "cli/comparison.h"
#include "cli/options.h"
#include "cli/rank_report.h"
#include "search/baselines.h"
#include "search/predictor.h"
#include "search/rank_trust.h"
#include "supernet/supernet.h"

namespace tinynas {
namespace {

class RankStudy {
 public:
  RankStudy(Workbench& bench, Run& run, const RankOptions& options)
      : bench_(bench),
        run_(run),
        options_(options),
        config_(bench.config()),
        chosen_(load_chosen_space(run)),
        constraint_(bench.constraint(chosen_.space, chosen_.num_classes)),
        supernet_(Supernet::load(run.path("supernet.safetensors"))),
        directory_(options.directory.empty() ? run.path("rank") : options.directory),
        rng_(Rng(static_cast<uint64_t>(config_.integer("seed"))).fork("rank")) {
    training_ = train_options(config_, "finetune");
    if (options.steps) training_.steps = *options.steps;
  }

  nlohmann::json work() {
    networks_ = choose_ranked_networks(constraint_, chosen_.sub_space, options_.networks, rng_);
    describe_settings();
    take_what_is_there();
    measure_and_predict();
    save();
    int trained = 0;
    for (size_t i = 0; i < networks_.size(); ++i) {
      if (networks_[i].alone) continue;
      if (options_.most && trained == *options_.most) break;
      train(i);
      ++trained;
      save();
    }
    return study();
  }

 private:
  std::filesystem::path file(const char* name) const { return directory_ / name; }

  // Everything that a row depends on: rows of other settings are not gone on with.
  void describe_settings() {
    settings_ = {{"run", run_.directory().string()},
                 {"checkpoint", supernet_.checkpoint_hash()},
                 {"sub_space", describe(chosen_.sub_space)},
                 {"networks", options_.networks},
                 {"predictor", options_.predictor},
                 {"predictor_networks", options_.predictor_networks},
                 {"steps", training_.steps},
                 {"split", bench_.dataset().split_checksum}};
    for (const OptionSpec& option : config_.schema().options()) {
      const bool matters = option.key == "seed" || option.key == "effort" ||
                           (option.key.starts_with("finetune.") && option.key != "finetune.steps" &&
                            option.key != "finetune.checkpoint_every") ||
                           option.key.starts_with("augment.") || option.key.starts_with("recalibration.") ||
                           option.key == "search.val_images";
      if (matters) settings_[option.key] = config_.formatted(option.key);
    }
    nlohmann::json fixed = settings_;
    fixed.erase("run");  // a run may be moved
    Hasher hasher;
    hasher.add(fixed.dump());
    for (const RankedNetwork& network : networks_) hasher.add(encode(network.architecture) + "\n");
    key_ = hasher.hex();
  }

  void take_what_is_there() {
    std::filesystem::create_directories(directory_);
    if (!std::filesystem::exists(file("rank.json"))) return;
    const nlohmann::json before = read_json_file(file("rank.json"));
    if (before.value("key", "") != key_) {
      if (options_.again) return;
      throw usage_error(file("rank.json").string() +
                        ": was made with other settings or another supernet; --again begins anew, --out DIR "
                        "writes elsewhere");
    }
    size_t kept = 0;
    for (size_t i = 0; i < networks_.size(); ++i) {
      const nlohmann::json& alone = before.at("networks").at(i).at("alone");
      if (alone.is_null()) continue;
      networks_[i].alone = alone.get<double>();
      ++kept;
    }
    spdlog::info("   {} of {} networks are done already", kept, networks_.size());
  }

  void measure_and_predict() {
    const int resolution = chosen_.sub_space.resolution;
    SupernetEvaluator evaluator(supernet_, bench_.train(resolution), bench_.val(resolution),
                                bench_.dataset().split_checksum, recalibration_options(config_),
                                compute_options(config_));
    TrialStore store(trials_path(run_));
    std::vector<Architecture> ranked;
    for (const RankedNetwork& network : networks_) ranked.push_back(network.architecture);
    const std::vector<double> accuracies = evaluate_stored(ranked, evaluator, store);
    const std::vector<Architecture> others = others_to_learn_from(ranked);
    spdlog::info("   the supernet measures {} networks for the predictor", others.size());
    const std::vector<double> known = evaluate_stored(others, evaluator, store);
    const auto predictor = make_predictor(predictor_from_name(options_.predictor, "--predictor"),
                                          chosen_.space, chosen_.sub_space);
    quality_ = cross_validate(*predictor, others, known, 5, rng_.fork("cross-validation"));
    predictor->fit(others, known, rng_.fork("fit"));
    const std::vector<double> predicted = predictor->predict(ranked);
    for (size_t i = 0; i < networks_.size(); ++i) {
      networks_[i].supernet = accuracies[i];
      networks_[i].predicted = predicted[i];
    }
  }

  // Random fitting networks, different from each other and from those that are ranked.
  std::vector<Architecture> others_to_learn_from(const std::vector<Architecture>& ranked) const {
    std::unordered_set<std::string> known;
    for (const Architecture& architecture : ranked) known.insert(encode(architecture));
    Rng rng = rng_.fork("predictor");
    std::vector<Architecture> others =
        draw_distinct([&] { return sample_fitting(constraint_, chosen_.sub_space, rng); },
                      {.count = options_.predictor_networks,
                       .attempts = 20 * options_.predictor_networks,
                       .known = std::move(known)});
    if (others.size() < 2)
      throw usage_error("rank: " + describe(chosen_.sub_space) + " holds no networks to fit a predictor to");
    return others;
  }

  void train(size_t i) {
    const int resolution = chosen_.sub_space.resolution;
    spdlog::info("   network {} of {}: {}", i + 1, networks_.size(), encode(networks_[i].architecture));
    networks_[i].alone = train_from_scratch(chosen_.space, networks_[i].architecture, chosen_.num_classes,
                                            bench_.train(resolution), bench_.val(resolution), training_,
                                            recalibration_options(config_), compute_options(config_),
                                            file("alone.state"), run_.metrics())
                             .val_accuracy;
    std::filesystem::remove(file("alone.state"));
    spdlog::info("   alone {:.2f} %, supernet {:.2f} %", 100 * *networks_[i].alone,
                 100 * networks_[i].supernet);
  }

  RankTrust trust() const { return judge_ranks(networks_, rng_.fork("judge")); }

  nlohmann::json study() const {
    nlohmann::json rows = nlohmann::json::array();
    for (const RankedNetwork& network : networks_) {
      rows.push_back({{"architecture", encode(network.architecture)},
                      {"equal_macs", network.equal_macs},
                      {"macs", network.macs},
                      {"params", network.params},
                      {"supernet", network.supernet},
                      {"predictor", network.predicted},
                      {"alone", network.alone ? nlohmann::json(*network.alone) : nlohmann::json()}});
    }
    return {{"format", "tinynas-rank-1"}, {"key", key_},
            {"settings", settings_},      {"directory", directory_.string()},
            {"networks", rows},           {"predictor_quality", to_json(quality_)},
            {"trust", to_json(trust())},  {"table", rank_table(trust())}};
  }

  void save() const {
    write_json_file(file("rank.json"), study());
    write_file_atomic(file("rank.csv"), rank_csv(networks_));
    write_file_atomic(file("rank.svg"), rank_svg(networks_, trust()));
  }

  Workbench& bench_;
  Run& run_;
  const RankOptions& options_;
  const Config& config_;
  const ChosenSpace chosen_;
  const Constraint constraint_;
  const Supernet supernet_;
  const std::filesystem::path directory_;
  const Rng rng_;
  TrainOptions training_;
  std::vector<RankedNetwork> networks_;
  HeldOutQuality quality_;
  nlohmann::json settings_;
  std::string key_;
};

}  // namespace

void RankOptions::check() const {
  const auto require = [](bool ok, const std::string& flag, const std::string& expected) {
    if (!ok) throw usage_error(flag + " is out of range: expected " + expected);
  };
  require(networks >= 2, "--networks", "at least 2");
  require(predictor_networks >= 4, "--predictor-networks", "at least 4");
  require(!steps || *steps >= 1, "--steps", "at least 1");
  require(!most || *most >= 0, "--most", "0 or more");
  if (predictor_from_name(predictor, "--predictor") == PredictorKind::kNone)
    throw usage_error("--predictor: got 'none', expected ridge or mlp");
}

nlohmann::json study_ranks(Workbench& bench, Run& run, const RankOptions& options) {
  return RankStudy(bench, run, options).work();
}

std::string render_ranks(const nlohmann::json& study) {
  const nlohmann::json& settings = study.at("settings");
  const nlohmann::json& tau = study.at("predictor_quality").at("tau");
  return fmt::format(
      "\nRanks of {} against {} steps of training alone from scratch (effort {}, seed {})\n\n{}"
      "  predictor {}: fitted to {} other networks{}\n  {}/rank.csv, rank.svg, rank.json\n",
      settings.at("sub_space").get<std::string>(), settings.at("steps").get<int64_t>(),
      settings.at("effort").get<std::string>(), settings.at("seed").get<std::string>(),
      study.at("table").get<std::string>(), settings.at("predictor").get<std::string>(),
      study.at("predictor_quality").at("networks").get<int64_t>(),
      tau.is_null() ? "" : fmt::format("; tau {:.2f} with the supernet on those held out", tau.get<double>()),
      study.at("directory").get<std::string>());
}

}  // namespace tinynas
