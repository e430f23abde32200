#include "search/trial_store.h"

#include <sqlite3.h>

#include <cstring>
#include <mutex>

#include "base/error.h"

namespace tinynas {
namespace {

constexpr int kApplicationId = 0x746e6173;  // "tnas": tells our files from other SQLite databases
constexpr int kSchemaVersion = 1;
constexpr int kBusyTimeoutMs = 5000;

constexpr const char* kSchema = R"(
CREATE TABLE trials (
  evaluator TEXT NOT NULL, width REAL NOT NULL, resolution INTEGER NOT NULL, architecture TEXT NOT NULL,
  accuracy REAL NOT NULL,
  PRIMARY KEY (evaluator, width, resolution, architecture)) WITHOUT ROWID;
CREATE TABLE costs (
  constraint_key TEXT NOT NULL, width REAL NOT NULL, resolution INTEGER NOT NULL, architecture TEXT NOT NULL,
  macs INTEGER NOT NULL, params INTEGER NOT NULL, sram_bytes INTEGER NOT NULL, flash_bytes INTEGER NOT NULL,
  latency_ms REAL, energy_mj REAL,
  PRIMARY KEY (constraint_key, width, resolution, architecture)) WITHOUT ROWID;
)";

}  // namespace

struct TrialStore::Database {
  explicit Database(const std::filesystem::path& path) : name(path.string()) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
    // From here on the destructor does not run when this constructor throws.
    try {
      check(sqlite3_open_v2(name.c_str(), &handle, flags, nullptr), "cannot be opened");
      sqlite3_busy_timeout(handle, kBusyTimeoutMs);
      open_schema();
    } catch (...) {
      sqlite3_close(handle);
      throw;
    }
  }
  ~Database() { sqlite3_close(handle); }

  [[noreturn]] void fail(const std::string& what) const {
    std::string reason = handle ? sqlite3_errmsg(handle) : "out of memory";
    const int code = handle ? sqlite3_errcode(handle) : SQLITE_NOMEM;
    // "disk I/O error" alone helps nobody: say what the system said.
    if ((code == SQLITE_IOERR || code == SQLITE_CANTOPEN) && sqlite3_system_errno(handle) != 0) {
      reason += std::string(" (") + std::strerror(sqlite3_system_errno(handle)) + ")";
    }
    throw io_error(name + ": trial store " + what + ": " + reason);
  }
  void check(int code, const char* what) const {
    if (code != SQLITE_OK) fail(what);
  }
  void execute(const char* sql, const char* what) const {
    check(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), what);
  }
  int64_t pragma(const char* sql) const;
  void open_schema() const;

  std::string name;
  sqlite3* handle = nullptr;
  std::mutex mutex;
};

namespace {

// One prepared statement. Parameters and columns are read and bound in order.
template <typename Db>
class Statement {
 public:
  Statement(const Db& database, const char* sql, const char* what) : database_(database), what_(what) {
    database.check(sqlite3_prepare_v2(database.handle, sql, -1, &statement_, nullptr), what);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(const std::string& text) {
    const auto length = static_cast<int>(text.size());
    database_.check(sqlite3_bind_text(statement_, ++bound_, text.data(), length, SQLITE_TRANSIENT), what_);
    return *this;
  }
  Statement& bind(int64_t value) {
    database_.check(sqlite3_bind_int64(statement_, ++bound_, value), what_);
    return *this;
  }
  Statement& bind(double value) {
    database_.check(sqlite3_bind_double(statement_, ++bound_, value), what_);
    return *this;
  }
  Statement& bind(const std::optional<double>& value) {
    if (value) return bind(*value);
    database_.check(sqlite3_bind_null(statement_, ++bound_), what_);
    return *this;
  }
  Statement& bind(const SubSpace& sub_space) {
    return bind(sub_space.width).bind(int64_t{sub_space.resolution});
  }
  Statement& bind(const std::string& key, const Architecture& architecture) {
    return bind(key).bind(architecture.sub_space).bind(encode(architecture));
  }

  // True when there is a row.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) database_.fail(what_);
    return code == SQLITE_ROW;
  }
  int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  double real(int column) const { return sqlite3_column_double(statement_, column); }
  std::optional<double> optional_real(int column) const {
    if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
    return real(column);
  }
  std::string text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return text ? text : "";
  }

 private:
  const Db& database_;
  const char* what_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

}  // namespace

int64_t TrialStore::Database::pragma(const char* sql) const {
  Statement statement(*this, sql, "cannot be read");
  return statement.step() ? statement.integer(0) : 0;
}

