#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>

#include "base/error.h"
#include "random_space.h"
#include "space/architecture.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

TEST_CASE("samples, children and extremes are members of the space, and survive their text") {
  Rng rng(11);
  for (int round = 0; round < 300; ++round) {
    const SearchSpace space = random_any_space(rng);
    const SubSpace sub_space = random_sub_space(space, rng);
    const Architecture a = sample(space, sub_space, rng);
    const Architecture b = sample(space, sub_space, rng);
    const Architecture mutant = mutate(space, a, rng.uniform(), rng);
    const Architecture child = crossover(space, a, b, rng);
    for (const Architecture& member :
         {a, b, mutant, child, largest(space, sub_space), smallest(space, sub_space)}) {
      CHECK_NOTHROW(validate(space, member));
      CHECK(decode(encode(member)) == member);
    }
  }
}

TEST_CASE("mutation redraws nothing at probability 0 and everything at 1") {
  Rng rng(12);
  int changed = 0;
  for (int round = 0; round < 200; ++round) {
    const SearchSpace space = random_any_space(rng);
    const Architecture parent = sample(space, random_sub_space(space, rng), rng);
    CHECK(mutate(space, parent, 0.0, rng) == parent);
    changed += mutate(space, parent, 1.0, rng) == parent ? 0 : 1;
  }
  CHECK(changed > 100);
}

TEST_CASE("crossover takes every gene from one of its parents") {
  Rng rng(13);
  for (int round = 0; round < 200; ++round) {
    const SearchSpace space = random_any_space(rng);
    const SubSpace sub_space = random_sub_space(space, rng);
    const Architecture a = sample(space, sub_space, rng);
    const Architecture b = sample(space, sub_space, rng);
    CHECK(crossover(space, a, a, rng) == a);
    const Architecture child = crossover(space, a, b, rng);
    for (size_t i = 0; i < child.stages.size(); ++i) {
      const auto& from_a = a.stages[i].blocks;
      const auto& from_b = b.stages[i].blocks;
      const auto& blocks = child.stages[i].blocks;
      CHECK((blocks.size() == from_a.size() || blocks.size() == from_b.size()));
      for (size_t j = 0; j < blocks.size(); ++j) {
        const bool kernel_of_a = j < from_a.size() && blocks[j].kernel == from_a[j].kernel;
        const bool kernel_of_b = j < from_b.size() && blocks[j].kernel == from_b[j].kernel;
        const auto same_size = [&](const BlockChoice& other) {
          return blocks[j].expansion == other.expansion && blocks[j].channels == other.channels;
        };
        CHECK((kernel_of_a || kernel_of_b));
        CHECK(((j < from_a.size() && same_size(from_a[j])) || (j < from_b.size() && same_size(from_b[j]))));
      }
    }
  }
  const SearchSpace space = random_space(rng);
  const Architecture a = sample(space, {0.5, 32}, rng);
  const Architecture b = sample(space, {0.25, 32}, rng);
  CHECK_THROWS_AS(crossover(space, a, b, rng), Error);
}

TEST_CASE("sampling draws every option of a dimension about equally often") {
  Rng rng(14);
  SearchSpace space = random_space(rng);
  space.stages = {{16, 1, {3, 5, 7}, {3, 4, 6}, {2, 3, 4}}};
  std::map<int, int> depths, kernels, expansions;
  for (int i = 0; i < 3000; ++i) {
    const Architecture a = sample(space, {0.5, 32}, rng);
    ++depths[static_cast<int>(a.stages[0].blocks.size())];
    ++kernels[a.stages[0].blocks[0].kernel];
    ++expansions[a.stages[0].blocks[0].expansion];
  }
  for (const auto* histogram : {&depths, &kernels, &expansions}) {
    CHECK(histogram->size() == 3);
    // 1000 expected, standard deviation 26.
    for (const auto& [value, count] : *histogram) CHECK(std::abs(count - 1000) < 130);
  }
}

