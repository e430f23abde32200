// Generated C against the interpreter on random networks: all packages in one program, under the sanitizers,
// each run in an arena of exactly the planned size from the heap, two instances at a time.
#include <array>
#include <catch2/catch.hpp>

#include "base/error.h"
#include "export/c_text.h"
#include "packages.h"
#include "quantize/interpreter.h"

using namespace tinynas;
using namespace tinynas::testing;
namespace fs = std::filesystem;

namespace {

constexpr int kPlainPackages = 40;
constexpr int kPackages = 56;  // those above have pads and reshapes too
constexpr int kInputs = 4;

struct Exported {
  std::string name;
  Int8Model model;
  std::vector<std::vector<int8_t>> inputs;
  int64_t arena_bytes = 0;
};

// One function a package: inputs come from a file and outputs go to another, for two instances in turn.
constexpr const char* kDriver = R"(
#include "@NAME@.h"
@HELPERS@
static int drive_@NAME@(FILE *in, FILE *out) {
  static int8_t image[2][@UPPER@_INPUT_BYTES];
  void *arena[2];
  int round, i;
  if (sizeof(@NAME@_arena_t) != @UPPER@_ARENA_BYTES || sizeof @NAME@_arena != @UPPER@_ARENA_BYTES) return 1;
  printf("%lu\n", (unsigned long)sizeof(@NAME@_arena_t));
  for (i = 0; i < 2; ++i) {
    arena[i] = malloc(@UPPER@_ARENA_BYTES);
    memset(arena[i], 0x7E + i, @UPPER@_ARENA_BYTES);
  }
  for (round = 0; round < @ROUNDS@; ++round) {
    if (fread(image, 1, sizeof image, in) != sizeof image) return 1;
@RUN@
    for (i = 0; i < 2; ++i) {
      if (fwrite(@NAME@_output(arena[i]), 1, @UPPER@_OUTPUT_BYTES, out) != @UPPER@_OUTPUT_BYTES) return 1;
    }
  }
  for (i = 0; i < 2; ++i) free(arena[i]);
  return 0;
}
)";

constexpr const char* kRunResident = R"(
    for (i = 0; i < 2; ++i) memcpy(@NAME@_input(arena[i]), image[i], sizeof image[i]);
    for (i = 1; i >= 0; --i) @NAME@_run(arena[i]);)";

// Rows that are asked for. Every one that the arena does not hold by then is overwritten in `image`, where
// the kind of input promises not to ask again.
constexpr const char* kReadRow = R"(
static @NAME@_status read_@NAME@(void *source, int32_t row, int32_t first_column, int32_t columns, int8_t *destination) {
  int8_t *image = (int8_t *)source + (row * @UPPER@_INPUT_WIDTH + first_column) * @UPPER@_INPUT_CHANNELS;
  memcpy(destination, image, (size_t)columns * @UPPER@_INPUT_CHANNELS);
  if (@ONCE@) memset(image, 0x55, (size_t)columns * @UPPER@_INPUT_CHANNELS);
  return @UPPER@_OK;
}
)";
constexpr const char* kPull = R"(
    for (i = 1; i >= 0; --i)
      if (@NAME@_run_rows(arena[i], read_@NAME@, image[i], NULL) != @UPPER@_OK) return 1;)";

// Two runs at once, whose rows take turns; the line that they were in is overwritten.
constexpr const char* kPushOrPull = R"(
    if (round % 2 == 0) {
      static int8_t line[@UPPER@_INPUT_ROW_BYTES];
      @NAME@_stream stream[2];
      int32_t row;
      for (i = 0; i < 2; ++i)
        if (@NAME@_begin(&stream[i], arena[i], NULL) != @UPPER@_OK) return 1;
      for (row = 0; row < @UPPER@_INPUT_HEIGHT; ++row) {
        for (i = 0; i < 2; ++i) {
          memcpy(line, image[i] + row * @UPPER@_INPUT_ROW_BYTES, sizeof line);
          if (@NAME@_push_row(&stream[i], row + 1, line) != @UPPER@_ROW_OUT_OF_ORDER) return 1;
          if (@NAME@_finish(&stream[i]) != @UPPER@_TOO_FEW_ROWS) return 1;
          if (@NAME@_push_row(&stream[i], row, line) != @UPPER@_OK) return 1;
          memset(line, 0x55, sizeof line);
        }
      }
      for (i = 0; i < 2; ++i) {
        if (@NAME@_push_row(&stream[i], row, line) != @UPPER@_TOO_MANY_ROWS) return 1;
        if (@NAME@_finish(&stream[i]) != @UPPER@_OK) return 1;
      }
    } else {@PULL@
    })";

