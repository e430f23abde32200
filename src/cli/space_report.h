// A space optimisation for people, and as tables for other programs.
#pragma once

#include <string>
#include <vector>

#include "cost_models/board.h"
#include "search/space_optimisation.h"

namespace tinynas {

// The best `top` sub-spaces as a table in FLOPs (1 MAC = 2 FLOPs), the CDFs of the best of them, the choice,
// the runner-up and warnings.
std::string render(const SpaceOptimisation& result, int top, bool colour);

// "w0.50-r176: 2.1 % (+- 0.9 %) fewer mean FLOPs", or why else it lost; "none" where there is no runner-up.
std::string describe(const std::optional<RunnerUp>& runner_up);

// One line a sub-space, by rank: width, resolution, sampled, fitting, eligible, binding_limit, mean_flops,
// mean_flops_error, and the FLOPs at the quantiles q0, q5, ..., q100 of the fitting samples (empty where none
// fits).
std::string to_csv(const SpaceOptimisation& result);

// What is left of every board for the model, its reserve taken off: ascending, each value once.
struct BoardSizes {
  std::vector<int64_t> sram_bytes;
  std::vector<int64_t> flash_bytes;
};
BoardSizes sizes_for_models(const std::vector<Board>& boards);

// Rows SRAM, columns Flash; then the choice for each board.
std::string render(const ChoiceMatrix& matrix, const std::vector<Board>& boards);

// The matrix, and "boards": [{"board", "sram_bytes", "flash_bytes", and the cell or "chosen": null}, ...].
nlohmann::json to_json(const ChoiceMatrix& matrix, const std::vector<Board>& boards);

// One line for each cell: sram_bytes, flash_bytes, width, resolution, fraction, eligible, mean_flops.
std::string to_csv(const ChoiceMatrix& matrix);

}  // namespace tinynas
