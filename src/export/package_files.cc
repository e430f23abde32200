#include "export/package_files.h"

#include <cstdio>

#include "base/sha256.h"
#include "cost_models/package_bounds.h"
#include "export/assets.h"
#include "export/c_stream.h"
#include "export/c_text.h"
#include "export/package_input.h"
#include "export/package_report.h"
#include "runtime/tn_kernels.h"

namespace tinynas {
namespace {

using Files = std::map<std::string, std::string>;
using Values = std::map<std::string, std::string>;

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

std::string classes_declaration(const PackageSource& source) {
  const std::vector<std::string>& names = source.model.class_names;
  if (names.empty()) return "";
  const std::string& name = source.options.name;
  std::string text =
      "\n/* Names of the classes, by output index; linked only when used (src/" + name + "_classes.c). */\n";
  text += "#define " + upper_case(name) + "_CLASS_COUNT " + std::to_string(names.size()) + "\n";
  return text + "extern const char *const " + name + "_class_names[" + upper_case(name) + "_CLASS_COUNT];\n";
}

// The body of execute() in model.c.
void put_calls(const PackageSource& source, Values& values) {
  const bool resident = source.plan.input == InputKind::kResident;
  std::string calls;
  for (const COperator& op : source.operators)
    if (const std::string text = c_constants(source.model, source.options.name, op); !text.empty())
      values["CONSTANTS"] += text + "\n";
  for (size_t number = 0; number < source.plan.segments.size(); ++number) {
    const PlanSegment& segment = source.plan.segments[number];
    if (runs_by_rows(source.model.graph, source.plan, segment)) {
      values["CONSTANTS"] +=
          c_segment(source.options.name, source.model.graph, source.plan, source.operators, number) + "\n";
      if (number > 0 || resident) {
        calls += "  segment_" + std::to_string(number) +
                 (resident ? "(arena, input, output" : "(arena, output") + " HOOK);\n";
      }
      continue;
    }
    for (int step = segment.first_step; step <= segment.last_step; ++step) {
      calls += "  LAYER(" + std::to_string(step) + ")\n  " +
               c_call(source.model.graph, source.plan, source.operators[static_cast<size_t>(step)]) + "\n";
    }
  }
  values["CALLS"] = calls;
  const Graph& graph = source.model.graph;
  values["UNUSED"] = "";
  if (calls.find("arena") == std::string::npos) values["UNUSED"] += "  (void)arena;\n";
  if (resident && !input_can_be_outside(graph, source.plan)) values["UNUSED"] += "  (void)input;\n";
  if (calls.find("output") == std::string::npos) values["UNUSED"] += "  (void)output;\n";
}

// What the card says beside the figures: facts of the training, which the caller knows.
void put_card(const PackageSource& source, Values& values) {
  const ModelFacts& facts = source.options.facts;
  const std::vector<std::string>& names = source.model.class_names;
  values["CARD_ROWS"] = "";
  for (const auto& [what, value] : facts.rows) values["CARD_ROWS"] += "| " + what + " | " + value + " |\n";
  values["CARD_CLASSES"] = names.empty() ? "No names were given." : "";
  for (size_t i = 0; i < names.size(); ++i) {
    values["CARD_CLASSES"] +=
        std::to_string(i) + ". " + c_comment(names[i]) + (i + 1 < names.size() ? "\n" : "");
  }
  values["CARD_MISSING"] =
      facts.rows.empty()
          ? "Data set and accuracy were not known at the export: ask whoever trained the model."
          : "Nothing was measured on groups of people, on shifted data or on attacks.";
  values["DATA_LICENCE"] =
      facts.data_licence.empty() ? "the export was not told which data it was." : facts.data_licence;
}

// data/batch.h normalises a pixel to (pixel - 128) / 64: with that scale and zero point q is pixel - 128.
bool takes_pixels(const PackageSource& source) {
  const QuantParams& input = source.model.tensors[static_cast<size_t>(source.model.graph.input)];
  return source.options.facts.trained_here && input.scale == 1.0f / 64 && input.zero_point == 0;
}

// What input and output mean. Of a model that came from elsewhere the file does not tell.
void put_notes(const PackageSource& source, bool pixels, Values& values) {
  const bool trained_here = source.options.facts.trained_here;
  const bool softmax = source.model.graph.ops.back().kind == OpKind::kSoftmax;
  values["INPUT_NOTE"] = pixels ? "For 8-bit pixels of an image of this size: q = pixel - 128."
                                : "q = round(real / scale) + zero_point, clamped to int8.";
  if (!trained_here) {
    values["INPUT_NOTE"] +=
        " How the inputs of the training were prepared is not known here: ask whoever trained the model.";
  }
  values["RESIZE_NOTE"] = pixels ? "  Images of another size have to be resized first; training used an "
                                   "antialiased bilinear (triangle) "
                                   "filter, and a similar\n  one serves best.\n"
                                 : "";
  values["OUTPUT_NOTE"] =
      softmax        ? "The values of a softmax: the larger, the likelier by the model's own measure."
      : trained_here ? "One logit a class: the largest one is the answer, ties go to the lowest index."
                     : "What the values stand for is not known here: ask whoever trained the model.";
  values["CARD_LIMITS"] = source.options.facts.rows.empty()
                              ? ""
                              : "- Accuracy figures hold for inputs like those of the data set named above, "
                                "prepared as above; a camera, a "
                                "light or a crop that differs is another data set.\n";
  if (trained_here) {
    values["CARD_LIMITS"] +=
        "- Outputs are logits, not calibrated probabilities. There is no class for \"none of these\" unless "
        "the list "
        "has one.\n";
  }
}

Values template_values(const PackageSource& source, size_t golden_count) {
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
                   {"BOUNDS_HOLD_FOR", kBoundsHoldFor},
                   {"KERNELS", name_of(source.options.plan.variant)},
                   {"KERNELS_CORES", cores_of(source.options.plan.variant)},
                   {"CODE_BYTES", std::to_string(source.costs.flash.code_bytes)},
                   {"INPUT_DIRECT", input_can_be_outside(graph, source.plan) ? "1" : "0"},
                   {"OUTPUT_DIRECT", output_can_be_outside(graph, source.plan) ? "1" : "0"},
                   {"LAYER_COUNT", std::to_string(source.operators.size())},
                   {"MACS", std::to_string(source.costs.macs)},
                   {"PARAMS", std::to_string(source.costs.params)},
                   {"CLASS_COUNT", std::to_string(source.model.class_names.size())},
                   {"CLASSES", classes_declaration(source)}};
  const QuantParams& input = source.model.tensors[static_cast<size_t>(graph.input)];
  put_shape("INPUT", graph.tensor(graph.input).shape, input, values);
  put_shape("OUTPUT", graph.tensor(graph.output).shape,
            source.model.tensors[static_cast<size_t>(graph.output)], values);
  const bool pixels = takes_pixels(source);
  put_notes(source, pixels, values);
  values["INPUT_EXAMPLE"] = pixels ? values["UPPER"] + "_INPUT_FROM_PIXEL(pixel[i])" : "quantised[i]";
  values["INPUT_ROW_SOURCE"] = pixels ? "uint8_t *pixel" : "int8_t *quantised";
  values["PIXEL_MACRO"] =
      pixels ? "#define " + values["UPPER"] +
                   "_INPUT_FROM_PIXEL(pixel) ((int8_t)((int32_t)(pixel) - 128)) /* 0..255 */\n"
             : "";
  put_calls(source, values);
  put_card(source, values);
  put_input(source, values);
  return values;
}

// The two files of an array table: `header` gets the declaration, `body` the definition.
void write_table(const CTable& table, const std::string& section, std::string& header, std::string& body) {
  const bool words = !table.words.empty();
  const size_t count = words ? table.words.size() : table.bytes.size();
  header += std::string("extern const ") + (words ? "int32_t " : "int8_t ") + table.name + "[" +
            std::to_string(count) + "];\n";
  body += section + " " + (words ? c_array(table.name, table.words) : c_array(table.name, table.bytes));
}

void write_weights(const PackageSource& source, Files& files) {
  const std::string& name = source.options.name;
  const std::string guard = upper_case(name) + "_WEIGHTS_H";
  std::string header =
      "#ifndef " + guard + "\n#define " + guard + "\n\n#include \"../include/" + name + ".h\"\n\n";
  std::string body = "/* Generated by tinynas " TINYNAS_VERSION ". */\n#include \"" + name + "_weights.h\"\n";
  for (const COperator& op : source.operators) {
    if (!op.op->has_weights()) continue;
    body += "\n/* " + c_comment(op.op->name) + " */\n";
    for (const CTable& table : c_tables(source.model, name, op)) {
      write_table(table, upper_case(name) + "_WEIGHTS_SECTION", header, body);
    }
  }
  files["src/" + name + "_weights.h"] = header + "\n#endif /* " + guard + " */\n";
  files["src/" + name + "_weights.c"] = body;
}

std::string name_table(const PackageSource& source, const std::string& symbol, const std::string& count,
                       const std::vector<std::string>& texts) {
  const std::string& name = source.options.name;
  std::string text =
      "/* Generated by tinynas " TINYNAS_VERSION ". */\n#include \"../include/" + name + ".h\"\n\n";
  text += "const char *const " + name + "_" + symbol + "[" + upper_case(name) + "_" + count + "] = {\n";
  for (const std::string& entry : texts) text += "    " + c_string(entry) + ",\n";
  return text + "};\n";
}

void write_names(const PackageSource& source, Files& files) {
  const std::string prefix = "src/" + source.options.name;
  const std::vector<std::string>& classes = source.model.class_names;
  if (!classes.empty())
    files[prefix + "_classes.c"] = name_table(source, "class_names", "CLASS_COUNT", classes);
  std::vector<std::string> layers;
  for (const COperator& op : source.operators) layers.push_back(op.op->name);
  files[prefix + "_layers.c"] = name_table(source, "layer_names", "LAYER_COUNT", layers);
}

void write_golden(const PackageSource& source, const std::vector<GoldenVector>& golden, Files& files) {
  const std::string& name = source.options.name;
  const std::string upper = upper_case(name);
  const std::string count = upper + "_GOLDEN_COUNT";
  const Graph& graph = source.model.graph;
  const std::string inputs = "const int8_t " + name + "_golden_inputs[" + count + "][" +
                             std::to_string(graph.tensor(graph.input).shape.elements()) + "]";
  const std::string outputs = "const int8_t " + name + "_golden_outputs[" + count + "][" +
                              std::to_string(graph.tensor(graph.output).shape.elements()) + "]";
  files["test/" + name + "_golden.h"] =
      "/* Inputs and what the reference interpreter computes from them. */\n#ifndef " + upper +
      "_GOLDEN_H\n#define " + upper + "_GOLDEN_H\n\n#include <stdint.h>\n\n" + "#define " + count + " " +
      std::to_string(golden.size()) + "\nextern " + inputs + ";\nextern " + outputs +
      ";\n\n/* How many checks fail, 0 when all is well. `arena`: as for " + name + "_init(). */\nint32_t " +
      name + "_self_test(void *arena);\n\n#endif /* " + upper + "_GOLDEN_H */\n";
  std::string body =
      "/* Generated by tinynas " TINYNAS_VERSION ". */\n#include \"" + name + "_golden.h\"\n\n";
  body += inputs + " = {\n";
  for (const GoldenVector& vector : golden) body += "  {\n" + c_numbers(vector.input) + "  },\n";
  body += "};\n\n" + outputs + " = {\n";
  for (const GoldenVector& vector : golden) body += "  {\n" + c_numbers(vector.output) + "  },\n";
  files["test/" + name + "_golden.c"] = body + "};\n";
}

// The same as raw bytes, for programs: `tinynas infer` takes and gives this.
void write_golden_bytes(const PackageSource& source, const std::vector<GoldenVector>& golden, Files& files) {
  const std::string prefix = "test/" + source.options.name + "_golden_";
  const auto append = [](std::string& bytes, const std::vector<int8_t>& values) {
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size());
  };
  for (const GoldenVector& vector : golden) {
    append(files[prefix + "inputs.bin"], vector.input);
    append(files[prefix + "outputs.bin"], vector.output);
  }
}