bool can_plan(const Graph& graph, const PlanOptions& options) {
  try {
    (void)plan_memory(graph, options);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::string driver_of(const std::string& name, InputKind input) {
  std::string upper = name;
  upper[0] = 'G';
  std::map<std::string, std::string> values = {{"NAME", name},
                                               {"UPPER", upper},
                                               {"ONCE", input == InputKind::kRows ? "1" : "0"},
                                               {"ROUNDS", std::to_string(kInputs / 2)}};
  const bool resident = input == InputKind::kResident;
  values["HELPERS"] = resident ? "" : fill_template(kReadRow, values);
  values["PULL"] = fill_template(kPull, values);
  values["RUN"] = fill_template(resident                    ? kRunResident
                                : input == InputKind::kRows ? kPushOrPull
                                                            : kPull,
                                values);
  return fill_template(kDriver, values);
}

}  // namespace

TEST_CASE("generated C equals the interpreter bit for bit on random networks") {
  const TemporaryFolder folder;
  std::vector<Exported> exported;
  std::map<std::string, fs::path> sources;  // by file name: kernels are shared
  std::string main_text = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n";
  std::string calls;
  std::string input_bytes;
  std::vector<std::string> command = {"cc"};
  command.insert(command.end(), strict_c99_flags().begin(), strict_c99_flags().end());
  command.insert(command.end(), {"-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"});
  std::array<int, 3> kinds{};    // of inputs
  std::array<int, 2> growing{};  // into the input: on whole tensors, by rows
  Rng rng(2026);
  for (int i = 0; i < kPackages; ++i) {
    Exported e{"g" + std::to_string(i),
               random_model(1000 + static_cast<uint64_t>(i), /*pads_and_reshapes=*/i >= kPlainPackages),
               {},
               0};
    e.inputs = random_inputs(e.model, kInputs, rng);
    ExportOptions options;
    options.name = e.name;
    options.plan.in_place = i % 3 != 0;
    options.plan.alignment = 1 << (i % 4);
    // Planned for other instructions than this machine's: the portable code runs in their scratch.
    if (options.plan.alignment < 4) options.plan.variant = KernelVariant::kPortable;
    if (i % 2 == 1) {
      options.plan.schedule = Schedule::kStream;
      options.plan.alignment = i % 4 == 1 ? 4 : 8;
      options.plan.max_extra_macs = rng.pick(std::vector<double>{0, 0.3, 10});
      if (i % 8 == 3) options.plan.input = InputKind::kRows;
      if (i % 8 == 5 || i % 8 == 7) options.plan.input = InputKind::kReread;
    }
    options.golden_vectors = 1;
    // Some networks read their input again where no rows come any more.
    if (!can_plan(e.model.graph, options.plan)) options.plan.input = InputKind::kResident;
    ++kinds[static_cast<size_t>(options.plan.input)];
    const MemoryPlan plan = plan_memory(e.model.graph, options.plan);
    e.arena_bytes = plan.arena_bytes;
    for (const PlanSegment& segment : plan.segments) {
      const PlanStep& last = plan.order[static_cast<size_t>(segment.last_step)];
      const TensorId output = e.model.graph.ops[static_cast<size_t>(last.op)].output;
      const int buffer = plan.buffer_of_tensor[static_cast<size_t>(output)];
      if (segment.streamed && plan.buffers[static_cast<size_t>(buffer)].grows_into >= 0)
        ++growing[runs_by_rows(e.model.graph, plan, segment) ? 1 : 0];
    }
    const fs::path package = folder.path() / e.name;
    export_package(e.model, e.inputs, package, options);
    for (const fs::path& source : package_sources(package)) sources.insert({source.filename(), source});
    command.push_back("-I" + (package / "include").string());
    main_text += driver_of(e.name, options.plan.input);
    calls += "  if (drive_" + e.name + "(in, out) != 0) return 1;\n";
    for (const auto& input : e.inputs)
      input_bytes.append(reinterpret_cast<const char*>(input.data()), input.size());
    exported.push_back(std::move(e));
  }
  main_text +=
      "int main(int argc, char **argv) {\n  FILE *in = fopen(argv[argc - 2], \"rb\"), *out = fopen(argv[argc "
      "- 1], \"wb\");\n" +
      calls + "  fclose(in);\n  return fclose(out);\n}\n";
  int streamed = 0;
  int strips = 0;
  for (const auto& [file, path] : sources) {
    const std::string text = read_file(path);
    streamed += text.find("_rows_0(") != std::string::npos ? 1 : 0;
    strips += text.find("s->strip]") != std::string::npos ? 1 : 0;
  }
  CHECK(kinds[static_cast<size_t>(InputKind::kRows)] >= kPackages / 10);
  CHECK(kinds[static_cast<size_t>(InputKind::kReread)] >= kPackages / 6);
  CHECK(streamed >= kPackages / 4);
  CHECK(strips >= kPackages / 20);
  CHECK(growing[0] >= kPackages / 20);
  CHECK(growing[1] >= kPackages / 20);
  CHECK(sources.size() > 3 * kPackages);  // every kernel is exercised
  for (const char* kernel :
       {"tn_add.c", "tn_global_avg_pool.c", "tn_avg_pool.c", "tn_softmax.c", "tn_pad.c"}) {
    CAPTURE(kernel);
    CHECK(sources.count(kernel) == 1);
  }
  for (const char* instance : {"_conv2d, 0, ", "_conv2d_1x1, 1, ", "TN_DEPTHWISE(", "TN_DEPTHWISE_ANY(",
                               "TN_DEPTHWISE_ANY_IN_PLACE(", "TN_FULLY_CONNECTED("}) {
    CAPTURE(instance);
    CHECK(std::any_of(sources.begin(), sources.end(), [&](const auto& source) {
      return source.first.ends_with("_kernels.c") &&
             read_file(source.second).find(instance) != std::string::npos;
    }));
  }
  write_file_atomic(folder.path() / "main.c", main_text);
  write_file_atomic(folder.path() / "in", input_bytes);
  for (const auto& [name, path] : sources) command.push_back(path.string());
  const std::string program = (folder.path() / "main").string();
  command.insert(command.end(), {(folder.path() / "main.c").string(), "-o", program});
  run_compiler(command, "compiling all packages");
  const auto run = run_process({program, (folder.path() / "in").string(), (folder.path() / "out").string()});
  REQUIRE(run);
  INFO(run->output);
  REQUIRE(run->exit_code == 0);

  const std::string outputs = read_file(folder.path() / "out");
  std::istringstream sizes(run->output);
  size_t position = 0;
  for (const Exported& e : exported) {
    CAPTURE(e.name);
    int64_t compiled_arena_bytes = 0;
    sizes >> compiled_arena_bytes;
    CHECK(compiled_arena_bytes == e.arena_bytes);
    Interpreter interpreter(e.model);
    for (const auto& input : e.inputs) {
      const std::vector<int8_t>& expected = interpreter.run(input.data());
      REQUIRE(position + expected.size() <= outputs.size());
      const auto* got = reinterpret_cast<const int8_t*>(outputs.data()) + position;
      REQUIRE(std::vector<int8_t>(got, got + expected.size()) == expected);
      position += expected.size();
    }
  }
  CHECK(position == outputs.size());
}
