// configs/imagenet.yaml on a fixture in ImageNet's folder layout: a few small pictures of three classes.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/rng.h"
#include "data/fixtures.h"
#include "process.h"

using namespace tinynas;
namespace fs = std::filesystem;

namespace {

// Pictures of many sizes, each class of a colour of its own, as photographs would be: JPEG, upper-case
// extension.
void write_part(const fs::path& part, int pictures, uint64_t seed) {
  const std::vector<std::string> classes = {"n01440764", "n01443537", "n01484850"};
  Rng rng(seed);
  for (size_t c = 0; c < classes.size(); ++c) {
    for (int i = 0; i < pictures; ++i) {
      const int width = 60 + static_cast<int>(rng.below(40)), height = 50 + static_cast<int>(rng.below(40));
      std::vector<uint8_t> pixels;
      for (int p = 0; p < width * height; ++p) {
        for (size_t channel = 0; channel < 3; ++channel)
          pixels.push_back(static_cast<uint8_t>((channel == c ? 150 : 60) + rng.below(60)));
      }
      const std::string name = classes[c] + "_" + std::to_string(i) + ".JPEG";
      fixtures::write(part / classes[c] / name, fixtures::jpeg(pixels.data(), width, height, 3, 90));
    }
  }
}

}  // namespace

TEST_CASE("configs/imagenet.yaml searches the 108 sub-spaces on ImageNet's folders") {
  const fixtures::TemporaryFolder scratch;
  const fs::path data = scratch.path() / "imagenet", run = scratch.path() / "run";
  write_part(data / "train", 12, 1);
  write_part(data / "val", 4, 2);
  const Outcome outcome = run_tinynas({"search",
                                       "--sram",
                                       "320k",
                                       "--flash",
                                       "1M",
                                       "--config",
                                       "configs/imagenet.yaml",
                                       "--data",
                                       data.string(),
                                       "--effort",
                                       "smoke",
                                       "--seed",
                                       "1",
                                       "--out",
                                       run.string(),
                                       "--json",
                                       "--set",
                                       "data.val_fraction=0.25",
                                       "--set",
                                       "space_optimisation.samples=20",
                                       "--set",
                                       "train.steps=4",
                                       "--set",
                                       "train.batch_size=8",
                                       "--set",
                                       "finetune.steps=4",
                                       "--set",
                                       "finetune.batch_size=8",
                                       "--set",
                                       "search.generations=1",
                                       "--set",
                                       "recalibration.batches=1",
                                       "--set",
                                       "verify.images=2",
                                       "--set",
                                       "export.golden_vectors=1"},
                                      scratch.path());
  INFO(outcome.log);
  REQUIRE(outcome.code == 0);
  const nlohmann::json space = nlohmann::json::parse(read_file(run / "space.json"));
  CHECK(space.at("space").at("widths").size() * space.at("space").at("resolutions").size() == 108);
  CHECK(space.at("num_classes") == 3);
  const nlohmann::json result = nlohmann::json::parse(read_file(run / "result.json"));
  CHECK(result.at("sram").at("total").get<int64_t>() <= 320 * 1024);
  CHECK(result.at("flash").at("total").get<int64_t>() <= 1024 * 1024);
  CHECK(result.at("accuracy").contains("int8"));
}
