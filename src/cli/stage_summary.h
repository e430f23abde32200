// What a finished stage reported, for those that read it later. Run directories outlive versions of tinynas.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/run.h"

namespace tinynas {

class StageSummary {
 public:
  // `run` must outlive it. Throws Error(kUsage) when the stage is not finished.
  StageSummary(const Run& run, const std::string& stage);

  // The value at a path such as "data.val_images". Throws Error(kData) naming the run, the stage and the
  // path, and saying which command writes it, where the stage was finished by a version that did not.
  const nlohmann::json& at(const std::string& path) const;
  const nlohmann::json& json() const { return record_->summary; }
  double wall_s() const { return record_->wall_s; }

 private:
  const StageRecord* record_;
  std::string directory_;
  std::string stage_;
};

// What an exception of nlohmann's says, without its number: "key 'method' not found".
std::string plain_text(const nlohmann::json::exception& error);

}  // namespace tinynas
