#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/model_file.h"
#include "quantize/interpreter.h"

namespace tinynas {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostInputBytes = 1024 * kMebibyte;  // give more in several calls

struct InferFlags {
  OutputFlags output;
  std::string model;
  std::string input;
  std::string output_file;
  std::string layers;
};

std::string as_bytes(const std::vector<int8_t>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size()};
}

std::string shape_text(const Graph& graph) {
  const Shape& shape = graph.tensor(graph.input).shape;
  return fmt::format("{}x{}x{}", shape.h, shape.w, shape.c);
}

// "007-stage1.block0.project.bin": in the order of computation; "000-" is the input.
void write_layers(const Int8Model& model, const Interpreter& interpreter, const fs::path& directory) {
  std::vector<TensorId> order = {model.graph.input};
  for (const Op& op : model.graph.ops) order.push_back(op.output);
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw io_error(directory.string() + ": cannot be created: " + error.message());
  for (size_t i = 0; i < order.size(); ++i) {
    std::string name = i == 0 ? "input" : model.graph.ops[i - 1].name;
    std::replace(name.begin(), name.end(), '/', '_');  // other tools' names have slashes
    write_file_atomic(directory / fmt::format("{:03}-{}.bin", i, name),
                      as_bytes(interpreter.tensor(order[i])));
  }
}

// Before the work: where nothing can be written.
void check_outputs(const InferFlags& flags) {
  if (flags.output_file.empty()) throw usage_error("--output: got '', expected a file to write");
  if (fs::is_directory(flags.output_file))
    throw usage_error("--output: '" + flags.output_file + "' is a folder, expected a file to write");
  std::error_code not_there;  // a file that does not exist is no other file
  for (const std::string& read : {flags.input, flags.model}) {
    if (fs::equivalent(read, flags.output_file, not_there))
      throw usage_error("--output: '" + flags.output_file + "' is what is read, expected another file");
  }
  if (!flags.layers.empty() && fs::exists(flags.layers) && !fs::is_directory(flags.layers))
    throw usage_error("--layers: '" + flags.layers + "' is a file, expected a folder to write to");
}

void infer(const InferFlags& flags) {
  flags.output.apply();
  check_outputs(flags);
  const ModelFile loaded = load_model(flags.model);
  const Int8Model& model = loaded.model;
  for (const std::string& note : loaded.notes) spdlog::info("{}", note);
  const auto input_bytes = static_cast<size_t>(model.graph.tensor(model.graph.input).bytes());
  const std::string input = read_given_file(flags.input, kMostInputBytes);
  if (input.empty() || input.size() % input_bytes != 0) {
    throw data_error(fmt::format("{}: got {} bytes, expected a multiple of {} ({}, int8 NHWC)", flags.input,
                                 input.size(), input_bytes, shape_text(model.graph)));
  }
  const size_t images = input.size() / input_bytes;
  Interpreter interpreter(model);
  std::string output;
  nlohmann::json classes = nlohmann::json::array();
  for (size_t i = 0; i < images; ++i) {
    check_interrupt();
    const std::vector<int8_t>& logits =
        interpreter.run(reinterpret_cast<const int8_t*>(input.data()) + i * input_bytes);
    output += as_bytes(logits);
    classes.push_back(argmax(logits));
    if (flags.layers.empty()) continue;
    const fs::path folder = flags.layers;
    write_layers(model, interpreter, images == 1 ? folder : folder / fmt::format("{:05}", i));
  }
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
      "  tinynas infer runs/mine --input image.bin --output logits.bin --layers layers/\n"
      "  tinynas infer person.tflite --input images.bin --output scores.bin --json");
  command->add_option("model", flags->model, "run directory, package, .tflite file or model.int8.json")
      ->required()
      ->type_name("RUN");
  command
      ->add_option("--input", flags->input,
                   "int8 NHWC tensors, one after another (of 8-bit pixels: pixel - 128)")
      ->required()
      ->type_name("FILE");
  command->add_option("--output", flags->output_file, "int8 logits, one tensor an input")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--layers", flags->layers,
                   "writes every intermediate tensor to this folder; of several inputs, to a folder each")
      ->type_name("DIR");
  flags->output.add(*command);
  command->callback([&action, flags] { action = [flags] { infer(*flags); }; });
}

}  // namespace tinynas
