#include <catch2/catch.hpp>
#include <sstream>

#include "binary.h"
#include "cli/rank_report.h"

using namespace tinynas;
using namespace tinynas::testing;
using Catch::Matchers::Contains;

namespace {

std::vector<RankedNetwork> networks(int run) {
  std::vector<RankedNetwork> all;
  for (int i = 0; i < 8; ++i) {
    RankedNetwork network;
    network.architecture.sub_space = {0.5, 32};
    network.architecture.stages = {StageChoice{{BlockChoice{3 + 2 * (i % 3), 1 + i}}}};
    network.equal_macs = i % 2 == 1;
    network.macs = 1000000 + 10000 * i;
    network.params = 50000 + 1000 * ((i * 5) % 8);
    network.supernet = 0.4 + 0.01 * i;
    network.predicted = 0.4 + 0.01 * ((i * 3) % 8);
    if (i < run) network.alone = 0.7 + 0.01 * i;
    all.push_back(network);
  }
  return all;
}

size_t occurrences(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("rank.csv has a row for every network, and says which was not run") {
  const std::string csv = rank_csv(networks(6));
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  CHECK(line == "network,half,architecture,macs,params,supernet,predictor,alone");
  std::getline(lines, line);
  CHECK(line == "1,random,\"w0.50-r32:k3e1\",1000000,50000,0.400000,0.400000,0.700000");
  std::getline(lines, line);
  CHECK_THAT(line, Contains("2,equal-macs,"));
  CHECK(occurrences(csv, "\n") == 9);
  CHECK(occurrences(csv, ",not run\n") == 2);
}

TEST_CASE("the table has every judge over all and within equal MACs, and what was not run") {
  const std::string table = rank_table(judge_ranks(networks(6), Rng(1)));
  CHECK_THAT(table, Contains("supernet accuracy    1.00 [1.00, 1.00]") && Contains("predicted accuracy") &&
                        Contains("#params") && Contains("#MACs") &&
                        Contains("6 of 8 networks were trained alone, 2 not run") &&
                        Contains("against that of #params"));
  CHECK_THAT(rank_table(judge_ranks(networks(0), Rng(1))),
             Contains("not defined") && Contains("0 of 8") && !Contains("against that"));
}

TEST_CASE("the picture has a panel for each judge, and a dot for each network that was run") {
  for (const int run : {0, 1, 6}) {
    const std::vector<RankedNetwork> all = networks(run);
    const std::string svg = rank_svg(all, judge_ranks(all, Rng(1)));
    CHECK(occurrences(svg, "<circle") == 2 + 4 * static_cast<size_t>(run));  // two of the legend
    CHECK(occurrences(svg, "<title>") == 4 * static_cast<size_t>(run));
    CHECK_THAT(svg,
               Contains("supernet accuracy") && Contains("#params") && !Contains("nan") && !Contains("inf"));
    CHECK(occurrences(svg, "<svg") == occurrences(svg, "</svg>"));
  }
}

TEST_CASE("rank refuses what is no run, and options out of range, by their flags") {
  const Outcome none = run_tinynas("rank no/such/run");
  CHECK(none.code == 2);
#ifdef TINYNAS_WITH_TORCH
  CHECK_THAT(none.out, Contains("no/such/run: is not a run directory"));
  CHECK_THAT(run_tinynas("rank x --networks 1").out, Contains("--networks is out of range"));
  CHECK_THAT(run_tinynas("rank x --predictor none").out, Contains("--predictor: got 'none'"));
  CHECK_THAT(run_tinynas("rank x --steps 0").out, Contains("--steps is out of range"));
#else
  CHECK_THAT(none.out, Contains("no LibTorch"));
#endif
  const Outcome help = run_tinynas("rank --help");
  CHECK(help.code == 0);
  CHECK_THAT(help.out, Contains("Examples:") && Contains("--predictor-networks"));
}
