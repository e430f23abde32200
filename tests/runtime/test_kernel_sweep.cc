// The sweep that emulated cores are compared with (test_kernels_on_cores.cc), on this machine alone.
#include <catch2/catch.hpp>
#include <sstream>

#include "host_sweep.h"

using namespace tinynas::testing;

TEST_CASE("the portable kernels write their own buffers and nothing else") {
  const std::string lines = sweep_on_host(21, 6000);
  CHECK(lines == sweep_on_host(21, 6000));
  CHECK(lines != sweep_on_host(22, 6000));
  std::istringstream stream(lines);
  int layers = 0;
  for (std::string line; std::getline(stream, line); ++layers) {
    CAPTURE(line);
    CHECK(line.find("OUTSIDE") == std::string::npos);
    CHECK(line.find("CHANGED") == std::string::npos);
  }
  CHECK(layers == 6000);
}

TEST_CASE("row by row, in strips of columns, the portable kernels compute the same") {
  std::istringstream whole(sweep_on_host(23, 6000));
  std::istringstream rows(sweep_on_host(23, 6000, true));
  int layers = 0;
  for (std::string line; std::getline(whole, line); ++layers) {
    std::string row_by_row;
    std::getline(rows, row_by_row);
    CHECK(line == row_by_row);
  }
  CHECK(layers == 6000);
}
