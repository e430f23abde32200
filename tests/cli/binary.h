// The executable itself, run through a shell.
#pragma once

#include <sys/wait.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <string>

namespace tinynas::testing {

struct Outcome {
  int code = -1;
  std::string out;  // standard output, and standard error too unless it was sent elsewhere
};

inline Outcome run_tinynas(const std::string& arguments, const std::string& redirect = "2>&1",
                           const std::string& directory = ".") {
  const std::string command = "cd " + directory + " && " + TINYNAS_BINARY + " " + arguments + " " + redirect;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Outcome outcome;
  std::array<char, 4096> chunk;
  for (size_t got = 0; (got = std::fread(chunk.data(), 1, chunk.size(), pipe)) > 0;)
    outcome.out.append(chunk.data(), got);
  const int status = ::pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

}  // namespace tinynas::testing
