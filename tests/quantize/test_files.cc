#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "quantize/interpreter.h"
#include "support/random_graph.h"

using namespace tinynas;
using namespace tinynas::testing;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

struct TemporaryDirectory {
  fs::path path = fs::temp_directory_path() / ("tinynas_quantize" + std::to_string(::getpid()));
  TemporaryDirectory() { fs::create_directories(path); }
  ~TemporaryDirectory() { fs::remove_all(path); }
};

void overwrite(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// Replaces one random value anywhere inside `root` by something unexpected, or removes it.
void mutate(json& root, Rng& rng) {
  json* value = &root;
  json* parent = nullptr;
  std::string key;
  while (value->is_structured() && !value->empty() && (parent == nullptr || rng.chance(0.9))) {
    auto item = value->begin();
    std::advance(item, rng.below(static_cast<int64_t>(value->size())));
    parent = value;
    if (value->is_object()) key = item.key();
    value = &*item;
  }
  static const std::vector<json> kOdd = {nullptr,
                                         true,
                                         -1,
                                         0,
                                         1,
                                         2,
                                         127,
                                         1e300,
                                         -1e-300,
                                         4294967296,
                                         18446744073709551615u,
                                         "x",
                                         "",
                                         json::array(),
                                         json::object(),
                                         json::array({1, 2, 3}),
                                         65536,
                                         0.5};
  if (parent != nullptr && parent->is_object() && rng.chance(0.1)) {
    parent->erase(key);
  } else {
    *value = rng.pick(kOdd);
  }
}

// Loading gives a model or an Error(kData) that names `path`. Returns whether it was refused.
template <typename Load>
bool refused(const Load& load, const fs::path& path) {
  try {
    load(path);
    return false;
  } catch (const Error& error) {
    INFO(error.what());
    REQUIRE(error.code() == ExitCode::kData);
    REQUIRE_THAT(error.what(), Contains(path.string()));
    return true;
  }
}

}  // namespace

TEST_CASE("a saved int8 model computes the same bits") {
  const TemporaryDirectory directory;
  const fs::path path = directory.path / "model.int8.json";
  for (uint64_t seed = 0; seed < 20; ++seed) {
    INFO("seed " << seed);
    Rng rng(seed);
    Int8Model model = random_int8_model(random_graph(rng), rng);
    const int64_t outputs = model.graph.tensor(model.graph.output).shape.elements();
    for (int64_t i = 0; i < outputs; ++i) model.class_names.push_back("class \"" + std::to_string(i) + "\"");
    save_int8_model(model, path);
    const Int8Model loaded = load_int8_model(path);
    REQUIRE(loaded.class_names == model.class_names);
    for (size_t i = 0; i < model.tensors.size(); ++i) {
      REQUIRE(loaded.tensors[i].scale == model.tensors[i].scale);
      REQUIRE(loaded.tensors[i].zero_point == model.tensors[i].zero_point);
    }
    for (size_t i = 0; i < model.ops.size(); ++i) {
      REQUIRE(loaded.ops[i].weights == model.ops[i].weights);
      REQUIRE(loaded.ops[i].bias == model.ops[i].bias);
      REQUIRE(loaded.ops[i].weight_scales == model.ops[i].weight_scales);
    }
    const std::vector<int8_t> input = random_int8_input(model.graph, rng);
    Interpreter before(model);
    Interpreter after(loaded);
    REQUIRE(before.run(input.data()) == after.run(input.data()));
    const std::string text = read_file(path);
    save_int8_model(loaded, path);
    REQUIRE(read_file(path) == text);
  }
}

TEST_CASE("a saved float model computes the same bits") {
  const TemporaryDirectory directory;
  const fs::path path = directory.path / "model.safetensors";
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    FloatModel model = random_float_model(random_graph(rng), rng);
    model.class_names = {"cat", "dog"};
    save_float_model(model, path);
    const FloatModel loaded = load_float_model(path);
    REQUIRE(loaded.class_names == model.class_names);
    const std::vector<float> input = random_float_input(model.graph, rng);
    REQUIRE(run_float(loaded, input.data()) == run_float(model, input.data()));
  }
}

TEST_CASE("the two halves of an int8 model belong together") {
  const TemporaryDirectory directory;
  Rng rng(1);
  const Int8Model model = random_int8_model(random_graph(rng), rng);
  const fs::path path = directory.path / "model.int8.json";
  save_int8_model(model, path);
  const fs::path data = directory.path / "model.int8.bin";
  REQUIRE(fs::exists(data));
  std::string bytes = read_file(data);
  bytes[bytes.size() / 2] ^= 1;
  overwrite(data, bytes);
  CHECK_THROWS_WITH(load_int8_model(path), Contains(path.string()) && Contains(".bin"));
  fs::remove(data);
  CHECK_THROWS_WITH(load_int8_model(path), Contains(data.string()));
  CHECK_THROWS_WITH(load_int8_model(directory.path / "none.json"), Contains("none.json"));
}

TEST_CASE("fuzz: malformed model.int8.json is refused by name or harmless") {
  const TemporaryDirectory directory;
  const fs::path path = directory.path / "model.int8.json";
  Rng rng(11);
  int count = 0;
  for (int base = 0; base < 4; ++base) {
    save_int8_model(random_int8_model(random_graph(rng), rng), path);
    const std::string good = read_file(path);
    const json root = json::parse(good);
    for (int trial = 0; trial < 400; ++trial) {
      if (trial % 4 == 0) {  // bytes
        std::string text = good;
        text[static_cast<size_t>(rng.below(static_cast<int64_t>(text.size())))] =
            static_cast<char>(rng.below(256));
        if (rng.chance(0.2)) text.resize(static_cast<size_t>(rng.below(static_cast<int64_t>(text.size()))));
        overwrite(path, text);
      } else {  // values
        json changed = root;
        mutate(changed, rng);
        overwrite(path, changed.dump());
      }
      count += refused(load_int8_model, path);
    }
  }
  CHECK(count > 800);
}

TEST_CASE("fuzz: malformed model.safetensors is refused by name or harmless") {
  const TemporaryDirectory directory;
  const fs::path path = directory.path / "model.safetensors";
  Rng rng(12);
  save_float_model(random_float_model(random_graph(rng), rng), path);
  const std::string good = read_file(path);
  int count = 0;
  for (int trial = 0; trial < 600; ++trial) {
    std::string bytes = good;
    // Mostly the header, which holds the graph too.
    const size_t end = rng.chance(0.9) ? good.find("data_offsets") + 3000 : good.size();
    const auto at = static_cast<size_t>(rng.below(static_cast<int64_t>(std::min(end, good.size()))));
    bytes[at] = rng.chance(0.5) ? "0123456789-"[rng.below(11)] : static_cast<char>(rng.below(256));
    overwrite(path, bytes);
    count += refused(load_float_model, path);
  }
  CHECK(count > 200);
}
