// Training of a supernet, sub-network images a second, against the same sub-networks trained through
// PyTorch's Python front end in the same run: one process a core, each with one thread and its own batches,
// which exchange nothing. The keys are a contract (design.md, section 7).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/progress.h"
#include "export/process.h"
#include "export/toolchain.h"
#include "graph/lower.h"
#include "space/space_file.h"
#include "supernet/supernet.h"

// As in the tinynas executable (decision 12).
extern "C" {
const char* malloc_conf = "dirty_decay_ms:-1,muzzy_decay_ms:-1,oversize_threshold:0";
}

namespace {

using namespace tinynas;
namespace fs = std::filesystem;

constexpr const char* kMallocConf = "dirty_decay_ms:-1,muzzy_decay_ms:-1,oversize_threshold:0";

struct Options {
  bool json = false;
  std::string space = "configs/spaces/mbconv.yaml";
  double width = 0.5;
  int resolution = 64;
  int classes = 1000;
  int batch_size = 64;
  int subnets_per_step = 4;
  int warm_steps = 2;
  int steps = 6;    // timed
  int repeats = 3;  // in alternation; the medians count
  int threads = 2;  // of ours, and processes of the baseline
  uint64_t seed = 1;
  std::string python = "/usr/bin/python3";
  std::string jemalloc = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2";
  std::string script = "tools/bench/training_baseline.py";
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// One batch of noise. Every task of a step sees all of it, in its own order, so that a loss does not depend
// on which images it was given.
ImageSet noise_images(const Options& options) {
  ImageSet set;
  set.height = set.width = options.resolution;
  set.channels = 3;
  Rng rng = Rng(options.seed).fork("images");
  set.pixels.resize(static_cast<size_t>(options.batch_size * set.image_bytes()));
  for (uint8_t& pixel : set.pixels) pixel = static_cast<uint8_t>(rng.below(256));
  for (int i = 0; i < options.batch_size; ++i)
    set.labels.push_back(static_cast<int32_t>(rng.below(options.classes)));
  return set;
}

struct Training {
  double images_per_s = 0;
  std::vector<double> losses;  // of every step
};

// What the baseline needs to do the same: weights, images, the graphs of every step.
class Ours {
 public:
  Ours(const Options& options, const fs::path& folder)
      : options_(options),
        folder_(folder),
        space_(load_space(options.space)),
        images_(noise_images(options)) {
    Supernet(space_, sub_space(), options.classes, options.seed).save(folder / "weights.safetensors");
    write_file_atomic(folder / "images.bin",
                      {reinterpret_cast<const char*>(images_.pixels.data()), images_.pixels.size()});
  }

  double macs_of_timed_steps() const { return macs_; }

  Training train() {
    Supernet supernet = Supernet::load(folder_ / "weights.safetensors");
    TrainOptions train;
    train.steps = options_.warm_steps + options_.steps;
    train.warmup_fraction = 0;
    train.batch_size = options_.batch_size;
    train.subnets_per_step = options_.subnets_per_step;
    train.learning_rate = 0.05;
    train.augment = {.crop_padding = 0, .flip = false, .cutout = 0};
    train.checkpoint_every = train.steps;
    train.seed = options_.seed;
    graphs_.clear();
    std::chrono::steady_clock::time_point start;
    const size_t warm_tasks = static_cast<size_t>(options_.warm_steps) * tasks_per_step();
    const auto sampler = [&](Rng& rng) {
      if (graphs_.size() == warm_tasks) start = std::chrono::steady_clock::now();
      const Architecture architecture = sample(space_, sub_space(), rng);
      graphs_.push_back(lower(space_, architecture, options_.classes));
      return architecture;
    };
    const fs::path log = folder_ / "metrics.jsonl";
    fs::remove(log);
    MetricsLog metrics(log);
    train_supernet(supernet, images_, train, sampler, {options_.threads, "cpu"}, {}, metrics);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (graphs_.size() != static_cast<size_t>(train.steps) * tasks_per_step())
      throw Error(ExitCode::kFailure, "bench_training: the trainer drew another number of sub-networks");
    macs_ = 0;
    for (size_t i = warm_tasks; i < graphs_.size(); ++i) macs_ += static_cast<double>(macs(graphs_[i]));
    Training result;
    result.images_per_s = images_of_timed_steps() / seconds;
    read_log(log, result);
    return result;
  }