TEST_CASE("elastic channels are drawn equally often from what the width leaves of their range") {
  Rng rng(17);
  SearchSpace space = random_ds_space(rng);
  space.divisor = 4;
  StageSpec stage{40, 1, {3}, {1}, {1}, 16, 4};
  space.stages = {stage};
  space.check();
  std::map<int, int> channels;
  for (int i = 0; i < 3500; ++i) ++channels[sample(space, {1.0, 32}, rng).stages[0].blocks[0].channels];
  CHECK(channels.size() == 7);
  CHECK(channels.begin()->first == 16);
  CHECK(channels.rbegin()->first == 40);
  // 500 expected, standard deviation 21.
  for (const auto& [value, count] : channels) {
    CHECK(value % 4 == 0);
    CHECK(std::abs(count - 500) < 105);
  }
  CHECK(smallest(space, {0.5, 32}).stages[0].blocks[0].channels == 8);
  CHECK(largest(space, {0.5, 32}).stages[0].blocks[0].channels == 20);
  CHECK(largest(space, {0.25, 32}).stages[0].blocks[0].channels == 12);  // 10, rounded to the step
}

TEST_CASE(
    "drawing into an architecture that was used before gives what sample gives, from the same numbers") {
  Rng rng(18);
  Architecture reused;
  for (int round = 0; round < 200; ++round) {
    const SearchSpace space = random_any_space(rng);
    const SubSpace sub_space = random_sub_space(space, rng);
    Rng twin = rng;
    sample_into(space, sub_space, rng, reused);
    CHECK(reused == sample(space, sub_space, twin));
    CHECK(rng.next() == twin.next());
  }
}

TEST_CASE("validate names the stage and the block") {
  Rng rng(15);
  SearchSpace space = random_space(rng);
  space.stages = {{16, 1, {3, 5}, {3, 4}, {2}}, {24, 2, {3, 5}, {3, 4}, {2}}};
  const Architecture good = sample(space, {0.5, 32}, rng);
  const auto message = [&](auto spoil) -> std::string {
    Architecture architecture = good;
    spoil(architecture);
    try {
      validate(space, architecture);
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
      return error.what();
    }
    return "accepted";
  };
  CHECK_THAT(message([](Architecture& a) { a.stages[1].blocks[0].kernel = 7; }),
             Contains("stage 1, block 0: kernel 7"));
  CHECK_THAT(message([](Architecture& a) { a.stages[0].blocks[1].expansion = 6; }),
             Contains("stage 0, block 1: expansion 6"));
  CHECK_THAT(message([](Architecture& a) { a.stages[0].blocks.pop_back(); }), Contains("stage 0: depth 1"));
  CHECK_THAT(message([](Architecture& a) { a.stages.pop_back(); }), Contains("1 stages"));
  CHECK_THAT(message([](Architecture& a) { a.sub_space.width = 0.51; }), Contains("width"));
  CHECK_THAT(message([](Architecture& a) { a.sub_space.resolution = 31; }), Contains("resolution 31"));
  CHECK_THAT(message([](Architecture& a) { a.stages[0].blocks[0].channels = 16; }),
             Contains("stage 0, block 0: channels 16"));
  CHECK_THAT(message([](Architecture& a) { a.stages[1].blocks.clear(); }), Contains("stage 1: depth 0"));
}

TEST_CASE("validate names channels that a DS block cannot have") {
  Rng rng(19);
  SearchSpace space = random_ds_space(rng);
  space.divisor = 4;
  space.stages = {{40, 1, {3}, {1}, {1}, 16, 4}};
  Architecture architecture = sample(space, {0.5, 32}, rng);
  for (const int channels : {0, 4, 24, 10, -8}) {
    architecture.stages[0].blocks[0].channels = channels;
    CHECK_THROWS_WITH(validate(space, architecture),
                      Contains("stage 0, block 0: channels " + std::to_string(channels)) &&
                          Contains("8 to 20 in steps of 4"));
  }
}

