// Architecture: the genotype, one choice for every elastic dimension of a space.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/rng.h"
#include "space/space.h"

namespace tinynas {

struct BlockChoice {
  int kernel = 3;
  int expansion = 1;  // DS: 1
  int channels = 0;   // output channels, after the width multiplier; 0 where they are the stage's (MBConv
                      // without elastic widths)
  bool operator==(const BlockChoice&) const = default;
};

// blocks.size() is the stage's depth: a skipped block has no genes, so equal networks have equal genotypes. A
// stage that is skipped (DS) has none.
struct StageChoice {
  std::vector<BlockChoice> blocks;
  bool operator==(const StageChoice&) const = default;
};

struct Architecture {
  SubSpace sub_space;
  std::vector<StageChoice> stages;
  bool operator==(const Architecture&) const = default;
};

// All of these return members of the space (validate() passes).
Architecture sample(const SearchSpace& space, const SubSpace& sub_space,
                    Rng& rng);  // every dimension uniform
// The same into `architecture`, whose memory is used again: for loops that draw many.
void sample_into(const SearchSpace& space, const SubSpace& sub_space, Rng& rng, Architecture& architecture);
Architecture largest(const SearchSpace& space,
                     const SubSpace& sub_space);  // largest kernel, expansion, depth, channels
Architecture smallest(const SearchSpace& space, const SubSpace& sub_space);
// Each gene (depth, kernel, expansion and channels) is redrawn with `probability`; a block that a new depth
// adds is sampled.
Architecture mutate(const SearchSpace& space, const Architecture& parent, double probability, Rng& rng);
// Uniform crossover gene by gene; both parents must be of the same sub-space.
Architecture crossover(const SearchSpace& space, const Architecture& a, const Architecture& b, Rng& rng);

// Throws Error(kUsage) naming the stage and block that is not in the space.
void validate(const SearchSpace& space, const Architecture& architecture);

// Short canonical text, for keys and logs: "w0.50-r32:k3e1|k5e4,k3e6|..."; DS blocks "k3c64", a skipped stage
// is empty ("k3c64||k5c96"); MBConv blocks of elastic width "k3e4c24", of expansion 1 "k3c24".
// decode(encode(a)) == a.
std::string encode(const Architecture& architecture);
Architecture decode(const std::string& text);

// arch.json: {"format": "tinynas-arch-1", "space": {...}, "width": W, "resolution": R, "num_classes": N,
//             "stages": [{"blocks": [{"kernel": k, "expansion": e}, ...]}, ...]}; DS blocks {"kernel": k,
//             "channels": c}, MBConv blocks of elastic width have all three.
// The space travels with it, so that the file alone describes the network. What a space of square images and
// MBConv blocks does not need ("block", "columns", rows and columns of the stem) is not written, so that
// files and keys of such spaces stay what they were.
nlohmann::json to_json(const SearchSpace& space);
nlohmann::json to_json(const SubSpace& sub_space);  // {"width", "resolution"}
SearchSpace space_from_json(const nlohmann::json& json, const std::string& where);
nlohmann::json to_json(const SearchSpace& space, const Architecture& architecture, int num_classes);
struct ArchitectureFile {
  SearchSpace space;
  Architecture architecture;
  int num_classes = 0;
};
// `where` names the file in errors, which name the path inside the JSON.
ArchitectureFile architecture_from_json(const nlohmann::json& json, const std::string& where);

}  // namespace tinynas
