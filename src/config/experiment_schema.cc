#include "config/experiment.h"

namespace tinynas {
namespace {

using Kind = OptionKind;

OptionSpec integer(const std::string& key, int64_t value, double min, double max, const std::string& doc) {
  return {.key = key,
          .kind = Kind::kInteger,
          .default_value = value,
          .doc = doc,
          .min = min,
          .max = max,
          .choices = {}};
}

OptionSpec real(const std::string& key, double value, double min, double max, const std::string& doc) {
  return {.key = key,
          .kind = Kind::kReal,
          .default_value = value,
          .doc = doc,
          .min = min,
          .max = max,
          .choices = {}};
}

OptionSpec flag(const std::string& key, bool value, const std::string& doc) {
  return {.key = key, .kind = Kind::kFlag, .default_value = value, .doc = doc, .choices = {}};
}

OptionSpec text(const std::string& key, const std::string& value, const std::string& doc) {
  return {.key = key, .kind = Kind::kText, .default_value = value, .doc = doc, .choices = {}};
}

OptionSpec choice(const std::string& key, const std::vector<std::string>& choices, const std::string& value,
                  const std::string& doc) {
  return {.key = key, .kind = Kind::kChoice, .default_value = value, .doc = doc, .choices = choices};
}

OptionSpec unset(const std::string& key, Kind kind, const std::string& doc) {
  return {.key = key,
          .kind = kind,
          .default_value = nullptr,
          .doc = doc,
          .min = 0,
          .choices = {},
          .optional = true};
}

void add_general(Schema& schema) {
  schema.add(unset("name", Kind::kText, "name of the experiment; none = the data set's name"))
      .add(choice("effort", {"smoke", "quick", "standard", "full"}, "quick",
                  "preset of all budgets (configs/efforts); anything below overrides it"))
      .add(integer("seed", 1, 0, 9e15, "fixes every random number; two runs with one seed are identical"))
      .add(unset("board", Kind::kText,
                 "chip of configs/boards: default limits, reserve, latency and energy; none = without"))
      .add(unset(
          "boards", Kind::kText,
          "chips that one supernet serves, a winner for each: names of configs/boards, comma-separated; "
          "none = one chip"))
      .add(text("space", "auto",
                "search space: a name of configs/spaces, a path, or auto = by the data set's image size"))
      .add(
          flag("redistribute", false,
               "small kernels in the early stages, where strips compute halos again, and the receptive field "
               "given back by blocks later (MCUNetV2)"))
      .add(choice("method", {"evolution", "dnas"}, "evolution", "how architectures are searched"))
      .add(choice("runtime", {"tinynas", "tflm"}, "tinynas", "runtime whose memory the limits are about"))
      .add(choice(
          "schedule", {"layer", "stream", "auto"}, "auto",
          "one operator after another, row by row, or auto = row by row where the SRAM limit asks for it"))
      .add(choice(
          "input", {"resident", "rows", "reread"}, "resident",
          "where the network's input is: in the arena, or arriving row by row, once (rows) or as often "
          "as it is asked for (reread)"))
      .add(real("max_extra_macs", 0, 0, 10,
                "part of the MACs that row-by-row schedules may compute again to need less SRAM: 0.2 = 20 %"))
      .add(integer("workers", 0, 0, 1024,
                   "threads that train and evaluate; 0 = one per core; results do not depend on it"))
      .add(choice("device", {"cpu", "cuda"}, "cpu", "where training computes"));
}

void add_limits_and_data(Schema& schema) {
  schema
      .add(unset("limits.sram", Kind::kBytes,
                 "bytes of SRAM: arena + persistent + .data/.bss + stack + reserve"))
      .add(unset("limits.flash", Kind::kBytes, "bytes of Flash: weights + tables + code + reserve"))
      .add(unset("limits.macs", Kind::kCount, "multiply-accumulates of one inference (1 MAC = 2 FLOPs)"))
      .add(unset("limits.latency", Kind::kDuration, "modelled latency of one inference; needs a board"))
      .add(unset("limits.energy", Kind::kEnergy, "modelled energy of one inference; needs a board"))
      .add(flag("limits.accept_uncalibrated", false,
                "limit latency or energy on a board whose latency model nothing was measured for"))
      .add(choice("data.name", {"cifar10", "mnist", "fashion-mnist", "folder"}, "cifar10",
                  "data set; folder = train/<class>/*.png|jpg under data.root"))
      .add(unset("data.root", Kind::kText, "where the data lies; none = $TINYNAS_DATA, else datasets/cache"))
      .add(real("data.val_fraction", 0.1, 0.001, 0.5,
                "part of the training images held out for the search, stratified"))
      .add(integer("data.split_seed", 1, 0, 9e15,
                   "which images are held out; not the run's seed, so runs compare"))
      .add(integer("data.max_train_images", 0, 0, 1e9, "stratified subset of the training part; 0 = all"))
      .add(integer("data.max_test_images", 0, 0, 1e9, "subset of the test part; 0 = all"))
      .add(integer("data.folder_size", 64, 8, 1024, "pixels a side that images of a folder are resized to"))
      .add(real("augment.crop_padding", 0.125, 0, 0.5,
                "random crop from the image padded by this part of its side; 0 = off"))
      .add(flag("augment.flip", true, "random horizontal flip; wrong for digits"))
      .add(real("augment.cutout", 0.0, 0, 1, "side of a grey square as a part of the image side; 0 = off"))
      .add(
          real("augment.mixup", 0.0, 0, 1, "alpha of mixup: pairs of images and labels are blended; 0 = off"))
      .add(
          real("augment.cutmix", 0.0, 0, 1,
               "alpha of CutMix: a box of each image comes from another; with mixup a coin decides; 0 = off"))
      .add(real("augment.randaugment", 0.0, 0, 10,
                "magnitude of two random operations (shift, shear, rotation, brightness, ...); 0 = off"));
}

void add_space(Schema& schema) {
  schema.add(integer("space_optimisation.samples", 1000, 1, 1e7, "networks drawn in every (W,R) sub-space"))
      .add(real("space_optimisation.min_fit_fraction", 0.1, 0, 1,
                "part of the samples that must fit for a sub-space to be eligible"))
      .add(integer("space_optimisation.short_training_steps", 200, 1, 1e7,
                   "where memory does not bind: supernet steps spent on each of the top sub-spaces"))
      .add(integer("space_optimisation.short_training_networks", 5, 1, 1000,
                   "where memory does not bind: random fitting networks whose mean accuracy decides"));
}

void add_training(Schema& schema, const std::string& section, const std::string& whose, int64_t steps,
                  double rate) {
  schema.add(integer(section + ".steps", steps, 1, 1e9, "optimiser steps of " + whose))
      .add(integer(section + ".batch_size", 64, 1, 65536, "images a step"))
      .add(real(section + ".learning_rate", rate, 1e-9, 100, "peak of one cycle: linear rise, cosine to 0"))
      .add(real(section + ".momentum", 0.9, 0, 0.9999, "Nesterov momentum"))
      .add(real(section + ".weight_decay", 1e-4, 0, 1, "of convolution and linear weights"))
      .add(real(section + ".label_smoothing", 0.0, 0, 0.9, "part of the target spread over all classes"))
      .add(real(section + ".ema", 0.0, 0, 0.999999,
                "decay of the weights' moving average, which training ends with; 0 = off: the last weights"))
      .add(integer(section + ".checkpoint_every", 200, 1, 1e9,
                   "steps between the states that --resume goes on from"));
}

void add_search(Schema& schema) {
  add_training(schema, "train", "the supernet", 2500, 0.1);
  schema
      .add(real("train.warmup_fraction", 0.2, 0, 1, "part of the steps that train the largest network alone"))
      .add(integer("train.subnets_per_step", 2, 1, 64,
                   "sampled sub-networks whose gradients are averaged in a step; sandwich: and two more"))
      .add(
          choice("train.method", {"mcunet", "ofa", "sandwich"}, "mcunet",
                 "after the warm-up: sampled networks, the same under progressive shrinking, or the largest, "
                 "the smallest and sampled ones on the same images"))
      .add(choice("train.distillation", {"auto", "none", "kl", "alpha"}, "auto",
                  "what networks learn from the largest (sandwich: of the same step; else: of the warm-up); "
                  "auto = mcunet none, ofa and sandwich kl"))
      .add(choice("train.kernel_maps", {"auto", "on", "off"}, "auto",
                  "learned maps from large kernels to small ones instead of central crops; auto = ofa on"))
      .add(real("train.kernel_phase", 0.3, 0, 1,
                "ofa: part of the steps after the warm-up in which only kernels are elastic"))
      .add(real("train.depth_phase", 0.35, 0, 1,
                "ofa: part after that in which depths are too; expansions join for the rest"))
      .add(integer("recalibration.batches", 20, 1, 100000,
                   "batches over which a sub-network's batch-norm statistics are averaged"))
      .add(integer("recalibration.batch_size", 64, 2, 65536, "images a batch of the recalibration"))
      .add(integer("search.val_images", 0, 0, 1e9, "validation images an architecture is judged on; 0 = all"))
      .add(integer("search.population", 100, 2, 1e6, "random architectures of generation 0"))
      .add(integer("search.parents", 20, 1, 1e6, "best architectures that breed the next generation"))
      .add(integer("search.crossovers", 50, 0, 1e6, "children by crossover a generation"))
      .add(integer("search.mutations", 50, 0, 1e6, "children by mutation a generation"))
      .add(real("search.mutation_probability", 0.1, 0, 1, "of each gene"))
      .add(flag(
          "search.pareto", false,
          "breed by Pareto front (NSGA-II: accuracy, SRAM, Flash, MACs, latency) instead of by accuracy"))
      .add(integer("search.generations", 30, 0, 1e6, "after generation 0; 0 = random search"))
      .add(integer("search.max_attempts", 200, 1, 1e6, "draws for one new child that fits"))
      .add(choice("search.proxy", {"none", "params", "macs", "synflow", "naswot", "zico"}, "none",
                  "zero-cost proxy that cuts a larger generation 0; how it ranks is always printed"))
      .add(integer("search.proxy_oversampling", 4, 1, 1000,
                   "with a proxy: how many times larger generation 0 is drawn before the cut"))
      .add(unset("search.trials", Kind::kText,
                 "trial store, relative to the run directory, to share evaluations with other runs; none = "
                 "trials.db"))
      .add(choice("search.predictor", {"none", "ridge", "mlp"}, "none",
                  "accuracy predictor that guides the search; the winner is measured all the same"))
      .add(integer("search.predictor_networks", 0, 0, 1e6,
                   "random networks measured before its first fit; 0 = half of the evaluations that a search "
                   "without it makes"))
      .add(integer("search.predictor_rounds", 4, 1, 1e4,
                   "times that it is fitted, evolved by, and its finalists measured"))
      .add(integer("search.predictor_finalists", 0, 0, 1e6,
                   "networks measured a round; 0 = the other half of the evaluations, over the rounds"))
      .add(integer("search.predictor_generations", 20, 0, 1e6,
                   "of each evolution by prediction (population 100, 100 children a generation)"))
      .add(integer("comparison.networks", 5, 0, 1000,
                   "random fitting networks of the winner's MACs that it is compared with"))
      .add(real("comparison.macs_tolerance", 0.1, 0.001, 1,
                "how far their MACs may be from the winner's, as a part of them"))
      .add(choice("comparison.by", {"supernet", "finetune"}, "supernet",
                  "accuracy compared: of the supernet, or after fine-tuning each"))
      .add(integer("comparison.finetune_steps", 2000, 1, 1e9,
                   "comparison.by: finetune: steps that the winner and each of them get"));
}

void add_deployment(Schema& schema) {
  add_training(schema, "finetune", "the winner alone, from its supernet weights", 5000, 0.05);
  schema
      .add(
          integer("finetune.shards", 2, 1, 64,
                  "batches of batch_size images a step, side by side on the workers; gradients are averaged"))
      .add(choice("quantize.calibration", {"minmax", "percentile", "mse"}, "mse",
                  "how an activation's range is got"))
      .add(integer("quantize.images", 256, 1, 1e6, "training images that activation ranges are got from"))
      .add(real("quantize.percentile", 99.99, 50, 100,
                "quantize.calibration: percentile: of a tensor's values, on both sides"))
      .add(flag("quantize.equalisation", false,
                "equalise channels across layers; exact, so only where no ReLU6 is between two layers"))
      .add(flag("quantize.bias_correction", false,
                "take the mean quantisation error of each channel out of its bias"))
      .add(text("export.name", "model", "C identifier: prefix of the package's files and symbols"))
      .add(integer("export.golden_vectors", 8, 1, 1000,
                   "images whose input and expected output travel in the package"))
      .add(integer("verify.images", 100, 1, 1e6, "test images compared bit for bit with the interpreter"))
      .add(text("verify.host_compiler", "cc", "compiler that the package is built and run with"))
      .add(text("verify.arm_compiler", "arm-none-eabi-gcc",
                "cross compiler; skipped, and said so, where it is missing"))
      .add(text("verify.arm_cpu", "cortex-m4", "core to compile for without a board"));
}

}  // namespace

const Schema& experiment_schema() {
  static const Schema schema = [] {
    Schema all;
    add_general(all);
    add_limits_and_data(all);
    add_space(all);
    add_search(all);
    add_deployment(all);
    return all;
  }();
  return schema;
}

}  // namespace tinynas