void copy_kernels(const PackageSource& source, Files& files) {
  for (const std::string& file : runtime_files(source.operators))
    files["src/kernels/" + file] = asset("runtime/" + file);
  const std::string& name = source.options.name;
  files["src/" + name + "_kernels.c"] = "/* Generated by tinynas " TINYNAS_VERSION
                                        ": the kernels that this network needs, with their constants. */\n"
                                        "#include \"" +
                                        name +
                                        "_kernels.h\"\n\n"
                                        "#include \"kernels/tn_instances.h\"\n\n" +
                                        c_instances(source.operators);
  const std::string guard = upper_case(name) + "_KERNELS_H";
  files["src/" + name + "_kernels.h"] =
      "#ifndef " + guard + "\n#define " + guard +
      "\n\n/* What the plan has scratch for; without these instructions the " +
      "next lower variant is built. */\n#define TN_PLANNED_VARIANT " +
      std::to_string(static_cast<int>(source.options.plan.variant)) + " /* " +
      name_of(source.options.plan.variant) + " */\n#include \"kernels/tn_kernels.h\"\n\n" +
      c_instance_declarations(source.operators) + "\n#endif /* " + guard + " */\n";
}

void write_build_files(Values values, Files& files) {
  std::vector<std::string> sources;
  for (const auto& [path, content] : files) {
    if (path.starts_with("src/") && path.ends_with(".c")) sources.push_back(path);
  }
  values["SOURCES"] = "  " + join(sources, "\n  ");
  values["MAKE_SOURCES"] = join(sources, " \\\n          ");
  for (const char* file : {"CMakeLists.txt", "Makefile", "README.md", "zephyr/module.yml", "zephyr/Kconfig",
                           "zephyr/CMakeLists.txt"}) {
    files[file] = fill_template(asset(std::string("export/templates/") + file), values);
  }
}

}  // namespace

