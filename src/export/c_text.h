// Pieces of C text: names, literals, comments and arrays that every C99 compiler reads back as what was
// meant.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tinynas {

// Letters, digits and underscores; everything else becomes an underscore ("stage0.block1" ->
// "stage0_block1").
std::string c_symbol(const std::string& text);
std::string upper_case(std::string text);

// Safe between "/*" and "*/" whatever the text holds.
std::string c_comment(const std::string& text);

// With quotes; bytes outside printable ASCII as octal escapes, no trigraphs.
std::string c_string(const std::string& text);

// Reads back as exactly this value ("1.562500000e-02f").
std::string c_float(float value);

// `const int8_t NAME[3] = {...};` and the same for int32_t.
std::string c_array(const std::string& name, const std::vector<int8_t>& values);
std::string c_array(const std::string& name, const std::vector<int32_t>& values);

// Lines of the numbers alone, for arrays of arrays.
std::string c_numbers(const std::vector<int8_t>& values);

// "32x32x3"-like text is common in comments: joins with `separator`.
std::string join(const std::vector<std::string>& parts, const std::string& separator);

// Replaces every "@KEY@". A key of the text that is not in `values` is an internal error: Error(kFailure).
std::string fill_template(const std::string& text, const std::map<std::string, std::string>& values);

}  // namespace tinynas
