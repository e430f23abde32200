#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/experiment_flags.h"
#include "cli/paths.h"
#include "cli/session.h"
#include "cli/space_report.h"
#include "cli/workbench.h"
#include "space/architecture.h"
#include "space/space_file.h"

namespace tinynas {
namespace {

struct SpacesFlags {
  std::optional<std::string> space;  // none = list them
  std::optional<std::string> sram;
  std::optional<std::string> flash;
  std::optional<std::string> max_macs;
  std::optional<std::string> board;
  std::optional<std::string> boards;  // "all"
  int classes = 1000;
  std::string schedule = "layer";
  SpaceOptimisationOptions options;
  int top = 10;
  std::string csv;
  OutputFlags output;
};

template <typename T>
std::string range(const std::vector<T>& grid) {
  return grid.size() == 1 ? fmt::format("{}", grid.front())
                          : fmt::format("{}..{}", grid.front(), grid.back());
}

void list(const OutputFlags& output) {
  nlohmann::json list = nlohmann::json::array();
  std::string table = fmt::format("{:<14} {:<8} {:>7} {:>12} {:>12} {:>8} {:>11}\n", "space", "blocks",
                                  "stages", "widths", "resolutions", "columns", "sub-spaces");
  for (const auto& file : list_configs("spaces")) {
    const SearchSpace space = load_space(file);
    list.push_back(to_json(space));
    table += fmt::format("{:<14} {:<8} {:>7} {:>12} {:>12} {:>8} {:>11}\n", space.name, name_of(space.block),
                         space.stages.size(), range(space.widths), range(space.resolutions),
                         space.columns > 0 ? std::to_string(space.columns) : "R",
                         space.widths.size() * space.resolutions.size());
  }
  std::cout << (output.json ? list.dump(1) + "\n" : table) << std::flush;
}

Limits limits_of(const SpacesFlags& flags, const Board* board) {
  Limits limits;
  if (board != nullptr) {
    limits.sram_bytes = board->sram_bytes;
    limits.flash_bytes = board->flash_bytes;
  }
  if (flags.sram) limits.sram_bytes = parse_bytes(*flags.sram, "--sram");
  if (flags.flash) limits.flash_bytes = parse_bytes(*flags.flash, "--flash");
  if (flags.max_macs) limits.macs = parse_count(*flags.max_macs, "--max-macs");
  return limits;
}

std::string describe(const Limits& limits) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (limits.sram_bytes) add("SRAM " + format_bytes(*limits.sram_bytes));
  if (limits.flash_bytes) add("Flash " + format_bytes(*limits.flash_bytes));
  if (limits.macs) add(format_count(*limits.macs) + " MACs");
  return text;
}

void check(const SpacesFlags& flags) {
  const bool limited = flags.sram || flags.flash || flags.max_macs || flags.board;
  if (!flags.space) {
    throw usage_error(
        "spaces: no space is named; `tinynas spaces` lists them, for example "
        "tinynas spaces mbconv --sram 320k --flash 1M");
  }
  if (flags.boards && *flags.boards != "all") {
    throw usage_error("--boards: got '" + *flags.boards + "', expected all (--board NAME for one)");
  }
  if (flags.boards && limited) {
    throw usage_error(
        "--boards all: judges every board of configs/boards; leave --sram, --flash, --max-macs and --board "
        "out");
  }
  if (flags.boards && flags.schedule == "auto") {
    throw usage_error(
        "--schedule auto: decides by one chip's SRAM, and --boards all has many; expected layer or stream");
  }
  if (!flags.boards && !limited) {
    throw usage_error("spaces " + *flags.space +
                      ": the chip is not named: give its memory or a board, for example\n"
                      "  tinynas spaces mbconv --sram 320k --flash 1M\n"
                      "  tinynas spaces mbconv --board stm32f746        (`tinynas boards` lists them)\n"
                      "  tinynas spaces mbconv --boards all");
  }
  if (flags.classes < 1 || flags.classes > 65536) {
    throw usage_error("--classes: got " + std::to_string(flags.classes) + ", expected 1 to 65536");
  }
  if (flags.top < 1) throw usage_error("--top: got " + std::to_string(flags.top) + ", expected at least 1");
  if (flags.options.threads < 0) {
    throw usage_error("--workers: got " + std::to_string(flags.options.threads) +
                      ", expected at least 1, or 0 for one per core");
  }
  flags.options.check();
}

// What is printed before any result, and travels with --json.
nlohmann::json heading_json(const SpacesFlags& flags, const SearchSpace& space, double seconds) {
  return {{"space", space.name},
          {"num_classes", flags.classes},
          {"samples", flags.options.samples},
          {"seed", flags.options.seed},
          {"schedule", flags.schedule},
          {"sub_spaces_in_grid", space.widths.size() * space.resolutions.size()},
          {"seconds", seconds}};
}

std::string heading(const SpacesFlags& flags, const SearchSpace& space, const std::string& limits) {
  return fmt::format("{}: {} sub-spaces x {} samples, seed {}, {} classes, schedule {}{}\n", space.name,
                     space.widths.size() * space.resolutions.size(), flags.options.samples,
                     flags.options.seed, flags.classes, flags.schedule, limits.empty() ? "" : "; " + limits);
}

void finish(const SpacesFlags& flags, const nlohmann::json& json, const std::string& text,
            const std::string& csv, double seconds) {
  if (!flags.csv.empty()) {
    write_file_atomic(flags.csv, csv);
    spdlog::info("written: {}", flags.csv);
  }
  std::cout << (flags.output.json ? json.dump(1) + "\n" : text + fmt::format("in {:.2f} s\n", seconds))
            << std::flush;
}

void optimise(const SpacesFlags& flags) {
  check(flags);
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const SearchSpace space = load_space(find_config("spaces", *flags.space, "spaces"));
  if (flags.boards) {
    const std::vector<Board> boards = load_boards(home_directory() / "configs" / "boards");
    const BoardSizes sizes = sizes_for_models(boards);
    CostOptions costs;
    costs.plan.schedule = schedule_from_name(flags.schedule, "--schedule");
    const SpaceSamples samples = draw_samples(Constraint(space, flags.classes, {}, costs), flags.options);
    const ChoiceMatrix matrix = choice_matrix(samples, sizes.sram_bytes, sizes.flash_bytes, flags.options);
    nlohmann::json json = heading_json(flags, space, seconds());
    json.update(to_json(matrix, boards));
    return finish(flags, json, heading(flags, space, "") + "\n" + render(matrix, boards), to_csv(matrix),
                  seconds());
  }
  std::optional<Board> board;
  if (flags.board) board = board_by_name(*flags.board, "--board");
  CostOptions costs;
  costs.board = board ? &*board : nullptr;
  if (board) costs.plan.variant = variant_of_isa(board->isa);
  const Limits limits = limits_of(flags, costs.board);
  costs.plan.schedule = schedule_from_name(flags.schedule, "--schedule");
  costs.sram_limit_bytes = limits.sram_bytes;
  const Constraint constraint(space, flags.classes, limits, costs);
  const SpaceOptimisation result = judge(draw_samples(constraint, flags.options), limits, flags.options);
  nlohmann::json json = heading_json(flags, space, seconds());
  json["limits"] = to_json(limits);
  json["board"] = board ? nlohmann::json(board->name) : nlohmann::json();
  json.update(to_json(result));
  std::string limited = describe(limits);
  if (board) {
    limited += fmt::format("; reserve of {}: SRAM {}, Flash {}", board->name,
                           format_bytes(board->sram_reserve_bytes), format_bytes(board->flash_reserve_bytes));
  }
  finish(flags, json, heading(flags, space, limited) + "\n" + render(result, flags.top, stdout_has_colours()),
         to_csv(result), seconds());
}

}  // namespace

