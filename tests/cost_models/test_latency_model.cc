#include "cost_models/latency_model.h"

#include <catch2/catch.hpp>
#include <map>

#include "../graph/random_graph.h"
#include "../graph/reference_networks.h"
#include "base/error.h"
#include "cost_models/board.h"
#include "cost_models/costs.h"
#include "cost_models/measurements.h"
#include "graph/lower.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

namespace {

const Measurements& measurements() {
  static const Measurements loaded = load_measurements("configs/measurements");
  return loaded;
}

double predicted(const LinearFit& fit, const LatencyFeatures& features) {
  double total = 0;
  for (size_t i = 0; i < fit.coefficients.size(); ++i) total += fit.coefficients[i] * features.counts[i];
  return total;
}

struct NetworkCount {
  double macs = 0;
  double instructions = 0;
  double modelled = 0;
};

// Whole networks on the Cortex-M4, in instructions: counted, and by the fits to layers of their own.
std::map<std::string, NetworkCount> counted_networks() {
  Measurements instructions_only = measurements();
  instructions_only.cycles.clear();
  const KernelFits fits = fit_kernels(instructions_only, "cortex-m4", {});
  std::map<std::string, NetworkCount> networks;
  for (const CountedCall& call : load_counted_calls("configs/measurements/network_instructions.csv")) {
    NetworkCount& network = networks[call.network];
    network.macs += call.macs;
    network.instructions += call.instructions;
    network.modelled += predicted(fits.by_kernel[static_cast<size_t>(call.kernel)], call.features);
  }
  return networks;
}

LinearFit line_of(const std::map<std::string, NetworkCount>& networks, const std::string& backbone) {
  std::vector<std::vector<double>> features;
  std::vector<double> targets;
  for (const auto& [name, network] : networks) {
    if (name.rfind(backbone, 0) != 0) continue;
    features.push_back({network.macs, 1});
    targets.push_back(network.instructions);
  }
  return fit_nonnegative(features, targets, backbone);
}
}  // namespace

TEST_CASE("counted instructions of layers are fitted within a hundredth on every core") {
  std::map<std::string, int> layers;
  for (const CountedCall& call : measurements().layers) ++layers[call.core];
  for (const char* core :
       {"cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"}) {
    CAPTURE(core);
    CHECK(layers[core] >= 40);
    Measurements instructions_only = measurements();
    instructions_only.cycles.clear();
    const KernelFits fits = fit_kernels(instructions_only, core, {});
    CHECK(fits.core == core);
    CHECK(*fits.quality.r2 > 0.999);
    // Leave-one-out over every layer, among them maps of one row and of four by four, where the templates'
    // last pairs and blocks are half empty. The Cortex-M0+'s divisions are loops whose length depends on the
    // values.
    CHECK(*fits.quality.error_band < 0.01);
    CHECK(fits.quality.rows == layers[core]);
  }
}

TEST_CASE("whole networks that no fit has seen are predicted from layers") {
  const std::map<std::string, NetworkCount> networks = counted_networks();
  CHECK(networks.size() >= 20);
  double worst = 0;
  for (const auto& [name, network] : networks) {
    worst = std::max(worst, std::abs(network.modelled / network.instructions - 1));
  }
  WARN("the worst of " << networks.size() << " networks is predicted " << 100 * worst << " % off");
  CHECK(worst < 0.05);
}

TEST_CASE(
    "MicroNets' finding in our own counts: linear in MACs within a backbone, another slope in the other") {
  const std::map<std::string, NetworkCount> networks = counted_networks();
  const LinearFit mbconv = line_of(networks, "mbconv");
  const LinearFit dscnn = line_of(networks, "dscnn");
  const LinearFit all = line_of(networks, "");
  WARN("measured in QEMU, instructions per MAC: mbconv " << mbconv.coefficients[0] << " (r2 " << *mbconv.r2
                                                         << "), dscnn " << dscnn.coefficients[0] << " (r2 "
                                                         << *dscnn.r2 << "), together r2 " << *all.r2);
  CHECK(mbconv.rows >= 10);
  CHECK(dscnn.rows >= 10);
  CHECK(*mbconv.r2 > 0.95);
  CHECK(*dscnn.r2 > 0.95);
  // More than the fits' errors apart.
  CHECK(mbconv.coefficients[0] > dscnn.coefficients[0] * (1 + *mbconv.error_band() + *dscnn.error_band()));
  CHECK(*all.r2 < std::min(*mbconv.r2, *dscnn.r2));
}