  // JOB of training_baseline.py, of the steps that train() has run.
  nlohmann::json job(const std::string& layout) const {
    nlohmann::json steps = nlohmann::json::array();
    for (size_t i = 0; i < graphs_.size(); ++i) {
      if (i % tasks_per_step() == 0) steps.push_back(nlohmann::json::array());
      steps.back().push_back(to_json(graphs_[i]));
    }
    return {{"weights", folder_ / "weights.safetensors"},
            {"largest", to_json(lower(space_, largest(space_, sub_space()), options_.classes))},
            {"images", folder_ / "images.bin"},
            {"shape", {images_.size(), images_.height, images_.width, images_.channels}},
            {"labels", images_.labels},
            {"layout", layout},
            {"momentum", TrainOptions().momentum},
            {"weight_decay", TrainOptions().weight_decay},
            {"learning_rates", learning_rates_},
            {"warm_steps", options_.warm_steps},
            {"steps", std::move(steps)}};
  }

  double images_of_timed_steps() const {
    return static_cast<double>(options_.steps) * options_.subnets_per_step * options_.batch_size;
  }

 private:
  SubSpace sub_space() const { return {options_.width, options_.resolution}; }
  size_t tasks_per_step() const { return static_cast<size_t>(options_.subnets_per_step); }

  // The set is smaller than a step, so that every step is logged as an epoch.
  void read_log(const fs::path& log, Training& result) {
    learning_rates_.clear();
    std::istringstream lines(read_file(log));
    for (std::string line; std::getline(lines, line);) {
      const nlohmann::json event = nlohmann::json::parse(line);
      if (event.at("event") != "epoch") continue;
      result.losses.push_back(event.at("loss"));
      learning_rates_.push_back(event.at("learning_rate"));
    }
  }

  const Options& options_;
  const fs::path folder_;
  const SearchSpace space_;
  const ImageSet images_;
  std::vector<Graph> graphs_;  // of every step, task by task
  std::vector<double> learning_rates_;
  double macs_ = 0;
};

// One process a core at once; what each wrote.
std::vector<nlohmann::json> run_processes(const Options& options, const fs::path& folder,
                                          const std::vector<std::string>& arguments) {
  std::vector<nlohmann::json> results(static_cast<size_t>(options.threads));
  std::vector<std::string> errors(results.size());
  std::vector<std::thread> waiting;
  for (size_t i = 0; i < results.size(); ++i) {
    waiting.emplace_back([&, i] {
      const fs::path written = folder / ("result" + std::to_string(i) + ".json");
      std::vector<std::string> command = {"env",
                                          "LD_PRELOAD=" + options.jemalloc,
                                          std::string("MALLOC_CONF=") + kMallocConf,
                                          "OMP_NUM_THREADS=1",
                                          options.python,
                                          options.script};
      command.insert(command.end(), arguments.begin(), arguments.end());
      command.push_back(written.string());
      const auto outcome = run_process(command);
      if (!outcome || outcome->exit_code != 0)
        errors[i] = outcome ? outcome->output : "there is no 'env'";
      else
        results[i] = nlohmann::json::parse(read_file(written));
    });
  }
  for (std::thread& thread : waiting) thread.join();
  for (const std::string& error : errors) {
    if (!error.empty()) throw Error(ExitCode::kFailure, "the baseline (" + options.script + "): " + error);
  }
  return results;
}

Training baseline(const Options& options, const Ours& ours, const fs::path& folder,
                  const std::string& layout) {
  const fs::path job = folder / "job.json";
  write_file_atomic(job, ours.job(layout).dump());
  Training result;
  for (const nlohmann::json& process : run_processes(options, folder, {"train", job.string()})) {
    result.images_per_s += ours.images_of_timed_steps() / process.at("seconds").get<double>();
    result.losses = process.at("losses").get<std::vector<double>>();
  }
  return result;
}

double gemm_gflops(const Options& options, const fs::path& folder) {
  double gflops = 0;
  for (const nlohmann::json& process : run_processes(options, folder, {"gemm", "2"}))
    gflops += process.at("gflops").get<double>();
  return gflops;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size())
    throw Error(ExitCode::kFailure, "bench_training: the losses are of different steps");
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]) / std::abs(b[i]));
  return largest;
}

