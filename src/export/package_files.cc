#include "export/package_files.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "base/hash.h"
#include "export/assets.h"
#include "export/c_operators.h"
#include "export/c_text.h"
#include "runtime/tn_kernels.h"

namespace tinynas {
namespace {

using Files = std::map<std::string, std::string>;
using Values = std::map<std::string, std::string>;

// Everything the writers below read.
struct Source {
  const Int8Model& model;
  const ExportOptions& options;
  MemoryPlan plan;
  CostReport costs;
  std::vector<COperator> operators;
};

const QuantParams& quant_params(const Source& source, TensorId id) {
  return source.model.tensors[static_cast<size_t>(id)];
}

std::string shortest(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", static_cast<double>(value));
  return text;
}

// C99's unsigned type of that size; ExportOptions::check() admits no other alignment.
std::string align_type(int alignment) { return "uint" + std::to_string(8 * alignment) + "_t"; }

void put_shape(const std::string& prefix, const Shape& shape, const QuantParams& params, Values& values) {
  values[prefix + "_H"] = std::to_string(shape.h);
  values[prefix + "_W"] = std::to_string(shape.w);
  values[prefix + "_C"] = std::to_string(shape.c);
  values[prefix + "_BYTES"] = std::to_string(shape.elements());
  values[prefix + "_SCALE"] = c_float(params.scale);
  values[prefix + "_SCALE_TEXT"] = shortest(params.scale);
  values[prefix + "_ZERO_POINT"] = std::to_string(params.zero_point);
}

std::string classes_declaration(const Source& source) {
  const std::vector<std::string>& names = source.model.class_names;
  if (names.empty()) return "";
  const std::string& name = source.options.name;
  std::string text =
      "\n/* Names of the classes, by output index; linked only when used (src/" + name + "_classes.c). */\n";
  text += "#define " + upper_case(name) + "_CLASS_COUNT " + std::to_string(names.size()) + "\n";
  return text + "extern const char *const " + name + "_class_names[" + upper_case(name) + "_CLASS_COUNT];\n";
}

Values template_values(const Source& source, size_t golden_count) {
  const Graph& graph = source.model.graph;
  const std::string& name = source.options.name;
  Values values = {{"", "@"},  // "@@" is one "@"
                   {"NAME", name},
                   {"UPPER", upper_case(name)},
                   {"VERSION", TINYNAS_VERSION},
                   {"KERNELS_VERSION", std::to_string(TN_KERNELS_VERSION)},
                   {"ARENA_BYTES", std::to_string(source.plan.arena_bytes)},
                   {"ALIGNMENT", std::to_string(source.options.plan.alignment)},
                   {"ALIGN_TYPE", align_type(source.options.plan.alignment)},
                   {"INPUT_OFFSET", std::to_string(source.plan.offset_of(graph.input))},
                   {"OUTPUT_OFFSET", std::to_string(source.plan.offset_of(graph.output))},
                   {"GOLDEN_COUNT", std::to_string(golden_count)},
                   {"STACK_BYTES", std::to_string(source.costs.sram.stack_bytes)},
                   {"WEIGHTS_BYTES", std::to_string(source.costs.flash.weights_bytes)},
                   {"TABLES_BYTES", std::to_string(source.costs.flash.tables_bytes)},
                   {"CODE_BYTES", std::to_string(source.costs.flash.code_bytes)},
                   {"CLASSES", classes_declaration(source)}};
  const QuantParams& input = quant_params(source, graph.input);
  put_shape("INPUT", graph.tensor(graph.input).shape, input, values);
  put_shape("OUTPUT", graph.tensor(graph.output).shape, quant_params(source, graph.output), values);
  // data/batch.h normalises a pixel to (pixel - 128) / 64: with that scale and zero point q is pixel - 128.
  const bool pixels = input.scale == 1.0f / 64 && input.zero_point == 0;
  values["INPUT_NOTE"] = pixels ? "For 8-bit pixels of an image of this size: q = pixel - 128."
                                : "q = round(real / scale) + zero_point, clamped to int8.";
  values["INPUT_EXAMPLE"] = pixels ? "(int8_t)(pixel[i] - 128)" : "quantised[i]";
  for (const COperator& op : source.operators) {
    values["CONSTANTS"] += c_constants(source.model, name, op) + "\n";
    values["CALLS"] += "  " + c_call(graph, source.plan, op) + "\n";
  }
  return values;
}

// The two files of an array table: `header` gets the declaration, `body` the definition.
void write_table(const CTable& table, std::string& header, std::string& body) {
  const bool words = !table.words.empty();
  const size_t count = words ? table.words.size() : table.bytes.size();
  header += std::string("extern const ") + (words ? "int32_t " : "int8_t ") + table.name + "[" +
            std::to_string(count) + "];\n";
  body += words ? c_array(table.name, table.words) : c_array(table.name, table.bytes);
}

void write_weights(const Source& source, Files& files) {
  const std::string& name = source.options.name;
  const std::string guard = upper_case(name) + "_WEIGHTS_H";
  std::string header = "#ifndef " + guard + "\n#define " + guard + "\n\n#include <stdint.h>\n\n";
  std::string body = "/* Generated by tinynas " TINYNAS_VERSION ". */\n#include \"" + name + "_weights.h\"\n";
  for (const COperator& op : source.operators) {
    if (!op.op->has_weights()) continue;
    body += "\n/* " + c_comment(op.op->name) + " */\n";
    for (const CTable& table : c_tables(source.model, name, op)) write_table(table, header, body);
  }
  files["src/" + name + "_weights.h"] = header + "\n#endif /* " + guard + " */\n";
  files["src/" + name + "_weights.c"] = body;
}

void write_classes(const Source& source, Files& files) {
  const std::string& name = source.options.name;
  if (source.model.class_names.empty()) return;
  std::string text =
      "/* Generated by tinynas " TINYNAS_VERSION ". */\n#include \"../include/" + name + ".h\"\n\n";
  text += "const char *const " + name + "_class_names[" + upper_case(name) + "_CLASS_COUNT] = {\n";
  for (const std::string& label : source.model.class_names) text += "    " + c_string(label) + ",\n";
  files["src/" + name + "_classes.c"] = text + "};\n";
}

void write_golden(const Source& source, const std::vector<GoldenVector>& golden, Files& files) {
  const std::string& name = source.options.name;
  const std::string upper = upper_case(name);
  const std::string count = upper + "_GOLDEN_COUNT";
  const Graph& graph = source.model.graph;
  const std::string inputs = "const int8_t " + name + "_golden_inputs[" + count + "][" +
                             std::to_string(graph.tensor(graph.input).shape.elements()) + "]";
  const std::string outputs = "const int8_t " + name + "_golden_outputs[" + count + "][" +
                              std::to_string(graph.tensor(graph.output).shape.elements()) + "]";
  files["golden/" + name + "_golden.h"] =
      "/* Inputs and what the reference interpreter computes from them. */\n#ifndef " + upper +
      "_GOLDEN_H\n#define " + upper + "_GOLDEN_H\n\n#include <stdint.h>\n\n" + "#define " + count + " " +
      std::to_string(golden.size()) + "\nextern " + inputs + ";\nextern " + outputs + ";\n\n#endif /* " +
      upper + "_GOLDEN_H */\n";
  std::string body =
      "/* Generated by tinynas " TINYNAS_VERSION ". */\n#include \"" + name + "_golden.h\"\n\n";
  body += inputs + " = {\n";
  for (const GoldenVector& vector : golden) body += "  {\n" + c_numbers(vector.input) + "  },\n";
  body += "};\n\n" + outputs + " = {\n";
  for (const GoldenVector& vector : golden) body += "  {\n" + c_numbers(vector.output) + "  },\n";
  files["golden/" + name + "_golden.c"] = body + "};\n";
}

void copy_kernels(const Source& source, Files& files) {
  for (const std::string& file : runtime_files(source.operators))
    files["kernels/" + file] = asset("runtime/" + file);
  const std::string& name = source.options.name;
  files["src/" + name + "_kernels.c"] = "/* Generated by tinynas " TINYNAS_VERSION
                                        ": the kernels that this network needs, with their constants. */\n"
                                        "#include \"" +
                                        name +
                                        "_kernels.h\"\n\n"
                                        "#include \"../kernels/tn_instances.h\"\n\n" +
                                        c_instances(source.operators);
  const std::string guard = upper_case(name) + "_KERNELS_H";
  files["src/" + name + "_kernels.h"] =
      "#ifndef " + guard + "\n#define " + guard +
      "\n\n/* What the plan has scratch for; without these instructions the " +
      "next lower variant is built. */\n#define TN_PLANNED_VARIANT " +
      std::to_string(static_cast<int>(source.options.plan.variant)) + " /* " +
      name_of(source.options.plan.variant) + " */\n#include \"../kernels/tn_kernels.h\"\n\n" +
      c_instance_declarations(source.operators) + "\n#endif /* " + guard + " */\n";
}

void write_build_files(Values values, Files& files) {
  std::vector<std::string> sources;
  for (const auto& [path, content] : files) {
    const bool library = path.starts_with("src/") || path.starts_with("kernels/");
    if (library && path.ends_with(".c")) sources.push_back(path);
  }
  values["SOURCES"] = "  " + join(sources, "\n  ");
  values["MAKE_SOURCES"] = join(sources, " \\\n          ");
  for (const char* file : {"CMakeLists.txt", "Makefile", "README.md"}) {
    files[file] = fill_template(asset(std::string("export/templates/") + file), values);
  }
}

nlohmann::json shape_json(const Shape& shape) { return {shape.h, shape.w, shape.c}; }

nlohmann::json tensor_json(const Source& source, TensorId id) {
  const QuantParams& params = quant_params(source, id);
  return {{"offset_bytes", source.plan.offset_of(id)},
          {"shape", shape_json(source.model.graph.tensor(id).shape)},
          {"dtype", "int8"},
          {"scale", params.scale},
          {"zero_point", params.zero_point}};
}

nlohmann::json operators_json(const Source& source) {
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
  }
  return list;
}

nlohmann::json buffers_json(const Source& source) {
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

std::string manifest(const Source& source, const Files& files) {
  const Graph& graph = source.model.graph;
  const MemoryPlan& plan = source.plan;
  nlohmann::json hashes = nlohmann::json::object();
  for (const auto& [path, content] : files) hashes[path] = hash_hex(content);
  const nlohmann::json json = {{"format", "tinynas-package-1"},
                               {"name", source.options.name},
                               {"tinynas_version", TINYNAS_VERSION},
                               {"plan_version", kPlanVersion},
                               {"kernels_version", TN_KERNELS_VERSION},
                               {"arithmetic", "tflite-int8-double-rounding"},
                               {"plan",
                                {{"in_place", source.options.plan.in_place},
                                 {"alignment", source.options.plan.alignment},
                                 {"variant", name_of(source.options.plan.variant)}}},
                               {"arena",
                                {{"bytes", plan.arena_bytes},
                                 {"excl_input_bytes", plan.arena_excl_input_bytes},
                                 {"buffers", buffers_json(source)}}},
                               {"input", tensor_json(source, graph.input)},
                               {"output", tensor_json(source, graph.output)},
                               {"flash",
                                {{"weights_bytes", source.costs.flash.weights_bytes},
                                 {"tables_bytes", source.costs.flash.tables_bytes}}},
                               {"macs", source.costs.macs},
                               {"params", source.costs.params},
                               {"class_names", source.model.class_names},
                               {"operators", operators_json(source)},
                               {"hash", "xxh3-128"},
                               {"files", std::move(hashes)}};
  // Class names may come from folder names in any encoding.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

std::map<std::string, std::string> package_files(const Int8Model& model,
                                                 const std::vector<GoldenVector>& golden,
                                                 const ExportOptions& options) {
  Source source{model, options, plan_memory(model.graph, options.plan), {}, {}};
  CostOptions cost_options;
  cost_options.plan = options.plan;
  cost_options.per_operator = false;
  source.costs = estimate(model.graph, source.plan, cost_options);
  source.operators = c_operators(options.name, model, source.plan);

  const std::string& name = options.name;
  const Values values = template_values(source, golden.size());
  const auto filled = [&](const char* file) {
    return fill_template(asset(std::string("export/templates/") + file), values);
  };
  Files files;
  files["include/" + name + ".h"] = filled("model.h");
  files["src/" + name + ".c"] = filled("model.c");
  files["src/" + name + "_arena.c"] = filled("arena.c");
  files["test/golden_main.c"] = filled("golden_main.c");
  write_weights(source, files);
  write_classes(source, files);
  write_golden(source, golden, files);
  copy_kernels(source, files);
  write_build_files(values, files);
  files.insert(options.extra_files.begin(), options.extra_files.end());
  files["manifest.json"] = manifest(source, files);
  return files;
}

}  // namespace tinynas