TEST_CASE(
    "MicroNets' published latencies: linear in operations within a backbone, another slope in the other") {
  for (const char* board : {"stm32f746", "stm32f446"}) {
    CAPTURE(board);
    const std::vector<LinearFit> fits = fit_published(measurements().published, board);
    REQUIRE(fits.size() == 3);
    const LinearFit& mbconv = fits[static_cast<size_t>(Backbone::kMbconv)];
    const LinearFit& dscnn = fits[static_cast<size_t>(Backbone::kDscnn)];
    const LinearFit& all = fits[static_cast<size_t>(Backbone::kOther)];
    WARN(board << ", ns per MAC: mbconv " << 1e6 * mbconv.coefficients[0] << " (" << mbconv.rows
               << " rows, r2 " << (mbconv.r2 ? std::to_string(*mbconv.r2) : "not defined") << "), dscnn "
               << 1e6 * dscnn.coefficients[0] << " (" << dscnn.rows << " rows, r2 " << *dscnn.r2
               << "), together r2 " << *all.r2);
    if (mbconv.r2) CHECK(*mbconv.r2 > 0.95);
    CHECK(*dscnn.r2 > 0.95);
    CHECK(mbconv.coefficients[0] > 1.4 * dscnn.coefficients[0]);
    CHECK(*all.r2 < *dscnn.r2);
    CHECK(mbconv.rows + dscnn.rows == all.rows);
  }
  // The F746 has rows enough for both; the F446 has two of the inverted bottlenecks, which say nothing of an
  // error.
  CHECK(fit_published(measurements().published, "stm32f746")[0].r2.has_value());
  CHECK_FALSE(fit_published(measurements().published, "stm32f446")[0].error_band().has_value());
  CHECK(fit_published(measurements().published, "stm32h743").empty());
}

TEST_CASE("every operator adds latency, on every board and runtime") {
  const std::vector<Board> boards = load_boards("configs/boards");
  Rng rng(322);
  for (int round = 0; round < 20; ++round) {
    const Graph graph = random_graph(rng);
    for (const Board& board : boards) {
      for (const Runtime runtime : {Runtime::kTinynas, Runtime::kTflm}) {
        CostOptions options;
        options.board = &board;
        options.plan = PlanOptions::of(runtime);
        const CostReport costs = estimate(graph, options);
        const LatencyModel& model = *board.latency_model(runtime);
        double total = model.group_of(graph).fixed_ms;
        CHECK(total >= 0);
        const MemoryPlan plan = plan_memory(graph, options.plan);
        REQUIRE(plan.order.size() == costs.operators.size());
        for (size_t i = 0; i < plan.order.size(); ++i) {
          const OperatorCost& op = costs.operators[i];
          // Published and MAC models know nothing of operators without MACs; in place a reshape has no code.
          const bool no_code = plan.order[i].kernel == Kernel::kReshape;
          if ((model.basis != LatencyBasis::kPublished && !no_code) || op.macs > 0) CHECK(op.latency_ms > 0);
          total += op.latency_ms;
        }
        CHECK(*costs.latency_ms == Approx(total));
        CHECK(*costs.latency_basis == model.basis);
        CHECK(costs.latency_error_band == model.group_of(graph).quality.error_band);
        if (costs.energy_mj)
          CHECK(*costs.energy_mj == Approx(board.active_power_mw * *costs.latency_ms / 1e3));
      }
    }
  }
}

TEST_CASE("a longer network takes longer") {
  const Board board = load_board("configs/boards/nrf52840.yaml");
  CostOptions options;
  options.board = &board;
  ReferenceNetwork net = mobilenet_v2(0.5, 96, 1280);
  double before = *estimate(lower(net.space, net.architecture, 10), options).latency_ms;
  for (int depth = 3; depth < 7; ++depth) {
    net.space.stages[3].depths = {depth};
    net.architecture = largest(net.space, net.architecture.sub_space);
    const double now = *estimate(lower(net.space, net.architecture, 10), options).latency_ms;
    if (depth > static_cast<int>(3)) CHECK(now > before);
    before = now;
  }
}