void add_spaces_command(CLI::App& app, Action& action) {
  const auto flags = std::make_shared<SpacesFlags>();
  CLI::App* command = app.add_subcommand(
      "spaces", "Search spaces of configs/spaces; with a chip, which width and resolution to search in");
  command->footer(
      "Examples:\n"
      "  tinynas spaces                                        what there is\n"
      "  tinynas spaces mbconv --sram 320k --flash 1M          MCUNet's space optimisation, no data needed\n"
      "  tinynas spaces dscnn-kws --board stm32f746 --classes 12\n"
      "  tinynas spaces my-space.yaml --board nrf52840 --samples 200 --csv grid.csv\n"
      "  tinynas spaces mbconv-256 --sram 128k --flash 1M --schedule auto --samples 200\n"
      "  tinynas spaces mbconv --boards all                    (W,R) over the SRAM and Flash of all boards\n"
      "Exit code 3 when no network of the space fits.");
  add_text(*command, "space", flags->space, "name, or a space file; none lists them")->type_name("NAME|FILE");
  add_text(*command, "--sram", flags->sram, "SRAM for the model: 320k (k = 1024 bytes)")
      ->type_name("BYTES")
      ->group("Limits");
  add_text(*command, "--flash", flags->flash, "Flash for the model: 1M")->type_name("BYTES")->group("Limits");
  add_text(*command, "--max-macs", flags->max_macs, "multiply-accumulates of one inference: 60M")
      ->type_name("COUNT")
      ->group("Limits");
  add_text(*command, "--board", flags->board, "chip of `tinynas boards`: its memory and reserve")
      ->type_name("NAME")
      ->group("Limits");
  add_text(*command, "--boards", flags->boards, "all: the choice for every board's SRAM and Flash")
      ->type_name("all")
      ->group("Limits");
  command
      ->add_option("--schedule", flags->schedule,
                   "layer; stream (row by row); or auto, as `search` judges: stream where layer exceeds the "
                   "SRAM. Streaming takes half a millisecond a network to plan")
      ->check(CLI::IsMember({"layer", "stream", "auto"}))
      ->capture_default_str();
  command->add_option("--classes", flags->classes, "classes that the networks tell apart")
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--samples", flags->options.samples, "networks drawn in every sub-space")
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--seed", flags->options.seed, "of the random networks")
      ->check(refuse_negative)
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--workers", flags->options.threads,
                   "threads; results do not depend on it; 0 = one per core")
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--min-fit-fraction", flags->options.min_fit_fraction,
                   "part of the samples that must fit for a sub-space to be eligible")
      ->type_name("FRACTION")
      ->capture_default_str();
  command->add_option("--top", flags->top, "rows of the table")->type_name("N")->capture_default_str();
  command->add_option("--csv", flags->csv, "every sub-space with its CDF, or every cell of the matrix")
      ->type_name("FILE")
      ->group("Output");
  flags->output.add(*command);
  command->callback([&action, flags] {
    action = [flags] {
      flags->output.apply();
      const bool asks_something =
          flags->sram || flags->flash || flags->max_macs || flags->board || flags->boards;
      if (!flags->space && !asks_something) return list(flags->output);
      optimise(*flags);
    };
  });
}

}  // namespace tinynas