std::map<std::string, std::string> package_files(const Int8Model& model,
                                                 const std::vector<GoldenVector>& golden,
                                                 const ExportOptions& options) {
  PackageSource source{model, options, plan_memory(model.graph, options.plan), {}, {}};
  CostOptions cost_options;
  cost_options.plan = options.plan;
  cost_options.per_operator = false;
  source.operators = c_operators(options.name, model, source.plan, options.plan.variant);
  cost_options.linked_twice = linked_twice(source.operators);
  source.costs = estimate(model.graph, source.plan, cost_options);

  const std::string& name = options.name;
  Values values = template_values(source, golden.size());
  const auto filled = [&](const char* file) {
    return fill_template(asset(std::string("export/templates/") + file), values);
  };
  const bool resident = options.plan.input == InputKind::kResident;
  Files files;
  files["src/" + name + ".c"] = filled("model.c");
  write_weights(source, files);
  values["MODEL_SHA256"] = sha256_hex(files["src/" + name + ".c"] + files["src/" + name + "_weights.c"]);
  files["include/" + name + ".h"] = filled("model.h");
  files["src/" + name + "_arena.c"] = filled("arena.c");
  files["src/" + name + "_info.c"] = filled("info.c");
  files["test/" + name + "_self_test.c"] = filled(resident ? "self_test.c" : "rows/self_test.c");
  files["test/main.c"] = filled("test_main.c");
  files["example/main.c"] = filled(resident ? "example_main.c" : "rows/example_main.c");
  files["model_card.md"] = filled("model_card.md");
  files["LICENSES"] = filled("licenses_head.txt") + asset("../LICENSE");
  write_names(source, files);
  write_golden(source, golden, files);
  write_golden_bytes(source, golden, files);
  copy_kernels(source, files);
  write_build_files(values, files);
  files.insert(options.extra_files.begin(), options.extra_files.end());
  files["report.json"] =
      report_json(source, values.at("MODEL_SHA256"), golden.size()).dump(2, ' ', false, kReplaceBadText) +
      "\n";
  std::string sums;
  for (const auto& [path, content] : files) sums += sha256_hex(content) + "  " + path + "\n";
  files["MANIFEST.sha256"] = sums;
  return files;
}

}  // namespace tinynas