nlohmann::json run(const Options& options) {
  Progress::set_enabled(false);
  const TemporaryFolder folder;
  Ours ours(options, folder.path());
  std::vector<double> images_per_s;
  std::vector<double> channels_last;
  std::vector<double> default_layout;
  std::vector<double> gemm;
  double difference = 0;
  std::vector<double> losses;
  for (int i = 0; i < options.repeats; ++i) {
    const Training mine = ours.train();
    const Training theirs = baseline(options, ours, folder.path(), "channels_last");
    images_per_s.push_back(mine.images_per_s);
    channels_last.push_back(theirs.images_per_s);
    default_layout.push_back(baseline(options, ours, folder.path(), "default").images_per_s);
    gemm.push_back(gemm_gflops(options, folder.path()));
    difference = std::max(difference, largest_difference(mine.losses, theirs.losses));
    losses = mine.losses;
  }
  const double best_baseline = std::max(median(channels_last), median(default_layout));
  // Forward, and backward to inputs and to weights: three times the MACs, two FLOPs each.
  const double flops_an_image = 6 * ours.macs_of_timed_steps() / (options.steps * options.subnets_per_step);
  return {{"images_per_s", median(images_per_s)},
          {"baseline_images_per_s", best_baseline},
          {"baseline_channels_last_images_per_s", median(channels_last)},
          {"baseline_default_layout_images_per_s", median(default_layout)},
          {"ratio", median(images_per_s) / best_baseline},
          {"gemm_peak_gflops", median(gemm)},
          {"achieved_gflops", median(images_per_s) * flops_an_image / 1e9},
          {"share_of_peak", median(images_per_s) * flops_an_image / 1e9 / median(gemm)},
          {"largest_loss_difference", difference},
          {"losses", losses},
          {"subnets_per_step", options.subnets_per_step},
          {"batch_size", options.batch_size},
          {"resolution", options.resolution},
          {"width", options.width},
          {"threads", options.threads},
          {"steps", options.steps},
          {"repeats", options.repeats},
          {"seed", options.seed}};
}

void print_table(const nlohmann::json& report) {
  const auto number = [&](const char* key) { return report.at(key).get<double>(); };
  std::printf("%-58s %8.2f\n", "width", number("width"));
  std::printf("%-58s %8.0f\n", "resolution", number("resolution"));
  std::printf("%-58s %8.0f\n", "sub-network images / s", number("images_per_s"));
  std::printf("%-58s %8.0f\n", "  Python, channels last", number("baseline_channels_last_images_per_s"));
  std::printf("%-58s %8.0f\n", "  Python, default layout", number("baseline_default_layout_images_per_s"));
  std::printf("%-58s %7.2fx\n", "ratio to the better of them", number("ratio"));
  std::printf("%-58s %8.1f\n", "GFLOP/s of convolutions (3 x 2 x MACs)", number("achieved_gflops"));
  std::printf("%-58s %8.1f\n", "GFLOP/s of a matrix product, all processes at once",
              number("gemm_peak_gflops"));
  std::printf("%-58s %7.1f%%\n", "share of that", 100 * number("share_of_peak"));
  std::printf("%-58s %8.1e\n", "largest relative difference of a step's loss",
              number("largest_loss_difference"));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Training of a supernet against the same sub-networks in PyTorch's Python front end");
  app.footer("Needs Debian's python3-torch and libjemalloc2. Minutes on two cores; let nothing else run.");
  app.add_flag("--json", options.json, "one object on standard output");
  app.add_option("--space", options.space, "search space")->capture_default_str();
  app.add_option("--width", options.width, "width multiplier")->capture_default_str();
  app.add_option("--resolution", options.resolution, "rows and columns of an image")->capture_default_str();
  app.add_option("--steps", options.steps, "timed steps")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--repeats", options.repeats, "alternations; the medians count")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--threads", options.threads, "ours, and processes of the baseline")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of weights, images and sub-networks")->capture_default_str();
  app.add_option("--python", options.python, "interpreter with torch")->capture_default_str();
  app.add_option("--jemalloc", options.jemalloc, "library that the baseline preloads")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    const nlohmann::json report = run(options);
    if (options.json)
      std::printf("%s\n", report.dump(1).c_str());
    else
      print_table(report);
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "bench_training: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
