// CsvTable, and the measurements that a person hands in.
#include "base/error.h"
#include "cost_models/csv.h"
#include "cost_models/measurements.h"
#include "scratch_file.h"

using namespace tinynas;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzz::ScratchFile file(".csv");
  const std::string text = fuzz::text(data, size);
  try {
    const CsvTable table(text, "input");
    for (size_t row = 0; row < table.rows(); ++row) {
      for (const std::string& column : table.columns()) table.text(row, column);
    }
    file.write(text);
    load_counted_calls(file.path());
  } catch (const Error&) {
  }
  return 0;
}
