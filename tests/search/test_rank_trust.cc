#include <catch2/catch.hpp>
#include <set>

#include "search/rank_trust.h"
#include "synthetic.h"

using namespace tinynas;
using Catch::Matchers::Contains;

namespace {

const SubSpace kSubSpace{1.0, 24};

std::vector<RankedNetwork> chosen(int count, uint64_t seed = 1) {
  return choose_ranked_networks(Constraint(small_space(), 10, limits_of({}, {}, 3000000)), kSubSpace, count,
                                Rng(seed));
}

const JudgeRanks& judge_called(const RankTrust& trust, const std::string& name) {
  for (const JudgeRanks& ranks : trust.judges) {
    if (ranks.judge == name) return ranks;
  }
  FAIL("no judge " << name);
  throw;
}

}  // namespace

TEST_CASE("half of the ranked networks are within 15 % MACs of each other, and none is there twice") {
  const Constraint constraint(small_space(), 10, limits_of({}, {}, 3000000));
  for (const int count : {24, 25}) {
    const std::vector<RankedNetwork> networks = chosen(count);
    REQUIRE(std::ssize(networks) == count);
    std::set<std::string> different;
    int64_t least = INT64_MAX, most = 0, equal = 0;
    for (const RankedNetwork& network : networks) {
      different.insert(encode(network.architecture));
      CHECK(constraint.fits(network.architecture));
      CHECK(network.macs == constraint.costs(network.architecture).macs);
      CHECK(network.params == constraint.costs(network.architecture).params);
      CHECK_FALSE(network.alone.has_value());
      if (!network.equal_macs) continue;
      ++equal;
      least = std::min(least, network.macs);
      most = std::max(most, network.macs);
    }
    CHECK(equal == count / 2);
    CHECK(static_cast<double>(most) <= 1.15 * static_cast<double>(least) + 1);
    CHECK(std::ssize(different) == count);
    CHECK(networks[0].equal_macs != networks[1].equal_macs);
  }
  CHECK(chosen(24)[3].architecture == chosen(24)[3].architecture);
  CHECK(chosen(24)[3].architecture != chosen(24, 2)[3].architecture);
  SearchSpace few = tiny_space();
  few.stages = {{16, 2, {3, 5}, {2}, {1}}};
  CHECK_THROWS_WITH(choose_ranked_networks(Constraint(few, 10, {}), kSubSpace, 24, Rng(1)),
                    Contains("ask for fewer --networks"));
}

TEST_CASE("a judge that knows the truth ranks perfectly, and only what was run counts") {
  std::vector<RankedNetwork> networks = chosen(24);
  for (size_t i = 0; i < networks.size(); ++i) {
    networks[i].supernet = synthetic_accuracy(networks[i].architecture);
    networks[i].predicted = 1 - networks[i].supernet;
    if (i < 20) networks[i].alone = 0.5 * networks[i].supernet + 0.1;
  }
  const RankTrust trust = judge_ranks(networks, Rng(1));
  CHECK(trust.networks == 24);
  CHECK(trust.run == 20);
  CHECK(trust.judges.size() == 4);
  CHECK(judge_called(trust, "supernet").all.tau.value() == Approx(1));
  CHECK(judge_called(trust, "supernet").equal_macs.networks == 10);
  CHECK(judge_called(trust, "predictor").all.rho.value() == Approx(-1));
  const JudgeRanks& params = judge_called(trust, "params");
  CHECK(params.all.tau.value() > judge_called(trust, "predictor").all.tau.value());
  CHECK(trust.gain_over_params.value() == Approx(1 - params.equal_macs.tau.value()));
  CHECK(trust.gain_interval->low <= trust.gain_over_params.value());
  CHECK(trust.gain_interval->high >= trust.gain_over_params.value());
  CHECK(to_json(trust) == to_json(judge_ranks(networks, Rng(1))));
}

TEST_CASE("with nothing run there are no figures") {
  const RankTrust trust = judge_ranks(chosen(8), Rng(1));
  CHECK(trust.run == 0);
  CHECK_FALSE(judge_called(trust, "supernet").all.tau.has_value());
  CHECK_FALSE(trust.gain_over_params.has_value());
  CHECK(to_json(trust).at("gain_over_params").is_null());
}
