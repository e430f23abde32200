#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "cli/front_report.h"
#include "cli/result.h"

namespace tinynas {
namespace {

constexpr int kBarWidth = 30;

// Builds the text section by section; colours only where asked for.
class Page {
 public:
  explicit Page(bool colour) : colour_(colour) {}

  void heading(const std::string& title) { text_ += "\n" + paint("1;36", title) + "\n"; }
  void row(const std::string& label, const std::string& value) {
    text_ += fmt::format("  {:<18} {}\n", label, value);
  }
  void line(const std::string& line) { text_ += "  " + line + "\n"; }
  void raw(const std::string& text) { text_ += text; }

  // A bar that shows how much of a limit is used: green, yellow above 90 %, red above 100 %.
  void usage(const std::string& label, double used, double limit, const std::string& amounts) {
    const double fraction = limit > 0 ? used / limit : 0;
    const int filled = std::clamp(static_cast<int>(std::lround(fraction * kBarWidth)), 0, kBarWidth);
    const std::string bar = std::string(static_cast<size_t>(filled), '#') +
                            std::string(static_cast<size_t>(kBarWidth - filled), '.');
    row(label, "[" +
                   paint(fraction > 1     ? "31"
                         : fraction > 0.9 ? "33"
                                          : "32",
                         bar) +
                   fmt::format("] {:5.1f} %  {}", 100 * fraction, amounts));
  }

  std::string paint(const char* code, const std::string& text) const {
    return colour_ ? fmt::format("\033[{}m{}\033[0m", code, text) : text;
  }
  std::string strong(const std::string& text) const { return paint("1", text); }

  const std::string& text() const { return text_; }