TEST_CASE("the text is the documented one") {
  const Architecture a{{0.5, 32}, {{{{3, 1}}}, {{{5, 4}, {3, 6}}}}};
  CHECK(encode(a) == "w0.50-r32:k3e1|k5e4,k3e6");
  CHECK(encode({{0.125, 96}, {{{{3, 1}}}}}) == "w0.125-r96:k3e1");
  CHECK(encode({{2, 96}, {{{{3, 1}}}}}) == "w2.00-r96:k3e1");
  const Architecture separable{{1, 49}, {{{{3, 1, 64}}}, {}, {{{5, 1, 96}, {3, 1, 128}}}}};
  CHECK(encode(separable) == "w1.00-r49:k3c64||k5c96,k3c128");
  CHECK(decode("w1.00-r49:k3c64||k5c96,k3c128") == separable);
  const Architecture elastic{{1, 48}, {{{{3, 4, 24}, {5, 1, 16}}}}};
  CHECK(encode(elastic) == "w1.00-r48:k3e4c24,k5c16");
  CHECK(decode("w1.00-r48:k3e4c24,k5c16") == elastic);
  CHECK_THROWS_AS(decode("w1.00-r48:k3e4c24,k5e1c16"), Error);
}

TEST_CASE("blocks of elastic width choose among the parts of the stage's channels, each once") {
  SearchSpace space;
  space.name = "elastic";
  space.stages = {{24, 2, {3}, {4}, {2}}, {16, 1, {3}, {4}, {1}}};
  for (StageSpec& stage : space.stages) stage.block_widths = {0.5, 0.75, 1};
  space.widths = {0.5, 1};
  space.resolutions = {48};
  space.check();
  CHECK(block_channels(space, space.stages[0], 1.0) == std::vector<int>{16, 24});  // 12 and 18 become 16
  CHECK(block_channels(space, space.stages[0], 0.5) == std::vector<int>{8, 16});
  CHECK(block_channels(space, space.stages[1], 1.0) == std::vector<int>{8, 16});
  std::map<std::string, int> drawn;
  Rng rng(5);
  for (int i = 0; i < 4000; ++i) ++drawn[encode(sample(space, {1.0, 48}, rng))];
  CHECK(drawn.size() == 8);
  for (const auto& [text, count] : drawn) CHECK(std::abs(count - 500) < 120);
  CHECK(encode(largest(space, {1.0, 48})) == "w1.00-r48:k3e4c24,k3e4c24|k3e4c16");
  CHECK(encode(smallest(space, {1.0, 48})) == "w1.00-r48:k3e4c16,k3e4c16|k3e4c8");
  CHECK_THROWS_WITH(validate(space, decode("w1.00-r48:k3e4c24,k3e4c20|k3e4c16")),
                    Contains("channels 20") && Contains("one of 16, 24"));
}

TEST_CASE("decode of mutated text throws Error or gives a value with that very text") {
  Rng rng(16);
  const std::string alphabet = "wkrec0123456789.-:,| \xff";
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = round % 2 == 0 ? "w0.50-r32:k3e1|k5e4,k3e6" : "w1.00-r49:k3c64||k5c96,k3c128";
    for (int64_t edits = 1 + rng.below(3); edits > 0 && !text.empty(); --edits) {
      const auto at = static_cast<size_t>(rng.below(static_cast<int64_t>(text.size())));
      const char letter = alphabet[static_cast<size_t>(rng.below(static_cast<int64_t>(alphabet.size())))];
      switch (rng.below(4)) {
        case 0:
          text[at] = letter;
          break;
        case 1:
          text.insert(at, 1, letter);
          break;
        case 2:
          text.erase(at, 1);
          break;
        default:
          text.resize(at);
          break;
      }
    }
    try {
      const Architecture architecture = decode(text);
      CHECK(encode(architecture) == text);  // canonical: one text for one architecture
      ++accepted;
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
    }
  }
  CHECK(accepted > 100);
}
