// One sub-space for several boards: what one supernet is trained in that has to serve all of them.
#pragma once

#include <string>
#include <vector>

#include "search/space_optimisation.h"

namespace tinynas {

// What a board has of the shared sub-space.
struct BoardShare {
  std::string board;
  SubSpace own;              // what the board would have chosen alone
  double own_mean_macs = 0;  // mean MACs of its fitting networks there
  SubSpaceReport shared;     // of the shared sub-space, under the board's limits

  // Mean MACs in the shared sub-space over those of its own: 1 = nothing lost.
  double share() const { return own_mean_macs > 0 ? shared.mean_macs / own_mean_macs : 0.0; }
};

struct SharedSubSpace {
  SubSpace sub_space;
  bool eligible = false;      // on every board
  double least_share = 0;     // of all boards
  double least_fraction = 0;  // of samples that fit, of all boards
};

struct SharedSpace {
  // By rank: those eligible on every board by least_share, largest first; then those where something fits on
  // every board by least_fraction. Ties: larger resolution, then larger width. Others are left out.
  std::vector<SharedSubSpace> sub_spaces;
  SubSpace chosen;
  std::vector<SubSpace> top;                    // up to three that hold different networks, `chosen` first
  std::vector<std::vector<BoardShare>> boards;  // in each of `top`, in the order of the constraints
  bool memory_binds = false;                    // on any board in any of `top`
  std::string warning;  // about `chosen`, for people; empty when there is nothing to warn of

  // What the boards have of `sub_space`, which is one of `top`.
  const std::vector<BoardShare>& boards_in(const SubSpace& sub_space) const;
};

// Each board judges the same samples by its own cost model and limits (space_optimisation.h); the sub-space
// is chosen in which the board that loses most keeps most: the largest least share
// (docs/decisions/0025-predictors-boards-and-ranks.md). `names` go with `constraints`, which are of one
// space. Throws Error(kNothingFits) naming the board for which nothing fits at all, or all boards' own
// choices where no sub-space has a network for each of them.
SharedSpace optimise_shared_space(const std::vector<std::string>& names,
                                  const std::vector<Constraint>& constraints,
                                  const SpaceOptimisationOptions& options);

// A random architecture that fits one of the boards, each drawn equally often: what the shared supernet is
// trained on. With one constraint it is sample_fitting(). Throws Error(kNothingFits).
Architecture sample_for_boards(const std::vector<Constraint>& constraints, const SubSpace& sub_space,
                               Rng& rng);

// [{"board", "own", "share", "mean_macs", "fraction", "binding_limit"}, ...]
nlohmann::json to_json(const std::vector<BoardShare>& boards);
// {"chosen", "top", "memory_binds", "warning", "boards": [of each of top], "sub_spaces": [...]}
nlohmann::json to_json(const SharedSpace& shared);

}  // namespace tinynas
