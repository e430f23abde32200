// What a step trains: properties of the plans of all methods, without a network.
#include "supernet/training_method.h"

#include <algorithm>
#include <set>

#include "fixtures.h"
#include "supernet/progressive_shrinking.h"

using namespace tinynas;

namespace {

std::vector<SearchSpace> all_spaces() { return {small_space(), small_wide_space(), small_ds_space()}; }

struct Planner {
  SearchSpace space;
  Architecture layout;
  ArchitectureSampler sampler;
  std::unique_ptr<TrainingMethod> method;

  Planner(const SearchSpace& of, const TrainOptions& options)
      : space(of),
        layout(largest(space, {1.0, 16})),
        sampler([this](Rng& rng) { return sample(space, layout.sub_space, rng); }) {
    method = make_training_method(options, space, layout, sampler);
  }
};

TrainOptions options_of(TrainMethod method, std::optional<Distillation> distillation = std::nullopt) {
  TrainOptions options;
  options.method = method;
  options.distillation = distillation;
  options.subnets_per_step = 3;
  return options;
}

}  // namespace

TEST_CASE("every task of every method is a member of the sub-space, on a batch that there is") {
  for (const SearchSpace& space : all_spaces()) {
    for (const TrainMethod method : {TrainMethod::kMcunet, TrainMethod::kOfa, TrainMethod::kSandwich}) {
      for (const Distillation distillation : {Distillation::kNone, Distillation::kAlpha}) {
        const Planner planner(space, options_of(method, distillation));
        for (int step = 0; step < 60; ++step) {
          const std::vector<TrainingTask> tasks =
              planner.method->tasks(step / 60.0, Rng(5).fork(static_cast<uint64_t>(step)));
          REQUIRE(!tasks.empty());
          CHECK(tasks[0].teacher != Teacher::kInPlace);
          for (const TrainingTask& task : tasks) {
            CHECK_NOTHROW(validate(space, task.architecture));
            CHECK(task.architecture.sub_space == planner.layout.sub_space);
            CHECK((task.batch >= 0 && task.batch < planner.method->batches_per_step()));
            if (task.teacher == Teacher::kInPlace) CHECK(task.batch == tasks[0].batch);
            if (task.teacher == Teacher::kFrozen) CHECK(planner.method->needs_frozen_teacher());
            CHECK((task.teacher == Teacher::kNone) == (task.teacher_weight == 0));
            const bool teaches_itself = method == TrainMethod::kSandwich && &task == &tasks[0];
            CHECK((task.teacher != Teacher::kNone) ==
                  (distillation != Distillation::kNone && !teaches_itself));
            CHECK(task.label_weight + task.teacher_weight > 0);
          }
          // The same arguments, the same plan.
          CHECK(
              planner.method->tasks(step / 60.0, Rng(5).fork(static_cast<uint64_t>(step)))[0].architecture ==
              tasks[0].architecture);
        }
      }
    }
  }
}

TEST_CASE("the sandwich is the largest, the smallest and sampled networks; only the largest sees labels") {
  const SearchSpace space = small_space();
  const Planner planner(space, options_of(TrainMethod::kSandwich));
  const std::vector<TrainingTask> tasks = planner.method->tasks(0.5, Rng(1));
  REQUIRE(tasks.size() == 5);
  CHECK(tasks[0].architecture == planner.layout);
  CHECK(tasks[0].label_weight == 1);
  CHECK(tasks[1].architecture == smallest(space, planner.layout.sub_space));
  for (size_t i = 1; i < tasks.size(); ++i) {
    CHECK(tasks[i].teacher == Teacher::kInPlace);
    CHECK(tasks[i].label_weight == 0);
  }
  for (const TrainingTask& task :
       Planner(space, options_of(TrainMethod::kSandwich, Distillation::kNone)).method->tasks(0.5, Rng(1)))
    CHECK(task.label_weight == 1);
}

TEST_CASE("mcunet's plan is what training always drew") {
  const SearchSpace space = small_space();
  const Planner planner(space, options_of(TrainMethod::kMcunet));
  const Rng step = Rng(9).fork("train").fork(17);
  const std::vector<TrainingTask> tasks = planner.method->tasks(0.3, step);
  REQUIRE(tasks.size() == 3);
  for (uint64_t i = 0; i < 3; ++i) {
    Rng rng = step.fork("architecture").fork(i);
    CHECK(tasks[i].architecture == sample(space, planner.layout.sub_space, rng));
    CHECK(tasks[i].batch == static_cast<int>(i));
    CHECK(tasks[i].teacher == Teacher::kNone);
  }
}