 private:
  bool colour_;
  std::string text_;
};

std::string percent(const nlohmann::json& fraction) {
  return fmt::format("{:.2f} %", 100 * fraction.get<double>());
}
std::string bytes(const nlohmann::json& value) { return format_bytes(value.get<int64_t>()); }

// "sram_bytes" of the limits, or nullptr where it does not bind.
const nlohmann::json* limit(const nlohmann::json& result, const char* key) {
  const auto found = result.at("limits").find(key);
  return found == result.at("limits").end() || found->is_null() ? nullptr : &*found;
}

// "published, +- 12 %": what a board's latency rests on, and its error band.
std::string trust(const nlohmann::json& result, const std::string& board) {
  const nlohmann::json& band = result.at("latency_error_band").at(board);
  return result.at("latency_basis").at(board).get<std::string>() +
         (band.is_null() ? ", error not known" : fmt::format(", +- {:.0f} %", 100 * band.get<double>()));
}

void architecture(Page& page, const nlohmann::json& result) {
  const nlohmann::json& arch = result.at("arch");
  page.heading("What was chosen, and why");
  page.row("space",
           fmt::format("{}: width {}, input {}x{} of {} sub-spaces",
                       arch.at("space").at("name").get<std::string>(), arch.at("width").get<double>(),
                       arch.at("resolution").get<int>(), arch.at("resolution").get<int>(),
                       result.at("space").at("sub_spaces").get<int>()));
  page.row("because", result.at("space").at("why").get<std::string>());
  int index = 0;
  std::string sizes;  // what the number after a kernel is
  for (const nlohmann::json& stage : arch.at("stages")) {
    std::string blocks;
    for (const nlohmann::json& block : stage.at("blocks")) {
      const int kernel = block.at("kernel").get<int>();
      const bool has_expansion = block.contains("expansion");
      const bool has_channels = block.contains("channels");
      sizes = fmt::format("{}{}{}", has_expansion ? "expansion e" : "",
                          has_expansion && has_channels ? ", " : "", has_channels ? "output channels c" : "");
      blocks += fmt::format("{}{}x{} ", blocks.empty() ? "" : "  ", kernel, kernel);
      if (has_expansion) blocks += fmt::format("e{}", block.at("expansion").get<int>());
      if (has_channels) blocks += fmt::format("c{}", block.at("channels").get<int>());
    }
    page.row(fmt::format("stage {}", index++), blocks.empty() ? "skipped" : blocks);
  }
  page.row("", fmt::format("{} MACs, {} parameters; kernel x kernel, {}",
                           format_count(result.at("macs").get<int64_t>()),
                           format_count(result.at("params").get<int64_t>()), sizes));
}

void limits(Page& page, const nlohmann::json& result) {
  const nlohmann::json& sram = result.at("sram");
  const nlohmann::json& flash = result.at("flash");
  page.heading("Limits, and how much of each is used");
  const auto memory = [&](const char* label, const char* key, const nlohmann::json& used) {
    if (const nlohmann::json* bound = limit(result, key)) {
      const auto [taken, allowed] = format_bytes_apart(used.get<int64_t>(), bound->get<int64_t>());
      page.usage(label, used.get<double>(), bound->get<double>(), taken + " of " + allowed);
    } else {
      page.row(label, bytes(used) + ", not limited");
    }
  };
  memory("SRAM", "sram_bytes", sram.at("total"));
  page.row("", fmt::format(
                   "arena {} (input {}, scratch {}) + persistent {} + .data/.bss {} + stack {} + reserve {}",
                   bytes(sram.at("arena")), bytes(sram.at("input")), bytes(sram.at("scratch")),
                   bytes(sram.at("persistent")), bytes(sram.at("data_bss")), bytes(sram.at("stack")),
                   bytes(sram.at("reserve"))));
  memory("Flash", "flash_bytes", flash.at("total"));
  page.row("", fmt::format("weights {} + tables {} + code {} ({}) + reserve {}", bytes(flash.at("weights")),
                           bytes(flash.at("tables")), bytes(flash.at("code")),
                           flash.at("code_is_linked").get<bool>() ? "linked" : "upper bound",
                           bytes(flash.at("reserve"))));
  if (const nlohmann::json* bound = limit(result, "macs")) {
    page.usage("MACs", result.at("macs").get<double>(), bound->get<double>(),
               format_count(result.at("macs").get<int64_t>()) + " of " + format_count(bound->get<int64_t>()));
  }
  const auto modelled = [&](const char* label, const char* key, const char* figures, const char* unit) {
    const nlohmann::json* bound = limit(result, key);
    if (bound == nullptr || result.at("board").is_null()) return;
    const double used = result.at(figures).at(result.at("board").get<std::string>()).get<double>();
    page.usage(label, used, bound->get<double>(),
               fmt::format("{:.1f} of {:.1f} {} (modelled: {})", used, bound->get<double>(), unit,
                           trust(result, result.at("board").get<std::string>())));
  };
  modelled("latency", "latency_ms", "latency_ms", "ms");
  modelled("energy", "energy_mj", "energy_mj", "mJ");
  for (const nlohmann::json& cap : result.at("caps")) {
    page.row("cap in force",
             fmt::format("{} = {} by effort {}; override: {}", cap.at("key").get<std::string>(),
                         cap.at("value").get<std::string>(), cap.at("effort").get<std::string>(),
                         cap.at("override").get<std::string>()));
  }
}

// "layer   85.1 KiB ##############": each block's need beside the most of all.
void schedules(Page& page, const nlohmann::json& result) {
  const nlohmann::json& schedule = result.at("schedule");
  const nlohmann::json& blocks = schedule.at("blocks");
  page.heading(fmt::format("Memory by block (chosen: {})", schedule.at("chosen").get<std::string>()));
  for (const char* name : {"layer", "stream"}) {
    const nlohmann::json& one = schedule.at(name);
    page.row(name,
             fmt::format("SRAM {}, arena {}{}{}", bytes(one.at("sram_bytes")), bytes(one.at("arena_bytes")),
                         one.at("extra_macs") == 0
                             ? ""
                             : fmt::format(", {} MACs computed again",
                                           format_count(one.at("extra_macs").get<int64_t>())),
                         one.at("fits").get<bool>() ? "" : "   exceeds the limit"));
  }
  if (const nlohmann::json& patches = schedule.at("patches"); !patches.is_null()) {
    const int side = patches.at("patches").get<int>();
    page.row("patches",
             fmt::format("{} alive with {} x {} patches, {} MACs computed again (MCUNetV2's way; analytic, "
                         "not built)",
                         bytes(patches.at("bytes")), side, side,
                         format_count(patches.at("extra_macs").get<int64_t>())));
  }
  int64_t most = 1;
  for (const nlohmann::json& block : blocks)
    most = std::max({most, block.at("layer_bytes").get<int64_t>(), block.at("stream_bytes").get<int64_t>()});
  const auto bar = [&](const nlohmann::json& used, char sign) {
    const int64_t length = (used.get<int64_t>() * kBarWidth / 2 + most - 1) / most;
    return fmt::format("{:>10} {:<{}}", bytes(used), std::string(static_cast<size_t>(length), sign),
                       kBarWidth / 2);
  };
  for (const nlohmann::json& block : blocks) {
    const auto extra_macs = block.at("extra_macs").get<int64_t>();
    page.row(block.at("name").get<std::string>(),
             fmt::format("layer {}  stream {}  {}x{} sees {:>3} rows{}", bar(block.at("layer_bytes"), '#'),
                         bar(block.at("stream_bytes"), '='), block.at("kernel").get<int>(),
                         block.at("kernel").get<int>(), block.at("receptive_field").get<int64_t>(),
                         extra_macs == 0 ? "" : fmt::format(", {} MACs again", format_count(extra_macs))));
  }
}

void accuracy(Page& page, const nlohmann::json& result) {
  const nlohmann::json& accuracy = result.at("accuracy");
  page.heading(fmt::format("Accuracy (top-1; {} test images, touched only here)",
                           accuracy.at("test_images").get<int64_t>()));
  page.row("int8, test",
           page.strong(percent(accuracy.at("int8"))) + "   by integer arithmetic, as the firmware computes");
  page.row("fp32, test", percent(accuracy.at("finetuned_fp32")));
  const double loss = accuracy.at("finetuned_fp32").get<double>() - accuracy.at("int8").get<double>();
  page.row("lost by int8", fmt::format("{:+.2f} points; method: {}", 100 * loss,
                                       result.at("quantization").at("method").get<std::string>()));
  page.row(
      "validation",
      fmt::format("int8 {}, fp32 {} on {} images; in the supernet {} on {}", percent(accuracy.at("val_int8")),
                  percent(accuracy.at("val_finetuned_fp32")), accuracy.at("val_images").get<int64_t>(),
                  percent(accuracy.at("supernet")), accuracy.at("supernet_val_images").get<int64_t>()));
}

// "0.62 [0.41, 0.78]": a rank correlation and its interval.
std::string correlation(const nlohmann::json& figures, const std::string& name) {
  const nlohmann::json& value = figures.at(name);
  const nlohmann::json& ends = figures.at(name + "_interval");
  std::optional<Interval> interval;
  if (!ends.is_null()) interval = {ends[0].get<double>(), ends[1].get<double>()};
  return with_interval(value.is_null() ? std::nullopt : std::optional(value.get<double>()), interval);
}

void predictor(Page& page, const nlohmann::json& search) {
  const nlohmann::json used = search.value("predictor", nlohmann::json());
  if (used.is_null()) return;
  const nlohmann::json& quality = used.at("quality");
  page.row("predictor",
           fmt::format("{}: {} networks measured, {} predicted", used.at("kind").get<std::string>(),
                       used.at("measured").get<int64_t>(), used.at("predicted").get<int64_t>()));
  page.row("", fmt::format("on networks held out: tau {}, rho {}, RMSE {}", correlation(quality, "tau"),
                           correlation(quality, "rho"),
                           quality.at("rmse").is_null()
                               ? "not known"
                               : fmt::format("{:.2f} points", 100 * quality.at("rmse").get<double>())));
}

void proxy(Page& page, const nlohmann::json& search) {
  const nlohmann::json used = search.value("proxy", nlohmann::json());
  if (used.is_null()) return;
  const nlohmann::json& own = used.at("correlation");
  page.row("proxy", fmt::format("{}: ranks {} measured networks with tau {}; #params with tau {}",
                                used.at("proxy").get<std::string>(), own.at("networks").get<int64_t>(),
                                correlation(own, "tau"), correlation(used.at("params"), "tau")));
}

void search(Page& page, const nlohmann::json& result) {
  const nlohmann::json& search = result.at("search");
  page.heading(fmt::format("Was the search worth its time? ({} networks evaluated)",
                           search.at("evaluated").get<int64_t>()));
  for (const char* name : {"largest", "median", "smallest"}) {
    const nlohmann::json& network = search.at("reference").at(name);
    page.row(name, fmt::format("supernet {}  {:>9} MACs{}", percent(network.at("accuracy")),
                               format_count(network.at("macs").get<int64_t>()),
                               network.at("fits").get<bool>() ? "" : "  (exceeds the limits)"));
  }
  predictor(page, search);
  proxy(page, search);
  const nlohmann::json& comparison = search.at("comparison");
  if (comparison.is_null() || comparison.at("networks").empty()) {
    page.row("comparison", "none: no random fitting network of the winner's MACs");
    return;
  }
  const double gain = comparison.at("winner").get<double>() - comparison.at("mean").get<double>();
  const bool by_finetune = comparison.at("by") == "finetune";
  const std::string by = by_finetune ? fmt::format("after {} fine-tuning steps each",
                                                   comparison.at("finetune_steps").get<int64_t>())
                                     : std::string("by supernet accuracy");
  page.row("winner", percent(comparison.at("winner")));
  page.row("random", fmt::format("{}   mean of {} fitting networks of the same MACs +- {:.0f} %",
                                 percent(comparison.at("mean")), comparison.at("networks").size(),
                                 100 * comparison.at("macs_tolerance").get<double>()));
  page.row("gain", page.paint(gain > 0 ? "32" : "31", fmt::format("{:+.2f} points", 100 * gain)) + ", " + by +
                       ", on the validation images that the search looked at");
}

// After a search for it; else search.json has it.
void front(Page& page, const nlohmann::json& result) {
  const nlohmann::json& search = result.at("search");
  if (search.at("ranking") != "pareto") return;
  page.heading(
      fmt::format("Pareto front of the supernet: {} networks that no other beats in everything (front.svg)",
                  search.at("front").size()));
  page.raw(front_table(search.at("front"), "  ") + "\n");
}

void boards(Page& page, const nlohmann::json& result) {
  if (result.at("latency_ms").empty()) return;
  page.heading("Modelled latency and energy of one inference");
  for (const auto& [board, latency] : result.at("latency_ms").items()) {
    const auto energy = result.at("energy_mj").find(board);
    const std::string energy_text = energy == result.at("energy_mj").end()
                                        ? std::string(13, ' ')
                                        : fmt::format("  {:8.2f} mJ", energy->get<double>());
    page.row(board, fmt::format("{:8.1f} ms{}  {}{}", latency.get<double>(), energy_text,
                                trust(result, board), result.at("board") == board ? "   <- --board" : ""));
  }
}

void times(Page& page, const nlohmann::json& result) {
  page.heading("Time");
  std::string text;
  for (const char* stage :
       {"space", "train", "evolve", "finetune", "quantize", "export", "verify", "report"}) {
    text += fmt::format("{} {}  ", stage, format_seconds(result.at("wall_s").at(stage).get<double>()));
  }
  page.line(text + "= " + page.strong(format_seconds(result.at("wall_s").at("total").get<double>())));
}

void closing(Page& page, const nlohmann::json& result) {
  page.heading("What is approximate");
  for (const nlohmann::json& note : result.at("approximate")) page.line("- " + note.get<std::string>());
  page.heading("What to hand over");
  page.row("firmware", page.strong(result.at("firmware").get<std::string>() + "/") +
                           "   C99, no malloc; `make test` there checks it");
  page.row("verified", fmt::format("{} bit for bit; {}", result.at("verify").at("inputs").get<std::string>(),
                                   result.at("verify").at("arm_note").get<std::string>()));
  page.row("run directory", result.at("directory").get<std::string>() + "/   result.json has all of this");
}

}  // namespace

std::string render_result(const nlohmann::json& result, bool colour) {
  Page page(colour);
  page.raw(
      "\n" +
      page.strong(fmt::format("tinynas: {}, effort {}, seed {}", result.at("name").get<std::string>(),
                              result.at("effort").get<std::string>(), result.at("seed").get<int64_t>())) +
      "\n");
  architecture(page, result);
  limits(page, result);
  schedules(page, result);
  accuracy(page, result);
  search(page, result);
  front(page, result);
  boards(page, result);
  times(page, result);
  closing(page, result);
  return page.text();
}

}  // namespace tinynas
