# Shared by the scripts of tools/ and datasets/: source it. Everything is said on standard error, because the standard
# output of `tools/run ... --json` belongs to tinynas.

repo=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
die() {  # die EXIT_CODE MESSAGE
  say "error: $2"
  exit "$1"
}

# Where the data sets lie, as an absolute path: the scripts change folders.
data_root() { realpath -m -- "${TINYNAS_DATA:-$repo/datasets/cache}"; }

# quietly WHAT LOG COMMAND...: one line that says what happens; the log only when it fails.
quietly() {
  local what=$1 log=$2
  shift 2
  say "$what (log: $log)"
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1; then
    say "--- the end of $log ---"
    tail -n 60 "$log" >&2
    die 1 "failed: $what"
  fi
}

# Compilations at a time: one a core, and 2 GB of memory for each (a file that includes LibTorch takes that much).
build_jobs() {
  local by_memory
  by_memory=$(awk '/^MemAvailable:/ {print int($2 / 2000000)}' /proc/meminfo)
  local jobs
  jobs=$(nproc)
  if ((by_memory < jobs)); then jobs=$by_memory; fi
  echo $((jobs < 1 ? 1 : jobs))
}

# build_preset PRESET TARGET [CMAKE_OPTION...]: configures build/PRESET unless it is, then builds TARGET.
build_preset() {
  local preset=$1 target=$2
  shift 2
  cd "$repo" || return
  if (($# > 0)) || [[ ! -f build/$preset/build.ninja ]]; then
    quietly "configuring build/$preset" "$repo/build/$preset-configure.log" cmake --preset "$preset" "$@"
  fi
  local patience=
  if [[ ! -f build/$preset/.ninja_log ]]; then patience=", which takes some minutes the first time"; fi
  quietly "building $target in build/$preset$patience" "$repo/build/$preset-build.log" \
    cmake --build --preset "$preset" --target "$target" --parallel "$(build_jobs)"
}
