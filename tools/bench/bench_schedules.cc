// What streaming schedules need, beside the layer schedule and patches, on published networks: the table, the
// trade-off between SRAM and MACs computed again, and the time of a plan. The keys are a contract (design.md,
// section 7).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "cost_models/memory_plan.h"
#include "cost_models/patches.h"
#include "cost_models/schedule_search.h"
#include "graph/lower.h"
#include "graph/reference_networks.h"
#include "trade_off_plot.h"

namespace {

using namespace tinynas;

struct Options {
  bool json = false;
  std::string figures;  // folder for schedules.csv and schedules.svg; none when empty
  int repeats = 31;     // of a plan; the median counts
};

struct Network {
  std::string name;
  int resolution = 0;
  Graph graph;
  // The targets, KiB: rows input without recomputation, reread with 20 %.
  int64_t rows_target_kib = 0;
  int64_t reread_target_kib = 0;
};

constexpr double kNoLimit = 1e9;  // as --max-extra-macs: no schedule comes near

std::vector<Network> networks() {
  const auto lowered = [](const testing::ReferenceNetwork& net) {
    return lower(net.space, net.architecture, 1000);
  };
  return {{"mobilenetv2-w0.35", 144, lowered(testing::mobilenet_v2(0.35, 144, 0)), 28, 16},
          {"mobilenetv2-w0.5", 160, lowered(testing::mobilenet_v2(0.5, 160, 0)), 56, 22},
          {"mobilenetv2-w1.0", 224, lowered(testing::mobilenet_v2(1.0, 224, 0)), 142, 54},
          {"mcunet-320k", 176, lowered(testing::mcunet_320k()), 88, 67}};
}

PlanOptions plan_options(Schedule schedule, InputKind input, double max_extra_macs) {
  PlanOptions options;
  options.schedule = schedule;
  options.input = input;
  options.max_extra_macs = max_extra_macs;
  return options;
}

double kib(int64_t bytes) { return static_cast<double>(bytes) / 1024; }
double fraction(const Network& network, int64_t extra_macs) {
  return static_cast<double>(extra_macs) / static_cast<double>(macs(network.graph));
}

// What the arena would hold if a resident input lay elsewhere; rows that stream in are the arena's.
int64_t bytes_without_input(const Network& network, const MemoryPlan& plan) {
  if (plan.input != InputKind::kResident) return plan.arena_bytes;
  const PlannedBuffer& input =
      plan.buffers[static_cast<size_t>(plan.buffer_of_tensor[static_cast<size_t>(network.graph.input)])];
  int64_t most = 0;
  for (int step = 0; step < static_cast<int>(plan.order.size()); ++step) {
    int64_t live = plan.order[static_cast<size_t>(step)].live_bytes;
    if (step <= input.last_step) {
      int64_t shared = 0;  // with the output that grows into it
      for (const PlannedBuffer& buffer : plan.buffers) {
        const bool grows =
            buffer.grows_into >= 0 && &plan.buffers[static_cast<size_t>(buffer.grows_into)] == &input;
        if (grows) shared = std::clamp<int64_t>(buffer.size_bytes - buffer.gap_bytes, 0, input.size_bytes);
      }
      live -= input.bytes_at(step) - shared;
    }
    most = std::max(most, live);
  }
  return most;
}

// Median and least.
std::pair<double, double> plan_us(const Network& network, const PlanOptions& options, int repeats) {
  std::vector<double> us;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    plan_memory(network.graph, options);
    us.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(us.begin(), us.end());
  return {us[us.size() / 2], us.front()};
}

nlohmann::json row_of(const Network& network, const PlanOptions& options, std::optional<int64_t> target_kib,
                      int repeats) {
  const MemoryPlan plan = plan_memory(network.graph, options);
  const auto [median_us, least_us] = plan_us(network, options, repeats);
  return {{"network", network.name},
          {"resolution", network.resolution},
          {"schedule", name_of(options.schedule)},
          {"input", name_of(options.input)},
          {"max_extra_macs",
           options.max_extra_macs >= kNoLimit ? nlohmann::json() : nlohmann::json(options.max_extra_macs)},
          {"arena_bytes", bytes_without_input(network, plan)},
          {"arena_with_input_bytes", plan.arena_bytes},
          {"input_bytes", plan.input_bytes},
          {"lower_bound_bytes", plan.lower_bound_bytes},
          {"extra_macs", fraction(network, plan.extra_macs)},
          {"segments", plan.segments.size()},
          {"operators", network.graph.ops.size()},
          {"target_bytes", target_kib ? nlohmann::json(*target_kib * 1024) : nlohmann::json()},
          {"plan_us", median_us},
          {"least_plan_us", least_us}};
}

std::vector<TradeOffPoint> stream_curve(const Network& network) {
  const PlanOptions options = plan_options(Schedule::kStream, InputKind::kReread, 0);
  const RowGraph rows(network.graph, planned_order(network.graph, options));
  ScheduleSearch search(network.graph, rows, options);
  std::vector<TradeOffPoint> points;
  for (const TradeOff& point : search.trade_off()) {
    const Partition partition = search.fewest_macs(point.bytes);
    const MemoryPlan plan = plan_segments(network.graph, options, partition.segments);
    // What is lost in packing may make a point worse than one before it.
    if (!points.empty() && plan.arena_bytes >= points.back().bytes) continue;
    points.push_back({plan.arena_bytes, fraction(network, plan.extra_macs)});
  }
  return points;
}

std::vector<TradeOffPoint> patch_curve(const Network& network) {
  std::vector<PatchPlan> plans =
      patch_plans(network.graph, plan_options(Schedule::kStream, InputKind::kReread, 0));
  std::sort(plans.begin(), plans.end(), [](const PatchPlan& a, const PatchPlan& b) {
    return a.extra_macs != b.extra_macs ? a.extra_macs < b.extra_macs : a.bytes < b.bytes;
  });
  std::vector<TradeOffPoint> points;
  for (const PatchPlan& plan : plans) {
    if (!points.empty() && plan.bytes >= points.back().bytes) continue;
    points.push_back({plan.bytes, fraction(network, plan.extra_macs)});
  }
  return points;
}

nlohmann::json points_json(const std::vector<TradeOffPoint>& points) {
  nlohmann::json json = nlohmann::json::array();
  for (const TradeOffPoint& point : points)
    json.push_back({{"arena_bytes", point.bytes}, {"extra_macs", point.extra_macs}});
  return json;
}

nlohmann::json patch_row(const Network& network, double max_extra_macs) {
  const std::vector<PatchPlan> plans =
      patch_plans(network.graph, plan_options(Schedule::kStream, InputKind::kReread, 0));
  const double limit = std::min(max_extra_macs, 1e6) * static_cast<double>(macs(network.graph));
  const PatchPlan best = best_patch_plan(plans, static_cast<int64_t>(limit));
  return {{"network", network.name},
          {"resolution", network.resolution},
          {"max_extra_macs", max_extra_macs >= kNoLimit ? nlohmann::json() : nlohmann::json(max_extra_macs)},
          {"split", best.split},
          {"patches", best.patches},
          {"bytes", best.bytes},
          {"extra_macs", fraction(network, best.extra_macs)}};
}

nlohmann::json run(const Options& options) {
  nlohmann::json report;
  report["rows"] = report["curves"] = report["patches"] = nlohmann::json::array();
  report["arena_bytes_note"] =
      "a resident input is left out; the ring of rows that stream in, residuals and scratch are counted";
  report["variant"] = name_of(PlanOptions().variant);
  std::vector<TradeOffPanel> panels;
  for (const Network& network : networks()) {
    const auto add = [&](Schedule schedule, InputKind input, double max_extra_macs,
                         std::optional<int64_t> target_kib) {
      report["rows"].push_back(
          row_of(network, plan_options(schedule, input, max_extra_macs), target_kib, options.repeats));
    };
    add(Schedule::kLayer, InputKind::kResident, 0, std::nullopt);
    add(Schedule::kStream, InputKind::kResident, 0, std::nullopt);
    add(Schedule::kStream, InputKind::kRows, 0, network.rows_target_kib);
    add(Schedule::kStream, InputKind::kReread, 0, std::nullopt);
    add(Schedule::kStream, InputKind::kReread, 0.2, network.reread_target_kib);
    add(Schedule::kStream, InputKind::kReread, kNoLimit, std::nullopt);
    for (const double limit : {0.1, 0.2, kNoLimit}) report["patches"].push_back(patch_row(network, limit));
    const auto& layer = report["rows"][report["rows"].size() - 6];
    TradeOffPanel panel{network.name + " r" + std::to_string(network.resolution),
                        layer["arena_bytes"].get<int64_t>(), stream_curve(network), patch_curve(network)};
    report["curves"].push_back({{"network", network.name},
                                {"resolution", network.resolution},
                                {"input", name_of(InputKind::kReread)},
                                {"stream", points_json(panel.stream)},
                                {"patches", points_json(panel.patches)}});
    panels.push_back(std::move(panel));
  }
  if (!options.figures.empty()) {
    const std::filesystem::path folder = options.figures;
    std::filesystem::create_directories(folder);
    write_file_atomic(folder / "schedules.csv", trade_off_csv(panels));
    write_file_atomic(folder / "schedules.svg", trade_off_svg(panels));
  }
  return report;
}

void print_table(const nlohmann::json& report) {
  std::printf("arena in KiB: %s; kernels %s\n\n", report["arena_bytes_note"].get<std::string>().c_str(),
              report["variant"].get<std::string>().c_str());
  std::printf("%-18s %5s %-7s %-9s %9s %10s %9s %11s %9s %9s %9s %9s\n", "network", "r", "sched", "input",
              "MACs to", "arena", "target", "with input", "extra", "segments", "us", "least us");
  for (const auto& row : report["rows"]) {
    const std::string limit =
        row["max_extra_macs"].is_null()
            ? "no limit"
            : "+" + std::to_string(static_cast<int>(100 * row["max_extra_macs"].get<double>())) + " %";
    const std::string target = row["target_bytes"].is_null()
                                   ? ""
                                   : "<= " + std::to_string(row["target_bytes"].get<int64_t>() / 1024);
    std::printf("%-18s %5d %-7s %-9s %9s %10.2f %9s %11.2f %8.1f%% %9d %9.0f %9.0f\n",
                row["network"].get<std::string>().c_str(), row["resolution"].get<int>(),
                row["schedule"].get<std::string>().c_str(), row["input"].get<std::string>().c_str(),
                limit.c_str(), kib(row["arena_bytes"].get<int64_t>()), target.c_str(),
                kib(row["arena_with_input_bytes"].get<int64_t>()), 100 * row["extra_macs"].get<double>(),
                row["segments"].get<int>(), row["plan_us"].get<double>(), row["least_plan_us"].get<double>());
  }
  std::printf("\npatches (MCUNetV2), reread input, analytic\n%-18s %9s %10s %9s %9s %9s\n", "network",
              "MACs to", "KiB", "extra", "patches", "split");
  for (const auto& row : report["patches"]) {
    const std::string limit =
        row["max_extra_macs"].is_null()
            ? "no limit"
            : "+" + std::to_string(static_cast<int>(100 * row["max_extra_macs"].get<double>())) + " %";
    const int patches = row["patches"].get<int>();
    std::printf("%-18s %9s %10.2f %8.1f%% %9s %9d\n", row["network"].get<std::string>().c_str(),
                limit.c_str(), kib(row["bytes"].get<int64_t>()), 100 * row["extra_macs"].get<double>(),
                (std::to_string(patches) + "x" + std::to_string(patches)).c_str(), row["split"].get<int>());
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("SRAM and extra MACs of streaming schedules, beside layer by layer and patches");
  Options options;
  app.add_flag("--json", options.json, "one JSON object on standard output");
  app.add_option("--repeats", options.repeats, "plans of which the median time counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--figures", options.figures,
                 "folder to write schedules.csv and schedules.svg to (docs/figures)");
  CLI11_PARSE(app, argc, argv);
  try {
    const nlohmann::json report = run(options);
    if (options.json)
      std::printf("%s\n", report.dump(2).c_str());
    else
      print_table(report);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
