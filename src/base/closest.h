// "did you mean": the known word that a misspelt one is nearest to.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tinynas {

// The word of `words` with the fewest single-character insertions, deletions, replacements and swaps of
// neighbours from `word` (the first of several), when that takes at most two of them or half of its length.
std::optional<std::string> closest_word(const std::string& word, const std::vector<std::string>& words);

}  // namespace tinynas