void TrialStore::Database::open_schema() const {
  const int64_t application = pragma("PRAGMA application_id");
  const int64_t version = pragma("PRAGMA user_version");
  const bool empty = pragma("SELECT count(*) FROM sqlite_master") == 0;
  if (!empty || application != 0 || version != 0) {
    if (application != kApplicationId) {
      throw io_error(name + ": is an SQLite database, but not a trial store of tinynas");
    }
    if (version != kSchemaVersion) {
      throw io_error(name + ": trial store of schema version " + std::to_string(version) + ", expected " +
                     std::to_string(kSchemaVersion) + "; move it away, or use the tinynas that wrote it");
    }
    Statement quick_check(*this, "PRAGMA quick_check(1)", "cannot be read");
    if (quick_check.step() && quick_check.text(0) != "ok") {
      throw io_error(name + ": trial store is damaged: " + quick_check.text(0));
    }
  }
  // A committed row is on the disk with one sync: write-ahead log, synced at every commit.
  execute("PRAGMA journal_mode = WAL", "cannot be written");
  execute("PRAGMA synchronous = FULL", "cannot be written");
  if (empty) {
    const std::string create = std::string("BEGIN IMMEDIATE;") + kSchema +
                               "PRAGMA application_id = " + std::to_string(kApplicationId) +
                               "; PRAGMA user_version = " + std::to_string(kSchemaVersion) + "; COMMIT;";
    execute(create.c_str(), "cannot be created");
  }
}

TrialStore::TrialStore(const std::filesystem::path& path) : database_(std::make_unique<Database>(path)) {}
TrialStore::~TrialStore() = default;

std::optional<double> TrialStore::find(const std::string& evaluator_key,
                                       const Architecture& architecture) const {
  const std::lock_guard lock(database_->mutex);
  Statement select(
      *database_,
      "SELECT accuracy FROM trials WHERE evaluator = ? AND width = ? AND resolution = ? AND architecture = ?",
      "cannot be read");
  select.bind(evaluator_key, architecture);
  if (!select.step()) return std::nullopt;
  return select.real(0);
}

void TrialStore::put(const std::string& evaluator_key, const Architecture& architecture, double accuracy) {
  const std::lock_guard lock(database_->mutex);
  Statement insert(*database_, "INSERT OR REPLACE INTO trials VALUES (?, ?, ?, ?, ?)", "cannot be written");
  insert.bind(evaluator_key, architecture).bind(accuracy).step();
}

int64_t TrialStore::count(const std::string& evaluator_key, const SubSpace& sub_space) const {
  const std::lock_guard lock(database_->mutex);
  Statement select(*database_,
                   "SELECT count(*) FROM trials WHERE evaluator = ? AND width = ? AND resolution = ?",
                   "cannot be read");
  select.bind(evaluator_key).bind(sub_space);
  return select.step() ? select.integer(0) : 0;
}

int64_t TrialStore::count() const {
  const std::lock_guard lock(database_->mutex);
  return database_->pragma("SELECT count(*) FROM trials");
}

std::optional<CostRow> TrialStore::find_costs(const std::string& constraint_key,
                                              const Architecture& architecture) const {
  const std::lock_guard lock(database_->mutex);
  Statement select(*database_,
                   "SELECT macs, params, sram_bytes, flash_bytes, latency_ms, energy_mj FROM costs "
                   "WHERE constraint_key = ? AND width = ? AND resolution = ? AND architecture = ?",
                   "cannot be read");
  select.bind(constraint_key, architecture);
  if (!select.step()) return std::nullopt;
  return CostRow{select.integer(0), select.integer(1),       select.integer(2),
                 select.integer(3), select.optional_real(4), select.optional_real(5)};
}

void TrialStore::put_costs(const std::string& constraint_key,
                           const std::vector<std::pair<Architecture, CostRow>>& rows) {
  const std::lock_guard lock(database_->mutex);
  database_->execute("BEGIN IMMEDIATE", "cannot be written");
  try {
    for (const auto& [architecture, row] : rows) {
      Statement insert(*database_, "INSERT OR REPLACE INTO costs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       "cannot be written");
      insert.bind(constraint_key, architecture).bind(row.macs).bind(row.params);
      insert.bind(row.sram_bytes).bind(row.flash_bytes).bind(row.latency_ms).bind(row.energy_mj).step();
    }
    database_->execute("COMMIT", "cannot be written");
  } catch (...) {
    sqlite3_exec(database_->handle, "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

}  // namespace tinynas
