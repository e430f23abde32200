#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/run.h"
#include "quantize/interpreter.h"

namespace tinynas {
namespace {

namespace fs = std::filesystem;

struct InferFlags {
  OutputFlags output;
  std::string model;
  std::string input;
  std::string output_file;
  std::string layers;
};

fs::path model_file(const fs::path& given) {
  if (fs::is_regular_file(given)) return given;
  const fs::path inside = given / "model.int8.json";
  if (fs::is_regular_file(inside)) return inside;
  throw usage_error(given.string() + ": expected a run directory with model.int8.json, or such a file");
}

std::string as_bytes(const std::vector<int8_t>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size()};
}

// "007-stage1.block0.project.bin": in the order of computation; "000-" is the input.
void write_layers(const Int8Model& model, const Interpreter& interpreter, const fs::path& directory) {
  std::vector<TensorId> order = {model.graph.input};
  for (const Op& op : model.graph.ops) order.push_back(op.output);
  fs::create_directories(directory);
  for (size_t i = 0; i < order.size(); ++i) {
    const std::string name = i == 0 ? "input" : model.graph.ops[i - 1].name;
    write_file_atomic(directory / fmt::format("{:03}-{}.bin", i, name),
                      as_bytes(interpreter.tensor(order[i])));
  }
}

void infer(const InferFlags& flags) {
  flags.output.apply();
  const Int8Model model = load_int8_model(model_file(flags.model));
  const auto input_bytes = static_cast<size_t>(model.graph.tensor(model.graph.input).bytes());
  const std::string input = read_file(flags.input);
  if (input.empty() || input.size() % input_bytes != 0) {
    throw data_error(fmt::format("{}: got {} bytes, expected a multiple of {} (int8 NHWC, pixel - 128)",
                                 flags.input, input.size(), input_bytes));
  }
  const size_t images = input.size() / input_bytes;
  if (!flags.layers.empty() && images != 1)
    throw usage_error(fmt::format("--layers: got {} images in {}, expected 1", images, flags.input));
  Interpreter interpreter(model);
  std::string output;
  nlohmann::json classes = nlohmann::json::array();
  for (size_t i = 0; i < images; ++i) {
    check_interrupt();
    const std::vector<int8_t>& logits =
        interpreter.run(reinterpret_cast<const int8_t*>(input.data()) + i * input_bytes);
    output += as_bytes(logits);
    classes.push_back(argmax(logits));
  }
  if (!flags.layers.empty()) write_layers(model, interpreter, flags.layers);
  write_file_atomic(flags.output_file, output);
  if (flags.output.json) {
    std::cout << nlohmann::json{{"images", images}, {"classes", classes}, {"output", flags.output_file}}.dump(
                     1)
              << std::endl;
    return;
  }
  for (size_t i = 0; i < images; ++i) {
    const auto label = classes[i].get<size_t>();
    std::cout << fmt::format("{}: class {}{}\n", i, label,
                             label < model.class_names.size() ? " " + model.class_names[label] : "");
  }
}

}  // namespace

void add_infer_command(CLI::App& app, Action& action) {
  const auto flags = std::make_shared<InferFlags>();
  CLI::App* command = app.add_subcommand(
      "infer", "Raw int8 tensors through the integer interpreter, the reference of the firmware");
  command->footer(
      "Examples:\n"
      "  tinynas infer runs/mine --input image.bin --output logits.bin\n"
      "  tinynas infer runs/mine --input image.bin --output logits.bin --layers layers/");
  command->add_option("model", flags->model, "run directory, or a model.int8.json")
      ->required()
      ->type_name("RUN");
  command->add_option("--input", flags->input, "int8 NHWC tensors, one after another (pixel - 128)")
      ->required()
      ->type_name("FILE");
  command->add_option("--output", flags->output_file, "int8 logits, one tensor an input")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--layers", flags->layers, "writes every intermediate tensor of one input to this folder")
      ->type_name("DIR");
  flags->output.add(*command);
  command->callback([&action, flags] { action = [flags] { infer(*flags); }; });
}

}  // namespace tinynas
