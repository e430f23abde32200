// trials.db: every accuracy that was evaluated and what it cost, so that repeats are free and an interrupted
// search goes on (SQLite).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "search/cost_row.h"
#include "space/architecture.h"

namespace tinynas {

// Table `trials`: (evaluator key, W, R, architecture encoding) -> accuracy. The evaluator key holds the
// supernet's checkpoint, the data split and the recalibration settings, so that figures of another checkpoint
// never come back. Table `costs`: (constraint key, W, R, architecture encoding) -> costs. The constraint key
// holds space, number of classes, board and plan version. A row is on the disk when put() returns.
// Thread-safe. Every method throws Error(kFailure) naming the file and SQLite's reason when the file cannot
// be opened, read or written (no permission, a full disk, not a database, held by another process); rows
// written before stay.
class TrialStore {
 public:
  // Opens or creates the file; ":memory:" keeps nothing. A file with another schema version is
  // Error(kFailure).
  explicit TrialStore(const std::filesystem::path& path);
  ~TrialStore();
  TrialStore(const TrialStore&) = delete;
  TrialStore& operator=(const TrialStore&) = delete;

  std::optional<double> find(const std::string& evaluator_key, const Architecture& architecture) const;
  // Accuracy in [0,1]. A row that is there is replaced.
  void put(const std::string& evaluator_key, const Architecture& architecture, double accuracy);
  // Rows of one evaluator in one sub-space, and all rows.
  int64_t count(const std::string& evaluator_key, const SubSpace& sub_space) const;
  int64_t count() const;

  // MACs, params, SRAM and Flash totals, latency and energy: the columns one plots accuracies against. For
  // people and reports (`sqlite3 trials.db`); the search computes costs afresh, which takes less time than a
  // look-up is worth.
  std::optional<CostRow> find_costs(const std::string& constraint_key,
                                    const Architecture& architecture) const;
  // All rows in one transaction; rows that are there are replaced.
  void put_costs(const std::string& constraint_key,
                 const std::vector<std::pair<Architecture, CostRow>>& rows);

 private:
  struct Database;
  std::unique_ptr<Database> database_;
};

}  // namespace tinynas
