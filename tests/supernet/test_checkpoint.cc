// supernet.safetensors: back and forth, names, metadata, and other people's readers.
#include <torch/torch.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <set>

#include "fixtures.h"
#include "supernet/weights.h"

using namespace tinynas;

namespace {

constexpr int kClasses = 5;

struct TemporaryFile {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("tinynas_supernet_" + std::to_string(::getpid()));
  ~TemporaryFile() { std::filesystem::remove(path); }
};

std::string output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> block{};
  for (size_t n; (n = std::fread(block.data(), 1, block.size(), pipe)) > 0;) text.append(block.data(), n);
  REQUIRE(::pclose(pipe) == 0);
  return text;
}

}  // namespace

TEST_CASE("a checkpoint comes back as it was, and another file is refused") {
  const SubSpace sub_space{1.0, 16};
  const TemporaryFile file;
  for (const SearchSpace& space : {small_space(), small_wide_space(), small_ds_space()}) {
    for (const bool maps : {false, true}) {
      Supernet supernet(space, sub_space, kClasses, 3);
      if (maps) supernet.impl().add_kernel_maps();
      supernet.save(file.path);
      const Supernet loaded = Supernet::load(file.path);
      CHECK(loaded.checkpoint_hash() == supernet.checkpoint_hash());
      CHECK(loaded.sub_space() == sub_space);
      CHECK(Supernet(space, sub_space, kClasses, 4).checkpoint_hash() != supernet.checkpoint_hash());
    }
  }
  save_safetensors(Safetensors{}, file.path);
  CHECK_THROWS_WITH(Supernet::load(file.path), Catch::Contains("metadata has no 'format'"));
  Safetensors old;
  old.metadata["format"] = "tinynas-supernet-1";
  save_safetensors(old, file.path);
  CHECK_THROWS_WITH(Supernet::load(file.path),
                    Catch::Contains(file.path.string()) && Catch::Contains("expected 'tinynas-supernet-2'"));
}

TEST_CASE("what a run says of itself stands in the file and changes no key") {
  const TemporaryFile file;
  const Supernet supernet(small_space(), {1.0, 16}, kClasses, 3);
  supernet.save(file.path, {{"config_hash", "abc"}});
  CHECK(load_safetensors(file.path).metadata.at("config_hash") == "abc");
  CHECK(Supernet::load(file.path).checkpoint_hash() == supernet.checkpoint_hash());
}

TEST_CASE("tensors have the names of torchvision's MobileNetV2") {
  // An inverted residual is features.N.conv: of its convolutions, 0.0 and 1.0 have an activation, 2 has none;
  // without an expansion 0.0 and 1. The batch norms are the modules after them.
  std::set<std::string> names;
  const Supernet supernet(small_space(), {1.0, 16}, kClasses, 3);
  for (const auto& [name, tensor] : supernet.impl().to_safetensors().tensors) names.insert(name);
  std::set<std::string> expected = {"classifier.1.weight", "classifier.1.bias"};
  const auto add = [&](const std::string& conv, const std::string& norm) {
    expected.insert({conv + ".weight", norm + ".weight", norm + ".bias"});
  };
  add("features.0.0", "features.0.1");
  add("features.1.conv.0.0", "features.1.conv.0.1");
  add("features.1.conv.1", "features.1.conv.2");
  for (int block = 2; block <= 7; ++block) {
    const std::string conv = "features." + std::to_string(block) + ".conv.";
    add(conv + "0.0", conv + "0.1");
    add(conv + "1.0", conv + "1.1");
    add(conv + "2", conv + "3");
  }
  add("features.8.0", "features.8.1");
  CHECK(names == expected);
}

TEST_CASE("a checkpoint loads in Python") {
  const TemporaryFile file;
  Supernet supernet(small_space(), {1.0, 16}, kClasses, 3);
  supernet.impl().add_kernel_maps();
  supernet.save(file.path, {{"config_hash", "abc"}});
  const nlohmann::json read =
      nlohmann::json::parse(output_of("python3 " TINYNAS_READ_SAFETENSORS " '" + file.path.string() + "'"));
  CHECK(read.at("metadata").at("config_hash") == "abc");
  CHECK(read.at("metadata").at("kernel_maps") == "learned");
  const Safetensors ours = supernet.impl().to_safetensors();
  REQUIRE(read.at("tensors").size() == ours.tensors.size());
  CHECK(ours.tensors.at("features.2.conv.1.0.7to5_matrix").shape == std::vector<int64_t>{25, 25});
  for (const auto& [name, tensor] : ours.tensors) {
    CAPTURE(name);
    CHECK(read.at("tensors").at(name).at("shape") == tensor.shape);
    double sum = 0;
    for (const float value : ours.floats(name, static_cast<int64_t>(tensor.bytes.size() / sizeof(float))))
      sum += value;
    CHECK(read.at("tensors").at(name).at("sum").get<double>() == Approx(sum).margin(1e-9));
  }
}