TEST_CASE("progressive shrinking: kernels first, then depths, then expansions and channels") {
  for (const SearchSpace& space : all_spaces()) {
    TrainOptions options = options_of(TrainMethod::kOfa);
    options.kernel_phase = 0.25;
    options.depth_phase = 0.25;
    const Planner planner(space, options);
    std::set<int> kernels;
    std::set<size_t> depths;
    bool narrower = false;
    for (int step = 0; step < 400; ++step) {
      const double progress = step / 400.0;
      const std::string phase = planner.method->phase(progress);
      CHECK(phase == (step < 100 ? "kernel" : step < 200 ? "depth" : "expansion"));
      for (const TrainingTask& task :
           planner.method->tasks(progress, Rng(2).fork(static_cast<uint64_t>(step)))) {
        for (size_t i = 0; i < space.stages.size(); ++i) {
          const std::vector<BlockChoice>& blocks = task.architecture.stages[i].blocks;
          const std::vector<BlockChoice>& full = planner.layout.stages[i].blocks;
          if (phase == "kernel") CHECK(blocks.size() == full.size());
          if (phase == "expansion" && i == 2) depths.insert(blocks.size());
          for (size_t j = 0; j < blocks.size(); ++j) {
            if (phase == "kernel") kernels.insert(blocks[j].kernel);
            const bool full_width =
                blocks[j].expansion == full[j].expansion && blocks[j].channels == full[j].channels;
            if (phase != "expansion") CHECK(full_width);
            narrower = narrower || !full_width;
          }
        }
      }
    }
    // All that may shrink does.
    const StageSpec& stage = space.stages[2];
    CHECK(kernels == std::set<int>(stage.kernels.begin(), stage.kernels.end()));
    CHECK(depths == std::set<size_t>(stage.depths.begin(), stage.depths.end()));
    CHECK(narrower);
  }
}

TEST_CASE("a dimension begins with the larger half of its options") {
  CHECK(shrinking_phase(0.0, 0.3, 0.6).narrow == false);
  CHECK(shrinking_phase(0.30, 0.3, 0.6).narrow);
  CHECK_FALSE(shrinking_phase(0.36, 0.3, 0.6).narrow);
  CHECK(shrinking_phase(0.61, 0.3, 0.6).narrow);
  CHECK_FALSE(shrinking_phase(0.7, 0.3, 0.6).narrow);
  const SearchSpace space = small_space();  // depths {1, 2, 3}, expansions {2, 3, 4}
  const SubSpace sub_space{1.0, 16};
  const Architecture full = largest(space, sub_space);
  Rng rng(1);
  using Elastic = ShrinkingPhase::Elastic;
  const Architecture shallow =
      grow_to_phase(space, full, smallest(space, sub_space), {Elastic::kDepth, true}, rng);
  CHECK(shallow.stages[1].blocks.size() == 2);
  CHECK(shallow.stages[1].blocks[0].expansion == 4);
  const Architecture thin =
      grow_to_phase(space, full, smallest(space, sub_space), {Elastic::kExpansion, true}, rng);
  CHECK(thin.stages[1].blocks.size() == 1);
  CHECK(thin.stages[1].blocks[0].expansion == 3);
  const Architecture any = smallest(space, sub_space);
  CHECK(grow_to_phase(space, full, any, {Elastic::kExpansion, false}, rng) == any);
}

TEST_CASE("distillation from a frozen teacher asks for a warm-up that trains it") {
  TrainOptions options = options_of(TrainMethod::kOfa);
  CHECK_NOTHROW(options.check());
  options.warmup_fraction = 0;
  CHECK_THROWS_WITH(options.check(), Catch::Contains("warmup_fraction"));
  options.distillation = Distillation::kNone;
  CHECK_NOTHROW(options.check());
  options = options_of(TrainMethod::kSandwich);
  options.warmup_fraction = 0;
  CHECK_NOTHROW(options.check());
  options.kernel_phase = 0.7;
  options.depth_phase = 0.4;
  CHECK_THROWS_WITH(options.check(), Catch::Contains("depth_phase"));
}
