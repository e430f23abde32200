// `tinynas search --boards a,b,c`: one supernet, and a run of its own for every board in a folder of the run.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/run.h"

namespace tinynas {

// What makes no sense of a configuration with `boards`: a single board or memory limits beside it, boards of
// one name, or what check_experiment() refuses for one of them. Throws Error(kUsage).
void check_boards(const Config& config);

// The stages of the space and the supernet for all boards, then all others for each board in turn, in the
// folder of its name: a run directory like any, which takes space and supernet from `parent` and shares its
// trial store. Whatever is finished is not repeated. Leaves result.json: {"format": "tinynas-boards-1",
// "directory", "name", "effort", "seed", "version", "space": {...}, "wall_s": {"space", "train"}, "boards":
// [{"board", "directory", "arch", "accuracy", "macs", "params", "sram_bytes", "sram_limit_bytes",
// "flash_bytes", "flash_limit_bytes", "latency_ms" or null, "evaluated", "cached", "wall_s"}, ...]}.
void search_boards(Run& parent);

// A run for several boards has the stages that they share, space and train; `command` on it is refused with
// the commands for its boards' folders. Throws Error(kUsage).
void refuse_stage_of_one_board(const std::filesystem::path& directory, const Config& config,
                               const std::string& command);

// The table of such a result: a row a board.
std::string render_boards(const nlohmann::json& result);
// result.json of the run on standard output, as JSON or as the table.
void print_boards_result(const Run& parent, bool json);

}  // namespace tinynas
