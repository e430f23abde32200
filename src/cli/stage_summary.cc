#include "cli/stage_summary.h"

#include "base/error.h"

namespace tinynas {

StageSummary::StageSummary(const Run& run, const std::string& stage)
    : record_(run.record(stage)), directory_(run.directory().string()), stage_(stage) {
  if (record_ == nullptr) throw usage_error(directory_ + ": stage '" + stage + "' is not finished");
}

const nlohmann::json& StageSummary::at(const std::string& path) const {
  const nlohmann::json* value = &record_->summary;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('.', begin), path.size());
    const std::string key = path.substr(begin, end - begin);
    if (!value->is_object() || !value->contains(key)) {
      throw data_error(directory_ + "/state.json: stage '" + stage_ + "' reported no " + path +
                       ", so another version of tinynas finished it; repeat it and what follows: tinynas " +
                       stage_ + " " + directory_ + " --again");
    }
    value = &value->at(key);
    begin = end + 1;
  }
  return *value;
}

std::string plain_text(const nlohmann::json::exception& error) {
  const std::string text = error.what();
  const size_t end = text.starts_with('[') ? text.find("] ") : std::string::npos;
  return end == std::string::npos ? text : text.substr(end + 2);
}

}  // namespace tinynas
