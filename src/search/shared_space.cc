#include "search/shared_space.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "base/error.h"

namespace tinynas {
namespace {

constexpr size_t kTop = 3;
constexpr double kPoorShare = 0.5;

const SubSpaceReport& report_of(const SpaceOptimisation& optimisation, const SubSpace& sub_space) {
  for (const SubSpaceReport& report : optimisation.sub_spaces) {
    if (report.sub_space == sub_space) return report;
  }
  throw std::logic_error("boards have different grids");
}

SpaceOptimisation optimise_for(const std::string& board, const Constraint& constraint,
                               const SpaceOptimisationOptions& options) {
  try {
    return optimise_space(constraint, options);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kNothingFits) throw;
    throw Error(error.code(), "board " + board + ": " + error.what());
  }
}

BoardShare share_of(const std::string& board, const SpaceOptimisation& alone, const SubSpace& sub_space) {
  return {board, alone.chosen, report_of(alone, alone.chosen).mean_macs, report_of(alone, sub_space)};
}

bool ranks_before(const SharedSubSpace& a, const SharedSubSpace& b) {
  if (a.eligible != b.eligible) return a.eligible;
  const double of_a = a.eligible ? a.least_share : a.least_fraction;
  const double of_b = b.eligible ? b.least_share : b.least_fraction;
  if (of_a != of_b) return of_a > of_b;
  if (a.sub_space.resolution != b.sub_space.resolution)
    return a.sub_space.resolution > b.sub_space.resolution;
  return a.sub_space.width > b.sub_space.width;
}

Error no_shared_sub_space(const std::vector<std::string>& names,
                          const std::vector<SpaceOptimisation>& alone) {
  std::string message =
      "nothing fits: no width and resolution of the space has networks for every board, so that one supernet "
      "cannot serve them; search for some of them alone. Each would choose:";
  for (size_t i = 0; i < names.size(); ++i) message += "\n  " + names[i] + ": " + describe(alone[i].chosen);
  return {ExitCode::kNothingFits, message};
}

// The first of the ranking that hold different networks.
std::vector<SubSpace> top_of(const SharedSpace& shared, const SpaceOptimisation& grid) {
  std::vector<SubSpace> top, seen;
  for (const SharedSubSpace& candidate : shared.sub_spaces) {
    if (top.size() == kTop) break;
    if (!candidate.eligible && !top.empty()) break;
    const SubSpace networks = report_of(grid, candidate.sub_space).same_networks_as;
    if (std::find(seen.begin(), seen.end(), networks) != seen.end()) continue;
    seen.push_back(networks);
    top.push_back(candidate.sub_space);
  }
  return top;
}

std::string warning_of(const SharedSpace& shared) {
  std::string warning;
  if (!shared.sub_spaces.front().eligible) {
    warning = "in no sub-space do enough samples fit every board; " + describe(shared.chosen) +
              " is the best of what there is. ";
  }
  for (const BoardShare& board : shared.boards.front()) {
    if (board.share() >= kPoorShare) continue;
    char text[160];
    std::snprintf(
        text, sizeof text,
        "%s keeps %.0f %% of the mean MACs of its own choice, %s: a search of its own would serve it "
        "better. ",
        board.board.c_str(), 100 * board.share(), describe(board.own).c_str());
    warning += text;
  }
  if (!warning.empty()) warning.pop_back();
  return warning;
}

}  // namespace

SharedSpace optimise_shared_space(const std::vector<std::string>& names,
                                  const std::vector<Constraint>& constraints,
                                  const SpaceOptimisationOptions& options) {
  if (names.empty() || names.size() != constraints.size())
    throw std::logic_error("a shared space takes boards, and a name for each");
  std::vector<SpaceOptimisation> alone;
  for (size_t i = 0; i < names.size(); ++i) alone.push_back(optimise_for(names[i], constraints[i], options));

  SharedSpace shared;
  for (const SubSpaceReport& first : alone[0].sub_spaces) {
    SharedSubSpace candidate{first.sub_space, true, 1e300, 1.0};
    for (size_t i = 0; i < names.size(); ++i) {
      const BoardShare board = share_of(names[i], alone[i], first.sub_space);
      candidate.eligible = candidate.eligible && board.shared.eligible;
      candidate.least_share = std::min(candidate.least_share, board.share());
      candidate.least_fraction = std::min(candidate.least_fraction, board.shared.fraction());
    }
    if (candidate.least_fraction > 0) shared.sub_spaces.push_back(candidate);
  }
  if (shared.sub_spaces.empty()) throw no_shared_sub_space(names, alone);
  std::sort(shared.sub_spaces.begin(), shared.sub_spaces.end(), ranks_before);
  shared.chosen = shared.sub_spaces.front().sub_space;
  shared.top = top_of(shared, alone[0]);
  for (const SubSpace& sub_space : shared.top) {
    std::vector<BoardShare> boards;
    for (size_t i = 0; i < names.size(); ++i) {
      boards.push_back(share_of(names[i], alone[i], sub_space));
      const std::string& limit = boards.back().shared.binding_limit;
      shared.memory_binds = shared.memory_binds || limit == "sram" || limit == "flash";
    }
    shared.boards.push_back(std::move(boards));
  }
  shared.warning = warning_of(shared);
  return shared;
}

Architecture sample_for_boards(const std::vector<Constraint>& constraints, const SubSpace& sub_space,
                               Rng& rng) {
  if (constraints.size() == 1) return sample_fitting(constraints[0], sub_space, rng);
  const auto board = static_cast<size_t>(rng.below(static_cast<int64_t>(constraints.size())));
  return sample_fitting(constraints[board], sub_space, rng);
}

const std::vector<BoardShare>& SharedSpace::boards_in(const SubSpace& sub_space) const {
  const auto found = std::find(top.begin(), top.end(), sub_space);
  if (found == top.end()) throw std::logic_error(describe(sub_space) + " is not among the best");
  return boards[static_cast<size_t>(found - top.begin())];
}

nlohmann::json to_json(const std::vector<BoardShare>& boards) {
  nlohmann::json rows = nlohmann::json::array();
  for (const BoardShare& board : boards) {
    rows.push_back({{"board", board.board},
                    {"own", to_json(board.own)},
                    {"share", board.share()},
                    {"mean_macs", board.shared.mean_macs},
                    {"fraction", board.shared.fraction()},
                    {"binding_limit", board.shared.binding_limit}});
  }
  return rows;
}

nlohmann::json to_json(const SharedSpace& shared) {
  nlohmann::json boards = nlohmann::json::array(), grid = nlohmann::json::array(),
                 top = nlohmann::json::array();
  for (const std::vector<BoardShare>& of_one : shared.boards) boards.push_back(to_json(of_one));
  for (const SharedSubSpace& candidate : shared.sub_spaces) {
    nlohmann::json row = to_json(candidate.sub_space);
    row["eligible"] = candidate.eligible;
    row["least_share"] = candidate.least_share;
    row["least_fraction"] = candidate.least_fraction;
    grid.push_back(row);
  }
  for (const SubSpace& sub_space : shared.top) top.push_back(to_json(sub_space));
  return {{"chosen", to_json(shared.chosen)}, {"top", top},       {"memory_binds", shared.memory_binds},
          {"warning", shared.warning},        {"boards", boards}, {"sub_spaces", grid}};
}

}  // namespace tinynas
