#include "cli/options.h"

#include <algorithm>
#include <thread>

#include "base/error.h"

namespace tinynas {
namespace {

int narrow(int64_t value) {
  return static_cast<int>(value);
}  // ranges are declared in the schema, all within int

uint64_t seed_of(const Config& config) { return static_cast<uint64_t>(config.integer("seed")); }

TrainMethod train_method(const std::string& name) {
  if (name == "ofa") return TrainMethod::kOfa;
  return name == "sandwich" ? TrainMethod::kSandwich : TrainMethod::kMcunet;
}

std::optional<Distillation> distillation(const std::string& name) {
  if (name == "auto") return std::nullopt;
  if (name == "kl") return Distillation::kKl;
  return name == "alpha" ? Distillation::kAlpha : Distillation::kNone;
}

std::optional<bool> on_or_off(const std::string& text) {
  if (text == "auto") return std::nullopt;
  return text == "on";
}

void check_calibrated(const Config& config, const Board& board) {
  const LatencyModel* model = board.latency_model(runtime_from_name(config.text("runtime"), "runtime"));
  if (model == nullptr || model->basis != LatencyBasis::kUncalibrated) return;
  if (config.flag("limits.accept_uncalibrated")) return;
  for (const char* key : {"limits.latency", "limits.energy"}) {
    if (config.value(key).is_null()) continue;
    throw usage_error(config.origin(key) + ": " + key + ": the latency model of board " + board.name +
                      " is uncalibrated: " + model->source +
                      ". Measure (tinynas calibrate), or take it as it is with --accept-uncalibrated");
  }
}

void check_power(const Config& config, const Board& board) {
  if (config.value("limits.energy").is_null() || board.active_power_mw > 0) return;
  throw usage_error(
      config.origin("limits.energy") + ": limits.energy: board " + board.name +
      " has no active_power_mw, so that no energy is modelled; give it in a board file of your own, "
      "or limit the latency");
}

}  // namespace

int worker_count(const Config& config) {
  const int64_t workers = config.integer("workers");
  return workers > 0 ? narrow(workers) : std::max(1, narrow(std::thread::hardware_concurrency()));
}

DatasetOptions dataset_options(const Config& config) {
  DatasetOptions options;
  options.name = config.text("data.name");
  const auto root = config.optional_text("data.root");
  if (root)
    options.root = *root;
  else
    options.root = default_data_root();
  options.val_fraction = config.real("data.val_fraction");
  options.max_train_images = config.integer("data.max_train_images");
  options.max_test_images = config.integer("data.max_test_images");
  options.seed = static_cast<uint64_t>(config.integer("data.split_seed"));
  options.folder_size = narrow(config.integer("data.folder_size"));
  return options;
}

SpaceOptimisationOptions space_optimisation_options(const Config& config) {
  SpaceOptimisationOptions options;
  options.samples = narrow(config.integer("space_optimisation.samples"));
  options.min_fit_fraction = config.real("space_optimisation.min_fit_fraction");
  options.threads = worker_count(config);
  options.seed = seed_of(config);
  return options;
}

TrainOptions train_options(const Config& config, const std::string& section) {
  const auto key = [&](const char* name) { return section + "." + name; };
  TrainOptions options;
  options.steps = config.integer(key("steps"));
  options.batch_size = narrow(config.integer(key("batch_size")));
  options.learning_rate = config.real(key("learning_rate"));
  options.momentum = config.real(key("momentum"));
  options.weight_decay = config.real(key("weight_decay"));
  options.label_smoothing = config.real(key("label_smoothing"));
  options.ema = config.real(key("ema"));
  options.checkpoint_every = config.integer(key("checkpoint_every"));
  options.augment.crop_padding = config.real("augment.crop_padding");
  options.augment.flip = config.flag("augment.flip");
  options.augment.cutout = config.real("augment.cutout");
  options.augment.mixup = config.real("augment.mixup");
  options.augment.cutmix = config.real("augment.cutmix");
  options.augment.randaugment = config.real("augment.randaugment");
  options.seed = seed_of(config);
  if (section == "train") {
    options.warmup_fraction = config.real("train.warmup_fraction");
    options.subnets_per_step = narrow(config.integer("train.subnets_per_step"));
    options.method = train_method(config.text("train.method"));
    options.distillation = distillation(config.text("train.distillation"));
    options.kernel_maps = on_or_off(config.text("train.kernel_maps"));
    options.kernel_phase = config.real("train.kernel_phase");
    options.depth_phase = config.real("train.depth_phase");
  } else {
    options.warmup_fraction = 0;  // one architecture, nothing elastic
    options.subnets_per_step = narrow(config.integer("finetune.shards"));
  }
  return options;
}

RecalibrationOptions recalibration_options(const Config& config) {
  RecalibrationOptions options;
  options.batches = narrow(config.integer("recalibration.batches"));
  options.batch_size = narrow(config.integer("recalibration.batch_size"));
  options.val_images = config.integer("search.val_images");
  return options;
}

EvolutionOptions evolution_options(const Config& config) {
  EvolutionOptions options;
  options.population = narrow(config.integer("search.population"));
  options.parents = narrow(config.integer("search.parents"));
  options.crossovers = narrow(config.integer("search.crossovers"));
  options.mutations = narrow(config.integer("search.mutations"));
  options.mutation_probability = config.real("search.mutation_probability");
  options.generations = narrow(config.integer("search.generations"));
  options.max_attempts = narrow(config.integer("search.max_attempts"));
  options.seed = seed_of(config);
  return options;
}

GuidedOptions guided_options(const Config& config) {
  GuidedOptions options;
  options.predictor = predictor_from_name(config.text("search.predictor"), "search.predictor");
  options.networks = narrow(config.integer("search.predictor_networks"));
  options.rounds = narrow(config.integer("search.predictor_rounds"));
  options.finalists = narrow(config.integer("search.predictor_finalists"));
  options.generations = narrow(config.integer("search.predictor_generations"));
  options.evolution = evolution_options(config);
  return options;
}

ComputeOptions compute_options(const Config& config) {
  ComputeOptions options;
  options.workers = worker_count(config);
  options.device = config.text("device");
  return options;
}

QuantizeOptions quantize_options(const Config& config) {
  QuantizeOptions options;
  options.calibration = config.text("quantize.calibration");
  options.calibration_images = narrow(config.integer("quantize.images"));
  options.percentile = config.real("quantize.percentile");
  options.equalisation = config.flag("quantize.equalisation");
  options.bias_correction = config.flag("quantize.bias_correction");
  return options;
}

PlanOptions plan_options(const Config& config, const Board* board) {
  PlanOptions plan;
  if (board != nullptr) plan.variant = variant_of_isa(board->isa);
  plan.schedule = schedule_from_name(config.text("schedule"), "schedule");
  plan.input = input_kind_from_name(config.text("input"), "input");
  plan.max_extra_macs = config.real("max_extra_macs");
  return plan;
}

ExportOptions export_options(const Config& config, const PlanOptions& plan) {
  ExportOptions options;
  options.plan = plan;
  options.name = config.text("export.name");
  options.golden_vectors = narrow(config.integer("export.golden_vectors"));
  return options;
}

VerifyOptions verify_options(const Config& config, const Board* board) {
  VerifyOptions options;
  options.host_compiler = config.text("verify.host_compiler");
  options.arm_compiler = config.text("verify.arm_compiler");
  // A board of another architecture is measured on the Arm core of the configuration; the note says which.
  const bool is_arm = board != nullptr && board->core.rfind("cortex-m", 0) == 0;
  options.arm_cpu = is_arm ? board->core : config.text("verify.arm_cpu");
  return options;
}

Limits limits_of(const Config& config, const Board* board) {
  Limits limits;
  limits.sram_bytes = config.optional_integer("limits.sram");
  limits.flash_bytes = config.optional_integer("limits.flash");
  limits.macs = config.optional_integer("limits.macs");
  limits.latency_ms = config.optional_real("limits.latency");
  limits.energy_mj = config.optional_real("limits.energy");
  if (board != nullptr) {
    if (!limits.sram_bytes) limits.sram_bytes = board->sram_bytes;
    if (!limits.flash_bytes) limits.flash_bytes = board->flash_bytes;
  }
  return limits;
}

void check_experiment(const Config& config, const Board* board) {
  const auto not_in_this_build = [&](const std::string& key, const std::string& has) {
    if (config.text(key) == has) return;
    throw usage_error(config.origin(key) + ": " + key + ": got '" + config.text(key) +
                      "', which is not in this build, expected " + has);
  };
  not_in_this_build("method", "evolution");
  not_in_this_build("runtime", "tinynas");
  if (board == nullptr && !config.optional_integer("limits.sram") &&
      !config.optional_integer("limits.flash")) {
    throw usage_error(
        "the chip is not named: give its memory or a board, for example\n"
        "  tinynas search --sram 320k --flash 1M\n"
        "  tinynas search --board stm32f746        (`tinynas boards` lists them)");
  }
  limits_of(config, board).check(board != nullptr);
  if (board != nullptr) {
    check_power(config, *board);
    check_calibrated(config, *board);
  }
  dataset_options(config).check();
  space_optimisation_options(config).check();
#ifdef TINYNAS_WITH_TORCH  // these belong to the room that trains
  train_options(config, "train").check();
  train_options(config, "finetune").check();
  recalibration_options(config).check();
#endif
  guided_options(config).check();
  quantize_options(config).check();
  export_options(config, {}).check();
}

}  // namespace tinynas
