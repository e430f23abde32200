#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/rng.h"
#include "quantize/safetensors.h"

using namespace tinynas;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

std::string file_of(const std::string& header, const std::string& data) {
  const uint64_t size = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &size, 8);
  return bytes + header + data;
}

std::string problem_of(const std::string& bytes) {
  try {
    parse_safetensors(bytes, "a.safetensors");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kData);
    CHECK_THAT(error.what(), Contains("a.safetensors"));
    return error.what();
  }
  return "accepted";
}

Safetensors example() {
  Safetensors file;
  file.metadata = {{"format", "test"}, {"graph", "{\"quotes\": \"\\n\"}"}};
  const float values[] = {1.5f, -0.0f, 3e-40f, 1e30f, 5.0f, 6.0f};
  file.put_floats("conv.weight", {2, 3}, values);
  file.put_floats("scalar", {}, values);
  file.put_floats("empty", {0, 7}, nullptr);
  file.tensors["bytes"] = {"U8", {3}, {1, 2, 3}};
  file.tensors["wide"] = {"I64", {1}, {1, 2, 3, 4, 5, 6, 7, 8}};
  return file;
}

}  // namespace

TEST_CASE("what is saved is what is loaded") {
  const fs::path path = fs::temp_directory_path() / ("tinynas_safetensors" + std::to_string(::getpid()));
  const Safetensors file = example();
  save_safetensors(file, path);
  const std::string bytes = read_file(path);
  const Safetensors loaded = load_safetensors(path);
  fs::remove(path);
  CHECK(loaded.metadata == file.metadata);
  REQUIRE(loaded.tensors.size() == file.tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    INFO(name);
    CHECK(loaded.tensors.at(name).dtype == tensor.dtype);
    CHECK(loaded.tensors.at(name).shape == tensor.shape);
    CHECK(loaded.tensors.at(name).bytes == tensor.bytes);
  }
  CHECK(loaded.floats("conv.weight", 6)[3] == 1e30f);

  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), 8);
  CHECK(header_bytes % 8 == 0);  // tensors of 8-byte elements come first and are aligned
}

TEST_CASE("a tensor is asked for by name, type and size") {
  const Safetensors file = example();
  CHECK_THROWS_WITH(file.floats("nothing", 1), Contains("nothing") && Contains("missing"));
  CHECK_THROWS_WITH(file.floats("bytes", 3), Contains("bytes") && Contains("U8"));
  CHECK_THROWS_WITH(file.floats("conv.weight", 7), Contains("expected 7") && Contains("[2,3]"));
  Safetensors wrong;
  wrong.tensors["x"] = {"F32", {2}, {0, 0, 0, 0}};
  CHECK_THROWS_WITH(save_safetensors(wrong, "/tmp/never-written"), Contains("'x'"));
}

TEST_CASE("a hand-made file is read, and each way of breaking it is named") {
  const std::string data(8, '\0');
  const auto entry = [](const std::string& rest) { return "{\"a\":{\"dtype\":\"F32\"," + rest + "}}"; };
  CHECK(problem_of(file_of(entry(R"("shape":[2],"data_offsets":[0,8])"), data)) == "accepted");
  CHECK(problem_of(file_of(entry(R"("shape":[2],"data_offsets":[0,8])") + "   ", data)) == "accepted");

  CHECK_THAT(problem_of(""), Contains("0 bytes"));
  CHECK_THAT(problem_of(std::string(8, '\xff')), Contains("header claims"));
  CHECK_THAT(problem_of(file_of("[]", "")), Contains("not a JSON object"));
  CHECK_THAT(problem_of(file_of("{", "")), Contains("not a JSON object"));
  CHECK_THAT(problem_of(file_of(entry(R"("shape":[2],"data_offsets":[0,8])"), "1234")),
             Contains("not inside"));
  CHECK_THAT(problem_of(file_of(entry(R"("shape":[3],"data_offsets":[0,8])"), data)),
             Contains("does not agree"));
  CHECK_THAT(problem_of(file_of(entry(R"("shape":[-2],"data_offsets":[0,8])"), data)),
             Contains("non-negative"));
  CHECK_THAT(problem_of(file_of(entry(R"("shape":[4611686018427387904,4],"data_offsets":[0,8])"), data)),
             Contains("does not agree"));
  CHECK_THAT(problem_of(file_of(entry(R"("shape":[2],"data_offsets":[8,0])"), data)), Contains("not inside"));
  CHECK_THAT(problem_of(file_of(entry(R"("shape":[2])"), data)), Contains("data_offsets"));
  CHECK_THAT(problem_of(file_of(entry(R"("shape":[1],"data_offsets":[0,4])"), data)),
             Contains("belong to no tensor"));
  CHECK_THAT(problem_of(file_of(entry(R"("shape":[1],"data_offsets":[4,8])"), data)), Contains("hole"));
  CHECK_THAT(problem_of(file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                                data)),
             Contains("overlap"));
  CHECK_THAT(problem_of(file_of(R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})", data)),
             Contains("F31"));
  CHECK_THAT(problem_of(file_of(R"({"__metadata__":{"k":1}})", "")), Contains("'k'"));
  CHECK_THROWS_WITH(load_safetensors("/no/such/file"), Contains("/no/such/file"));
}

TEST_CASE("fuzz: mutated files are read or refused, never anything else") {
  const fs::path path = fs::temp_directory_path() / ("tinynas_fuzz" + std::to_string(::getpid()));
  save_safetensors(example(), path);
  const std::string good = read_file(path);
  fs::remove(path);
  Rng rng(9);
  int refused = 0;
  for (int trial = 0; trial < 5000; ++trial) {
    std::string bytes = good;
    for (int64_t edits = 1 + rng.below(3); edits > 0; --edits) {
      const auto at = static_cast<size_t>(rng.below(static_cast<int64_t>(bytes.size())));
      switch (rng.below(5)) {
        case 0:
          bytes.resize(at + 1);
          break;
        case 1:
          bytes.erase(at, 1 + static_cast<size_t>(rng.below(8)));
          if (bytes.empty()) bytes = "x";
          break;
        case 2:
          bytes.insert(at, 1, "0123456789[]{},:\"-e"[rng.below(19)]);
          break;
        case 3:
          bytes[at] = "0123456789[]{},:\"-e"[rng.below(19)];
          break;
        default:
          bytes[at] = static_cast<char>(rng.below(256));
      }
    }
    try {
      parse_safetensors(bytes, "fuzz");
    } catch (const Error& error) {
      REQUIRE(error.code() == ExitCode::kData);
      ++refused;
    }
  }
  CHECK(refused > 2500);
}
