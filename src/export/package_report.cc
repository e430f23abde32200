#include "export/package_report.h"

#include "cost_models/package_bounds.h"
#include "export/c_text.h"
#include "runtime/tn_kernels.h"

namespace tinynas {
namespace {

nlohmann::json shape_json(const Shape& shape) { return {shape.h, shape.w, shape.c}; }

nlohmann::json tensor_json(const PackageSource& source, TensorId id) {
  const QuantParams& params = source.model.tensors[static_cast<size_t>(id)];
  return {{"offset_bytes", source.plan.offset_of(id)},
          {"shape", shape_json(source.model.graph.tensor(id).shape)},
          {"dtype", "int8"},
          {"scale", params.scale},
          {"zero_point", params.zero_point}};
}

// How the input is delivered: resident, or the ring that its rows go through.
nlohmann::json input_json(const PackageSource& source) {
  nlohmann::json json = tensor_json(source, source.model.graph.input);
  json["delivery"] = name_of(source.plan.input);
  json["arena_bytes"] = source.plan.input_bytes;
  const int buffer = source.plan.buffer_of_tensor[static_cast<size_t>(source.model.graph.input)];
  const int rows = source.plan.buffers[static_cast<size_t>(buffer)].ring_rows;
  if (rows > 0) json["ring_rows"] = rows;
  if (source.plan.input == InputKind::kReread) json["strips"] = source.plan.segments[0].strips;
  if (source.plan.input == InputKind::kRows) json["stream_bytes"] = source.costs.sram.persistent_bytes;
  return json;
}

nlohmann::json operators_json(const PackageSource& source) {
  const Graph& graph = source.model.graph;
  nlohmann::json list = nlohmann::json::array();
  for (const COperator& c : source.operators) {
    int64_t weights = 0;
    int64_t tables = 0;
    for (const CTable& table : c_tables(source.model, source.options.name, c)) {
      (table.is_weights ? weights : tables) +=
          static_cast<int64_t>(table.bytes.size() + 4 * table.words.size());
    }
    nlohmann::json inputs = nlohmann::json::array();
    for (const TensorId id : c.op->inputs) inputs.push_back(graph.tensor(id).name);
    list.push_back({{"name", c.op->name},
                    {"kind", name_of(c.op->kind)},
                    {"kernel", name_of(c.step->kernel)},
                    {"inputs", std::move(inputs)},
                    {"output", graph.tensor(c.op->output).name},
                    {"output_shape", shape_json(graph.tensor(c.op->output).shape)},
                    {"in_place", c.step->in_place},
                    {"scratch_bytes", c.step->scratch_bytes},
                    {"live_bytes", c.step->live_bytes},
                    {"macs", macs(graph, *c.op)},
                    {"weights_bytes", weights},
                    {"tables_bytes", tables}});
    // Slower than the other form of its kernel; where that is linked too, the package has the code twice.
    if (!c.plain) list.back()["general_requantisation"] = c.why_general;
  }
  return list;
}

nlohmann::json buffers_json(const PackageSource& source) {
  nlohmann::json list = nlohmann::json::array();
  const Graph& graph = source.model.graph;
  for (size_t i = 0; i < source.plan.buffers.size(); ++i) {
    const PlannedBuffer& buffer = source.plan.buffers[i];
    nlohmann::json tensors = nlohmann::json::array();
    for (const TensorId id : tensors_of_buffer(graph, source.plan, static_cast<int>(i)))
      tensors.push_back(graph.tensor(id).name);
    list.push_back({{"name", buffer_name(graph, source.plan, buffer)},
                    {"offset_bytes", buffer.offset_bytes},
                    {"size_bytes", buffer.size_bytes},
                    {"first_step", buffer.first_step},
                    {"last_step", buffer.last_step},
                    {"tensors", std::move(tensors)}});
  }
  return list;
}

// What the package was planned with; read_manifest() plans it again.
nlohmann::json plan_json(const PlanOptions& options) {
  nlohmann::json json = {{"in_place", options.in_place},
                         {"alignment", options.alignment},
                         {"variant", name_of(options.variant)},
                         {"schedule", name_of(options.schedule)},
                         {"input", name_of(options.input)},
                         {"objective", name_of(options.objective)},
                         {"max_extra_macs", options.max_extra_macs},
                         {"sram_limit_bytes", nullptr}};
  if (options.sram_limit_bytes) json["sram_limit_bytes"] = *options.sram_limit_bytes;
  return json;
}

nlohmann::json segments_json(const MemoryPlan& plan) {
  nlohmann::json list = nlohmann::json::array();
  for (const PlanSegment& segment : plan.segments) {
    list.push_back({{"first_step", segment.first_step},
                    {"last_step", segment.last_step},
                    {"schedule", segment.streamed ? "stream" : "layer"},
                    {"strips", segment.strips},
                    {"extra_macs", segment.extra_macs}});
  }
  return list;
}

}  // namespace

nlohmann::json report_json(const PackageSource& source, const std::string& model_sha256,
                           size_t golden_count) {
  const Graph& graph = source.model.graph;
  const MemoryPlan& plan = source.plan;
  nlohmann::json facts = nlohmann::json::object();
  for (const auto& [what, value] : source.options.facts.rows) facts[what] = value;
  return {{"format", "tinynas-package-2"},
          {"model_sha256", model_sha256},
          {"facts", std::move(facts)},
          {"name", source.options.name},
          {"tinynas_version", TINYNAS_VERSION},
          {"plan_version", kPlanVersion},
          {"kernels_version", TN_KERNELS_VERSION},
          {"arithmetic", "tflite-int8-double-rounding"},
          {"plan", plan_json(source.options.plan)},
          {"segments", segments_json(plan)},
          {"arena",
           {{"bytes", plan.arena_bytes},
            {"excl_input_bytes", plan.arena_excl_input_bytes},
            {"buffers", buffers_json(source)}}},
          {"input", input_json(source)},
          {"output", tensor_json(source, graph.output)},
          {"flash",
           {{"weights_bytes", source.costs.flash.weights_bytes},
            {"tables_bytes", source.costs.flash.tables_bytes},
            {"code_bytes_at_most", source.costs.flash.code_bytes}}},
          {"stack_bytes_at_most", source.costs.sram.stack_bytes},
          {"bounds_hold_for", kBoundsHoldFor},
          {"golden_vectors", golden_count},
          {"macs", source.costs.macs},
          {"params", source.costs.params},
          {"class_names", source.model.class_names},
          {"operators", operators_json(source)}};
}

}  // namespace tinynas
