#include "cost_models/patches.h"

#include <algorithm>

#include "base/error.h"
#include "cost_models/row_graph.h"
#include "cost_models/segment_costs.h"
#include "cost_models/strip_columns.h"

namespace tinynas {
namespace {

// What the patches ask of one tensor along one axis.
struct Axis {
  std::vector<ColumnRange> parts;
  int widest() const {
    int most = 0;
    for (const ColumnRange& part : parts) most = std::max(most, part.count());
    return most;
  }
  int64_t sum() const {
    int64_t all = 0;
    for (const ColumnRange& part : parts) all += part.count();
    return all;
  }
  int64_t covered() const {
    int end = 0;
    int64_t all = 0;
    for (const ColumnRange& part : parts) {
      all += std::max(0, part.end - std::max(end, part.begin));
      end = std::max(end, part.end);
    }
    return all;
  }
};

class PatchStage {
 public:
  PatchStage(const Graph& graph, const RowGraph& rows, const PlanOptions& options, int split, int patches)
      : graph_(graph), rows_(rows), options_(options), rules_(graph, options.in_place), split_(split) {
    along_h_.resize(rows.tensors.size());
    along_w_.resize(rows.tensors.size());
    const RowTensor& out = rows.tensor(rows.op(split - 1).output);
    possible_ = patches <= out.h && patches <= out.w;
    for (int part = 0; possible_ && part < patches; ++part) {
      add_part(along_h_, part, strip_of(out.h, part, patches), true);
      add_part(along_w_, part, strip_of(out.w, part, patches), false);
    }
  }

  bool possible() const { return possible_; }

  int64_t extra_macs() const {
    int64_t extra = 0;
    for (int position = 0; position < split_; ++position) {
      const RowOp& op = rows_.op(position);
      const Axis& h = along_h_[static_cast<size_t>(op.output)];
      const Axis& w = along_w_[static_cast<size_t>(op.output)];
      const int64_t again = h.sum() * w.sum() - h.covered() * w.covered();
      extra += op.column_macs / rows_.tensor(op.output).h * again;
    }
    return extra;
  }

  // The most alive while a patch is computed, with `beside` bytes (a resident input) there all the time.
  int64_t peak(int64_t beside) const {
    const TensorId result = rows_.op(split_ - 1).output;
    beside += align_up(rows_.tensor(result).bytes, options_.alignment);
    int64_t most = 0;
    for (int position = 0; position < split_; ++position) {
      const RowOp& row = rows_.op(position);
      const Op& op = graph_.ops[static_cast<size_t>(row.op)];
      int64_t live = beside;
      for (size_t id = 0; id < rows_.tensors.size(); ++id) {
        const RowTensor& tensor = rows_.tensors[id];
        if (tensor.producer < position && tensor.last_read >= position)
          live += tile(static_cast<TensorId>(id));
      }
      const int columns = along_w_[static_cast<size_t>(op.inputs[0])].widest();
      const auto scratch = [&](bool in_place) {
        return align_up(row_scratch_bytes(graph_, op, in_place, columns, options_.variant),
                        options_.alignment);
      };
      int64_t output = scratch(false) + tile(op.output);
      for (size_t i = 0; i < op.inputs.size(); ++i) {
        const bool dies = rows_.tensor(op.inputs[i]).last_read == position && op.inputs[i] != graph_.input;
        if (dies && rules_.can(op, i) && tile(op.output) <= tile(op.inputs[i]))
          output = std::min(output, scratch(true));
      }
      most = std::max(most, live + output);
    }
    return most;
  }

 private:
  void add_part(std::vector<Axis>& axes, int part, const ColumnRange& range, bool along_h) {
    const auto at = static_cast<size_t>(part);
    axes[static_cast<size_t>(rows_.op(split_ - 1).output)].parts.push_back(range);
    for (int position = split_ - 1; position >= 0; --position) {
      const RowOp& op = rows_.op(position);
      const std::vector<ColumnRange>& made = axes[static_cast<size_t>(op.output)].parts;
      if (made.size() <= at) {
        possible_ = false;
        return;
      }
      for (int i = 0; i < op.input_count; ++i) {
        const TensorId id = op.inputs[static_cast<size_t>(i)];
        const RowTensor& in = rows_.tensor(id);
        const ColumnRange needed =
            input_columns(along_h ? op.rows : op.columns, made[at], along_h ? in.h : in.w);
        possible_ = possible_ && needed.count() > 0;
        std::vector<ColumnRange>& parts = axes[static_cast<size_t>(id)].parts;
        if (parts.size() <= at)
          parts.push_back(needed);
        else
          parts[at] = {std::min(parts[at].begin, needed.begin), std::max(parts[at].end, needed.end)};
      }
    }
  }

  // The result is written to its place as a whole; a resident input is read from there.
  int64_t tile(TensorId id) const {
    if (id == rows_.op(split_ - 1).output) return 0;
    if (id == graph_.input && options_.input == InputKind::kResident) return 0;
    const int64_t positions =
        int64_t{along_h_[static_cast<size_t>(id)].widest()} * along_w_[static_cast<size_t>(id)].widest();
    return align_up(positions * rows_.tensor(id).column_bytes, options_.alignment);
  }

  const Graph& graph_;
  const RowGraph& rows_;
  const PlanOptions& options_;
  const InPlaceRules rules_;
  const int split_;
  bool possible_ = true;
  std::vector<Axis> along_h_;
  std::vector<Axis> along_w_;
};

}  // namespace

std::vector<PatchPlan> patch_plans(const Graph& graph, const PlanOptions& options, int most_patches) {
  if (options.input == InputKind::kRows)
    throw usage_error("patches: rows that arrive once cannot feed patches");
  const RowGraph rows(graph, planned_order(graph, options));
  const SegmentCosts costs(graph, rows, options);
  std::vector<PatchPlan> plans;
  const bool resident = options.input == InputKind::kResident;
  const int64_t input_bytes = resident ? align_up(rows.tensor(graph.input).bytes, options.alignment) : 0;
  for (int split = 1; split <= rows.size(); ++split) {
    const RowOp& last = rows.op(split - 1);
    if (!last.streams || last.reduces) break;
    const std::vector<TensorId>& alive = costs.border(split).whole;
    if (alive.size() != 1 || alive.front() != last.output || rows.tensor(graph.input).last_read >= split)
      continue;
    int64_t behind = 0;
    for (int position = split; position < rows.size(); ++position) {
      Segment layer;
      costs.layer(position, layer);
      behind = std::max(behind, layer.bytes);
    }
    for (int patches = 1; patches <= most_patches; ++patches) {
      const PatchStage stage(graph, rows, options, split, patches);
      if (!stage.possible()) continue;
      plans.push_back({split, patches, std::max(behind, stage.peak(input_bytes)), stage.extra_macs()});
    }
  }
  return plans;
}

PatchPlan best_patch_plan(const std::vector<PatchPlan>& plans, int64_t most_macs) {
  PatchPlan best;
  best.patches = 0;
  for (const PatchPlan& plan : plans) {
    if (plan.extra_macs > most_macs) continue;
    if (best.patches == 0 || plan.bytes < best.bytes ||
        (plan.bytes == best.bytes && plan.extra_macs < best.extra_macs))
      best = plan;
  }
  return best;
}

}  // namespace tinynas
