#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/yaml_document.h"

using namespace tinynas;
using Catch::Matchers::Contains;

namespace {

std::string error_of(const std::string& yaml) {
  try {
    read_yaml_document(yaml, "my.yaml");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kUsage);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("one YAML document is read, none is null") {
  CHECK(read_yaml_document("a: 1\n", "my.yaml")["a"].as<int>() == 1);
  CHECK(read_yaml_document("---\na: 1\n...\n", "my.yaml")["a"].as<int>() == 1);
  CHECK(read_yaml_document("", "my.yaml").IsNull());
  CHECK(read_yaml_document("# only a comment\n", "my.yaml").IsNull());
}

TEST_CASE("what stands behind the document is an error with its line, not dropped") {
  CHECK_THAT(error_of("a: 1\n---\nb: 2\n"), Contains("my.yaml:2: ") && Contains("expected one document"));
  CHECK_THAT(error_of("- a\n, b\n"), Contains("my.yaml:2: "));
}

TEST_CASE("text that yaml-cpp takes for documents without end is an error") {
  for (const char* text : {",", ", a", ",|x #0", ", # comment\nflash: 2M\n", ",]", "],"}) {
    INFO(text);
    CHECK_THAT(error_of(text), Contains("my.yaml:1: not valid YAML"));
  }
}

TEST_CASE("a YAML error names its line") {
  CHECK_THAT(error_of("a: 1\nb: [1, 2\n"), Contains("my.yaml:") && Contains("not valid YAML"));
}
