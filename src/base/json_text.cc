#include "base/json_text.h"

#include <set>
#include <vector>

#include "base/error.h"

namespace tinynas {

nlohmann::json parse_json(const std::string& text, const std::string& where) {
  using Event = nlohmann::json::parse_event_t;
  std::vector<std::set<std::string>> open;  // keys of the objects around
  const auto check_keys = [&](int, Event event, nlohmann::json& parsed) {
    if (event == Event::object_start) open.emplace_back();
    if (event == Event::object_end) open.pop_back();
    if (event == Event::key && !open.back().insert(parsed.get<std::string>()).second) {
      throw usage_error(where + ": key " + parsed.dump(-1, ' ', true) +
                        " stands twice in one object, expected once");
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, check_keys);
  } catch (const nlohmann::json::exception& error) {
    throw usage_error(where + ": not valid JSON: " + error.what());
  }
}

}  // namespace tinynas
