#include "cli/options.h"
#include "cli/stages.h"
#include "search/shared_space.h"
#include "supernet/supernet.h"

namespace tinynas {
namespace {

// What the shared weights depend on.
std::vector<std::string> config_keys() { return with_chip_keys({"train", "augment", "data", "seed"}); }

nlohmann::json run_train(Workbench& bench, Run& run) {
  const Config& config = bench.config();
  const ChosenSpace chosen = load_chosen_space(run);
  const std::vector<Constraint> constraints = bench.constraints(chosen.space, chosen.num_classes);
  const TrainOptions options = train_options(config, "train");
  Supernet supernet(chosen.space, chosen.sub_space, chosen.num_classes, options.seed);
  // Only networks that can win are drawn, so that the shared weights serve them.
  const ArchitectureSampler sampler = [&](Rng& rng) {
    return sample_for_boards(constraints, chosen.sub_space, rng);
  };
  train_supernet(supernet, bench.train(chosen.sub_space.resolution), options, sampler,
                 compute_options(config), run.path("train.state"), run.metrics());
  supernet.save(run.path("supernet.safetensors"), {{"config_hash", config_hash(config, config_keys())}});
  std::filesystem::remove(run.path("train.state"));
  remove_work_of_other_weights(run);
  return {{"steps", options.steps},
          {"batch_size", options.batch_size},
          {"subnets_per_step", options.subnets_per_step},
          {"method", config.text("train.method")},
          {"checkpoint", supernet.checkpoint_hash()}};
}

}  // namespace

Stage train_stage(Workbench& bench) {
  Stage stage{.name = "train",
              .doc = "the supernet, whose weights all networks of the sub-space share",
              .config_keys = config_keys(),
              .inputs = {"space.json"},
              .outputs = {"supernet.safetensors"},
              .run = [&bench](Run& run) { return run_train(bench, run); }};
  if (!bench.boards().empty()) stage.config_keys.push_back("boards");
  return stage;
}

}  // namespace tinynas
