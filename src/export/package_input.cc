#include "export/package_input.h"

#include <set>

#include "cost_models/package_bounds.h"
#include "export/assets.h"
#include "export/c_stream.h"
#include "export/c_text.h"

namespace tinynas {
namespace {

using Values = std::map<std::string, std::string>;

// Without the end of the last line: the template that it goes into has that.
std::string piece(InputKind input, const std::string& file, const Values& values) {
  const std::string text = fill_template(input_template(input, file), values);
  return text.substr(0, text.find_last_not_of('\n') + 1);
}

const PlannedBuffer& input_buffer(const PackageSource& source) {
  return source.plan.buffers[static_cast<size_t>(
      source.plan.buffer_of_tensor[static_cast<size_t>(source.model.graph.input)])];
}

void put_rows(const PackageSource& source, Values& values) {
  const PlannedBuffer& ring = input_buffer(source);
  const Shape& shape = source.model.graph.tensor(source.model.graph.input).shape;
  const int strips = source.plan.segments[0].strips;
  values["INPUT_STRIPS"] = std::to_string(strips);
  values["INPUT_ROW_BYTES"] = std::to_string(int64_t{shape.w} * shape.c);
  values["INPUT_RING_ROWS"] = std::to_string(ring.ring_rows);
  values["REREAD_STRIPS"] =
      strips == 1 ? ""
                  : ", for " + std::to_string(strips) +
                        " vertical strips one after another: only the columns that a strip needs";
  values["STREAM_BYTES"] = std::to_string(source.costs.sram.persistent_bytes);
}

}  // namespace

const std::string& input_template(InputKind input, const std::string& file) {
  static const std::set<std::string> of_reread = {"run.c", "statuses.h", "order.txt", "readme_input.md"};
  const char* folder = input == InputKind::kResident                               ? "resident/"
                       : input == InputKind::kReread && of_reread.count(file) != 0 ? "reread/"
                                                                                   : "rows/";
  return asset("export/templates/" + (folder + file));
}

void put_input(const PackageSource& source, Values& values) {
  const InputKind input = source.plan.input;
  const bool resident = input == InputKind::kResident;
  const bool rows = input == InputKind::kRows;
  const auto fill = [&](const char* file) { return piece(input, file, values); };
  if (!resident) {
    put_rows(source, values);
    const std::string order = fill("order.txt");
    values["ROW_ORDER"] = order;
  }
  values["DELIVERY"] = name_of(input);
  values["INPUT_PART"] = resident ? "" : "'s ring of " + values["INPUT_RING_ROWS"] + " rows";
  values["INPUT_ARENA_BYTES"] = std::to_string(source.plan.input_bytes);
  values["STATE_NOTE"] = rows ? "All state of a run is in the arena and in the stream of a run that is pushed"
                              : "All state of a run is in the arena";
  values["CARD_DELIVERY"] =
      resident ? "as a whole, in the arena"
      : rows   ? "row by row, each once, from the uppermost on (pulled by a callback or pushed)"
               : "row by row, on demand, as often as it is asked for (pulled by a callback)";
  values["USAGE"] = fill("usage.h");
  values["PLACES"] = fill("places.h");
  values["INPUT_PLACE"] = fill("input_place.h");
  values["MORE_STATUSES"] = fill("statuses.h");
  values["README_CODE"] = fill("readme_code.md");
  values["README_INPUT"] = fill("readme_input.md");
  values["README_STREAM"] =
      rows
          ? "| `" + values["NAME"] + "_stream`, for a run whose rows are pushed | " + values["STREAM_BYTES"] +
                " | exact on Cortex-M; yours to place, or, where rows are pulled, on the stack |\n"
          : "";
  values["RUN_API"] = fill(resident ? "api.h" : "pull.h");
  if (rows) {
    const std::string fields =
        c_stream_struct(source.options.name, source.model.graph, source.plan, source.operators);
    values["STREAM_STRUCT"] = fields.substr(0, fields.find_last_not_of('\n') + 1) + "\n";
    values["RUN_API"] += "\n\n" + fill("push.h");
  }
  values["PROFILE_API"] = fill("profile.h");
  values["PROFILE_NOTE"] = source.plan.streams() ? "Layers that run row by row take turns: the hook is "
                                                   "called for every row, and sums are yours to add up."
                                                 : "Here that is once a layer, in order.";
  values["EXECUTE_INPUT"] = resident ? "const int8_t *input, " : "";
  values["EXECUTE_COMMENT"] =
      resident ? "/* `input` and `output` may be outside the arena. */"
               : "/* What stands behind the input's rows. `output` may be outside the arena. */";
  values["ORDER_CHECK"] = rows ? fill("order_check.c") + "\n" : "";
  values["ASKED_CHECK"] = rows ? fill("asked_check.c") : "  failures += source.asked < 1;";
  values["PUSH_TEST"] = rows ? fill("push_test.c") + "\n\n" : "";
  values["PUSH_CALL"] = rows ? "    failures += test_push(arena, i);\n" : "";
  values["RUN"] = fill("run.c");
}

}  // namespace tinynas
