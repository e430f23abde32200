// The short canonical text of an architecture: width, resolution, then the blocks of each stage.
#include <charconv>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "space/architecture.h"

namespace tinynas {
namespace {

constexpr int kMaxGene =
    1 << 20;  // beyond every space; decode() needs some bound, validate() knows the real one

// The shortest decimal that reads back as the same double, with two decimals or more: 0.5 -> "0.50".
std::string width_text(double width) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, width, std::chars_format::fixed).ptr;
  std::string text(buffer, end);
  size_t point = text.find('.');
  if (point == std::string::npos) {
    point = text.size();
    text += '.';
  }
  while (text.size() - point - 1 < 2) text += '0';
  return text;
}

// Consumes the text from the front.
class TextReader {
 public:
  explicit TextReader(const std::string& text) : text_(text), rest_(text) {}

  bool done() const { return rest_.empty(); }

  bool accept(std::string_view token) {
    if (rest_.substr(0, token.size()) != token) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  void expect(std::string_view token) {
    if (!accept(token)) fail("\"" + std::string(token) + "\"");
  }

  int positive_integer() {
    int value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    // A leading zero would be a second text for the same architecture.
    if (error != std::errc{} || value < 1 || value > kMaxGene || rest_[0] == '0') fail("a positive integer");
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }

  double width() {
    double value = 0;
    const auto [end, error] =
        std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, std::chars_format::fixed);
    const auto length = static_cast<size_t>(end - rest_.data());
    if (error != std::errc{} || !std::isfinite(value) || !(value > 0) ||
        width_text(value) != rest_.substr(0, length)) {
      fail("a width such as 0.50");
    }
    rest_.remove_prefix(length);
    return value;
  }

  [[noreturn]] void fail(const std::string& expected) const {
    throw usage_error("architecture \"" + text_ + "\": at character " +
                      std::to_string(text_.size() - rest_.size()) + ": expected " + expected);
  }

 private:
  const std::string& text_;
  std::string_view rest_;
};

}  // namespace

std::string encode(const Architecture& architecture) {
  std::string text = "w" + width_text(architecture.sub_space.width) + "-r" +
                     std::to_string(architecture.sub_space.resolution);
  char stage_separator = ':';
  for (const StageChoice& stage : architecture.stages) {
    text += stage_separator;
    stage_separator = '|';
    for (size_t j = 0; j < stage.blocks.size(); ++j) {
      const BlockChoice& block = stage.blocks[j];
      if (j > 0) text += ',';
      text += 'k';
      text += std::to_string(block.kernel);
      // A DS block has the expansion 1, so that nothing says which kind of block it is, nor has to.
      if (block.channels == 0 || block.expansion > 1) text += 'e' + std::to_string(block.expansion);
      if (block.channels > 0) text += 'c' + std::to_string(block.channels);
    }
  }
  return text;
}

Architecture decode(const std::string& text) {
  TextReader reader(text);
  Architecture architecture;
  reader.expect("w");
  architecture.sub_space.width = reader.width();
  reader.expect("-r");
  architecture.sub_space.resolution = reader.positive_integer();
  reader.expect(":");
  do {
    StageChoice stage;
    if (reader.accept("k")) {
      do {
        BlockChoice block;
        block.kernel = reader.positive_integer();
        if (reader.accept("c")) {
          block.channels = reader.positive_integer();
        } else {
          reader.expect("e");
          block.expansion = reader.positive_integer();
          if (block.expansion > 1 && reader.accept("c")) block.channels = reader.positive_integer();
        }
        stage.blocks.push_back(block);
      } while (reader.accept(",k"));
    }
    architecture.stages.push_back(std::move(stage));
  } while (reader.accept("|"));
  if (!reader.done()) reader.fail("\",k\", \"|\" or the end");
  return architecture;
}

}  // namespace tinynas