TEST_CASE("networks are told apart by their backbone") {
  const ReferenceNetwork net = mobilenet_v2(0.35, 96, 1280);
  Graph graph = lower(net.space, net.architecture, 10);
  CHECK(backbone_of(graph) == Backbone::kMbconv);
  // With an activation after every pointwise convolution it is a depthwise-separable network.
  for (Op& op : graph.ops) {
    if (op.kind == OpKind::kConv2d) op.activation = Activation::kRelu6;
  }
  CHECK(backbone_of(graph) == Backbone::kDscnn);
  graph.ops.resize(1);
  CHECK(backbone_of(graph) == Backbone::kOther);
}

TEST_CASE("a core without published cycles is called uncalibrated, and so is one without counts") {
  const KernelFits m4 = fit_kernels(measurements(), "cortex-m4", {});
  CHECK(m4.cycles_known);
  CHECK(kernel_model(m4, Runtime::kTinynas, 1e8).basis == LatencyBasis::kKernelInstructions);
  CHECK_THAT(m4.source, Contains("100166"));
  // What Arm leaves open (pipeline refills of 1 to 3 cycles, loads that may not pipeline) is part of the
  // band.
  CHECK(*m4.quality.error_band > 0.05);
  // Our counts stand in for another runtime's kernels, and then nothing is known.
  const LatencyModel tflm = kernel_model(m4, Runtime::kTflm, 1e8);
  CHECK(tflm.basis == LatencyBasis::kUncalibrated);
  CHECK_FALSE(tflm.groups[0].quality.error_band.has_value());
  for (const char* core : {"cortex-m7", "cortex-m33", "cortex-m55", "xtensa-lx7"}) {
    CAPTURE(core);
    const LatencyModel model = kernel_model(fit_kernels(measurements(), core, {}), Runtime::kTinynas, 1e8);
    CHECK(model.basis == LatencyBasis::kUncalibrated);
    CHECK_FALSE(model.groups[0].quality.error_band.has_value());
    CHECK_THAT(model.describe(model.groups[0].quality), Contains("uncalibrated"));
  }
  CHECK(fit_kernels(measurements(), "xtensa-lx7", {}).core == "cortex-m3");
  // Cortex-M0+: the multiplier takes 1 or 32 cycles, as the chip's maker chose.
  CHECK(fit_kernels(measurements(), "cortex-m0plus", {"fast-multiply"}).cycles_known);
  CHECK_FALSE(fit_kernels(measurements(), "cortex-m0plus", {}).cycles_known);
}

TEST_CASE("measurements of a scaled and shifted model give the scale and the shift back") {
  const LatencyModel kernels =
      kernel_model(fit_kernels(measurements(), "cortex-m7", {}), Runtime::kTinynas, 216e6);
  std::vector<MeasuredLatency> rows;
  for (const double ms : {3.0, 10.0, 40.0, 55.0}) rows.push_back({"x", ms * 1e6, ms, 0.7 * ms + 2});
  LatencyModel model = measured_model(rows, kernels, Runtime::kTinynas, "mine.csv");
  CHECK(model.basis == LatencyBasis::kMeasured);
  CHECK(model.groups[0].fixed_ms == Approx(2));
  CHECK(model.groups[0].ms[1].counts[0] == Approx(0.7 * kernels.groups[0].ms[1].counts[0]));
  CHECK(*model.groups[0].quality.error_band < 1e-6);
  for (MeasuredLatency& row : rows) row.kernel_ms.reset();
  model = measured_model(rows, kernels, Runtime::kTinynas, "mine.csv");
  CHECK(model.groups[0].fixed_ms == Approx(2));
  CHECK(model.groups[0].ms[0].nominal_mac == Approx(0.7e-6));
  rows.resize(2);
  CHECK_THROWS_WITH(measured_model(rows, kernels, Runtime::kTinynas, "mine.csv"),
                    Contains("mine.csv") && Contains("at least 3"));
}
