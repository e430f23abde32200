#include "base/rng.h"

#include <cmath>

namespace tinynas {
namespace {

uint64_t split_mix(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

Rng::Rng(uint64_t seed) : seed_(seed) {
  uint64_t mix = seed;
  for (uint64_t& word : state_) word = split_mix(mix);
}

Rng Rng::fork(uint64_t tag) const {
  uint64_t mix = seed_ ^ 0xd1b54a32d192ed03ULL;
  const uint64_t parent = split_mix(mix);
  mix = parent ^ (tag * 0x9e3779b97f4a7c15ULL + 0x632be59bd9b4e019ULL);
  return Rng(split_mix(mix));
}

Rng Rng::fork(std::string_view tag) const {
  uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a: the tag is a short literal, not data
  for (const char c : tag) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return fork(hash);
}

double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double Rng::normal() {
  const double u = 1.0 - uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * uniform());
}

}  // namespace tinynas
