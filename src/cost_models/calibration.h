// A user's measurements of latency, and the board file that carries them.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cost_models/board.h"
#include "cost_models/measurements.h"

namespace tinynas {

// Reads a network's file; a resolution that is not given is the file's own.
using NetworkLoader = std::function<Graph(const std::filesystem::path& file, std::optional<int> resolution)>;

// A table with the columns `file` (a network, relative to the table), `resolution` (optional) and
// `latency_ms`: then kernel_ms is what the board's kernel model (fit_kernels) gives; or with `macs` and
// `latency_ms`. Throws Error(kUsage) naming file:line: another column, neither or both of file and macs, NaN,
// 0 or a negative number, a network that does not load; and naming the file where fit_measured() refuses the
// rows.
std::vector<MeasuredLatency> read_user_measurements(const std::filesystem::path& csv, const Board& board,
                                                    const Measurements& measurements,
                                                    const NetworkLoader& load);

// The text of a board file: that of `board_file` with the rows as its measurements of `runtime`, in place of
// earlier ones of that runtime. `source` says where they come from. load_board() fits them. Throws as
// load_board() does.
std::string calibrated_board(const std::filesystem::path& board_file, Runtime runtime,
                             const std::vector<MeasuredLatency>& rows, const std::string& source,
                             const std::string& kernels_hash);

}  // namespace tinynas
