#include "base/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/units.h"

namespace tinynas {
namespace {

bool g_enabled = true;
constexpr int kBarWidth = 24;
// A log file wants a line now and then, a terminal a smooth bar.
constexpr std::chrono::milliseconds kTerminalInterval{100};
constexpr std::chrono::milliseconds kPlainInterval{10000};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

void Progress::set_enabled(bool enabled) { g_enabled = enabled; }

Progress::Progress(std::string label, int64_t total, int64_t done_before)
    : label_(std::move(label)),
      total_(std::max<int64_t>(total, 1)),
      done_before_(done_before),
      done_(done_before),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(std::chrono::steady_clock::now()),
      last_print_(start_) {}

Progress::~Progress() { finish(); }

void Progress::update(int64_t done, const std::string& note) {
  done_ = done;
  note_ = note;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_print_ < (terminal_ ? kTerminalInterval : kPlainInterval)) return;
  last_print_ = now;
  print(false);
}

void Progress::finish() {
  if (finished_) return;
  finished_ = true;
  print(true);
}

void Progress::print(bool final) {
  if (!g_enabled) return;
  const double elapsed_s = seconds_since(start_);
  const int64_t done_now = done_ - done_before_;
  std::string timing;
  if (final) {
    timing = "in " + format_seconds(elapsed_s);
  } else if (done_now > 0) {
    timing = "ETA " + format_seconds(elapsed_s / static_cast<double>(done_now) * static_cast<double>(total_ - done_));
  }
  const double fraction = std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
  if (terminal_) {
    const int filled = static_cast<int>(fraction * kBarWidth);
    const std::string bar = std::string(static_cast<size_t>(filled), '#') + std::string(static_cast<size_t>(kBarWidth - filled), '.');
    std::fprintf(stderr, "\r\033[K%-14s [%s] %3.0f%%  %lld/%lld  %s  %s%s", label_.c_str(), bar.c_str(), fraction * 100,
                 static_cast<long long>(done_), static_cast<long long>(total_), timing.c_str(), note_.c_str(),
                 final ? "\n" : "");
  } else {
    std::fprintf(stderr, "%s: %lld/%lld (%.0f%%) %s %s\n", label_.c_str(), static_cast<long long>(done_),
                 static_cast<long long>(total_), fraction * 100, timing.c_str(), note_.c_str());
  }
  std::fflush(stderr);
}

}  // namespace tinynas
