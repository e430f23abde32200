#include "cli/space_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/units.h"
#include "cli/cdf_plot.h"

namespace tinynas {
namespace {

constexpr size_t kCurves = 5;  // more would hide one another

std::string flops(double macs) { return format_count(std::llround(2 * macs)); }

// Letters of the sub-spaces whose curves are drawn: the best ones that hold different networks.
std::vector<const SubSpaceReport*> drawn(const SpaceOptimisation& result, int top) {
  std::vector<const SubSpaceReport*> curves;
  std::vector<SubSpace> known;
  for (const SubSpaceReport& report : result.sub_spaces) {
    if (curves.size() == std::min(kCurves, static_cast<size_t>(top)) || report.fitting == 0) break;
    if (std::find(known.begin(), known.end(), report.same_networks_as) != known.end()) continue;
    known.push_back(report.same_networks_as);
    curves.push_back(&report);
  }
  return curves;
}

std::string table(const SpaceOptimisation& result, int top,
                  const std::vector<const SubSpaceReport*>& curves) {
  const auto rows = std::min(static_cast<size_t>(top), result.sub_spaces.size());
  std::string text = fmt::format("{:>4} {:<1} {:<12} {:>8} {:>20} {:>10} {:>10} {:>10}  {}\n", "rank", "",
                                 "sub-space", "fits", "mean FLOPs", "p50", "p80", "max", "binding limit");
  for (size_t i = 0; i < rows; ++i) {
    const SubSpaceReport& report = result.sub_spaces[i];
    const auto curve = std::find(curves.begin(), curves.end(), &report);
    const std::string letter =
        curve == curves.end() ? "" : std::string(1, static_cast<char>('A' + (curve - curves.begin())));
    const std::string mean = report.fitting > 0 ? fmt::format("{} +- {:.1f} %", flops(report.mean_macs),
                                                              100 * report.mean_macs_error / report.mean_macs)
                                                : "-";
    text +=
        fmt::format("{:>4} {:<1} {:<12} {:>6.1f} % {:>20} {:>10} {:>10} {:>10}  {}{}\n", i + 1, letter,
                    describe(report.sub_space), 100 * report.fraction(), mean,
                    flops(static_cast<double>(report.p50_macs)), flops(static_cast<double>(report.p80_macs)),
                    flops(static_cast<double>(report.max_macs)), report.binding_limit,
                    report.eligible ? "" : ", too few fit");
  }
  if (rows < result.sub_spaces.size()) {
    const auto rest = std::count_if(result.sub_spaces.begin() + static_cast<std::ptrdiff_t>(rows),
                                    result.sub_spaces.end(), [](const auto& r) { return r.fitting > 0; });
    text += fmt::format("     and {} more, in {} of which something fits (--top N, --csv FILE)\n",
                        result.sub_spaces.size() - rows, rest);
  }
  return text;
}

std::string plot(const std::vector<const SubSpaceReport*>& curves, bool colour) {
  std::vector<CdfCurve> cdfs;
  for (const SubSpaceReport* report : curves) {
    CdfCurve& curve = cdfs.emplace_back();
    curve.label = fmt::format("{} ({:.1f} % fit)", describe(report->sub_space), 100 * report->fraction());
    for (const int64_t macs : report->macs_cdf) curve.quantiles.push_back(2e-6 * static_cast<double>(macs));
  }
  CdfPlotOptions options;
  options.colour = colour;
  return cdfs.empty() ? ""
                      : "\nNetworks that fit, by FLOPs: part of them with at most so many (further right is "
                        "better)\n" +
                            plot_cdfs(cdfs, "MFLOPs", options);
}

const std::optional<ChoiceMatrix::Cell>& cell_of(const ChoiceMatrix& matrix, const Board& board) {
  const auto index = [](const std::vector<int64_t>& sizes, int64_t size) {
    return static_cast<size_t>(std::find(sizes.begin(), sizes.end(), size) - sizes.begin());
  };
  const size_t row = index(matrix.sram_bytes, board.sram_bytes - board.sram_reserve_bytes);
  const size_t column = index(matrix.flash_bytes, board.flash_bytes - board.flash_reserve_bytes);
  return matrix.cells.at(row).at(column);
}

std::string cell_text(const std::optional<ChoiceMatrix::Cell>& cell) {
  return cell ? describe(cell->chosen) + (cell->eligible ? "" : "!") : "-";
}

}  // namespace

std::string describe(const std::optional<RunnerUp>& runner_up) {
  if (!runner_up) return "none: no network of any other sub-space fits";
  const std::string name = describe(runner_up->sub_space);
  if (!runner_up->eligible) {
    return fmt::format("{}: too few of its samples fit (mean {} FLOPs)", name, flops(runner_up->mean_macs));
  }
  return fmt::format("{}: {:.1f} % (+- {:.1f} %) fewer mean FLOPs", name, 100 * runner_up->behind,
                     100 * runner_up->behind_error);
}

std::string render(const SpaceOptimisation& result, int top, bool colour) {
  const std::vector<const SubSpaceReport*> curves = drawn(result, top);
  const SubSpaceReport& chosen = result.sub_spaces.front();
  std::string text = table(result, top, curves) + plot(curves, colour) + "\n";
  text += fmt::format("chosen     {}: {}\n", describe(result.chosen),
                      chosen.fitting > 0 ? fmt::format("mean {} FLOPs, {:.1f} % fit", flops(chosen.mean_macs),
                                                       100 * chosen.fraction())
                                         : std::string("only its smallest networks fit"));
  text += "runner-up  " + describe(result.runner_up) + "\n";
  if (!result.warning.empty()) text += "warning    " + result.warning + "\n";
  return text;
}

std::string to_csv(const SpaceOptimisation& result) {
  std::string text = "width,resolution,sampled,fitting,eligible,binding_limit,mean_flops,mean_flops_error";
  for (int percent = 0; percent <= 100; percent += 5) text += fmt::format(",q{}", percent);
  text += "\n";
  for (const SubSpaceReport& report : result.sub_spaces) {
    text += fmt::format("{},{},{},{},{},{},{},{}", report.sub_space.width, report.sub_space.resolution,
                        report.sampled, report.fitting, report.eligible ? 1 : 0, report.binding_limit,
                        report.mean_flops(), 2 * report.mean_macs_error);
    for (size_t i = 0; i < 21; ++i) {
      text += report.macs_cdf.empty() ? "," : fmt::format(",{}", 2 * report.macs_cdf[i]);
    }
    text += "\n";
  }
  return text;
}

BoardSizes sizes_for_models(const std::vector<Board>& boards) {
  std::set<int64_t> sram, flash;
  for (const Board& board : boards) {
    sram.insert(board.sram_bytes - board.sram_reserve_bytes);
    flash.insert(board.flash_bytes - board.flash_reserve_bytes);
  }
  return {{sram.begin(), sram.end()}, {flash.begin(), flash.end()}};
}

std::string render(const ChoiceMatrix& matrix, const std::vector<Board>& boards) {
  std::string text = "Chosen (W,R): rows SRAM, columns Flash, each what a board leaves for the model\n" +
                     fmt::format("{:>12}", "");
  for (const int64_t flash : matrix.flash_bytes) text += fmt::format(" {:>12}", format_bytes(flash));
  text += "\n";
  bool few = false;
  bool nothing = false;
  for (size_t i = 0; i < matrix.cells.size(); ++i) {
    text += fmt::format("{:>12}", format_bytes(matrix.sram_bytes[i]));
    for (const auto& cell : matrix.cells[i]) {
      text += fmt::format(" {:>12}", cell_text(cell));
      few |= cell && !cell->eligible;
      nothing |= !cell;
    }
    text += "\n";
  }
  if (few) text += "!: fewer samples fit than a sub-space needs to be eligible; the best of what there is\n";
  if (nothing) text += "-: nothing fits\n";
  text += "\n" + fmt::format("{:<18} {:>11} {:>11}  {:<13} {:>12} {:>8}\n", "board", "SRAM", "Flash",
                             "chosen", "mean FLOPs", "fits");
  for (const Board& board : boards) {
    const auto& cell = cell_of(matrix, board);
    text += fmt::format("{:<18} {:>11} {:>11}  {:<13}", board.name,
                        format_bytes(board.sram_bytes - board.sram_reserve_bytes),
                        format_bytes(board.flash_bytes - board.flash_reserve_bytes), cell_text(cell));
    if (cell) text += fmt::format(" {:>12} {:>6.1f} %", flops(cell->mean_macs), 100 * cell->fraction);
    text += "\n";
  }
  return text;
}

nlohmann::json to_json(const ChoiceMatrix& matrix, const std::vector<Board>& boards) {
  nlohmann::json json = to_json(matrix);
  nlohmann::json list = nlohmann::json::array();
  for (const Board& board : boards) {
    const auto& cell = cell_of(matrix, board);
    nlohmann::json entry = {{"board", board.name},
                            {"sram_bytes", board.sram_bytes - board.sram_reserve_bytes},
                            {"flash_bytes", board.flash_bytes - board.flash_reserve_bytes},
                            {"chosen", nullptr}};
    if (cell) {
      entry["chosen"] = to_json(cell->chosen);
      entry["mean_flops"] = 2 * cell->mean_macs;
      entry["fraction"] = cell->fraction;
      entry["eligible"] = cell->eligible;
    }
    list.push_back(std::move(entry));
  }
  json["boards"] = list;
  return json;
}

std::string to_csv(const ChoiceMatrix& matrix) {
  std::string text = "sram_bytes,flash_bytes,width,resolution,fraction,eligible,mean_flops\n";
  for (size_t i = 0; i < matrix.sram_bytes.size(); ++i) {
    for (size_t j = 0; j < matrix.flash_bytes.size(); ++j) {
      text += fmt::format("{},{},", matrix.sram_bytes[i], matrix.flash_bytes[j]);
      const auto& cell = matrix.cells[i][j];
      text += cell ? fmt::format("{},{},{},{},{}\n", cell->chosen.width, cell->chosen.resolution,
                                 cell->fraction, cell->eligible ? 1 : 0, 2 * cell->mean_macs)
                   : ",,,,\n";
    }
  }
  return text;
}

}  // namespace tinynas
