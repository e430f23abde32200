#include "base/yaml_document.h"

#include <yaml-cpp/eventhandler.h>

#include <sstream>

#include "base/error.h"

namespace tinynas {
namespace {

// Lets one document pass and refuses the start of another.
class OneDocument : public YAML::EventHandler {
 public:
  explicit OneDocument(const std::string& where) : where_(where) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (seen_) {
      throw usage_error(at_line(where_, mark) +
                        ": not valid YAML: expected one document, got more behind it");
    }
    seen_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
  }
  void OnMapEnd() override {}

 private:
  const std::string& where_;
  bool seen_ = false;
};

}  // namespace

std::string at_line(const std::string& where, const YAML::Mark& mark) {
  return mark.is_null() ? where : where + ":" + std::to_string(mark.line + 1);
}

YAML::Node read_yaml_document(const std::string& text, const std::string& where) {
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    OneDocument one(where);
    while (parser.HandleNextDocument(one)) {
    }
    return YAML::Load(text);
  } catch (const YAML::Exception& error) {
    throw usage_error(at_line(where, error.mark) + ": not valid YAML: " + error.msg);
  }
}

}  // namespace tinynas
