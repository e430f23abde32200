#!/bin/bash
# tools/check_layering must pass a sound tree and name every planted violation by file and line.
set -uo pipefail
repo=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/tinynas layering.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

sound_tree() {
  rm -rf "$work/src"
  mkdir -p "$work"/src/{base,graph,runtime,cost_models,supernet,export/templates}
  printf '#include <vector>\n#include <nlohmann/json.hpp>\n' >"$work/src/base/a.h"
  printf '#include "base/a.h"\n#include "graph/b.h"\n' >"$work/src/graph/b.cc"
  printf '#include <stdint.h>\n#include "k.h"\n' >"$work/src/runtime/k.c"
  printf '#include "runtime/tn_buffer_sizes.h"\n' >"$work/src/cost_models/plan.cc"
  printf '#include <ATen/core/Tensor.h>\n#include "data/d.h"\n' >"$work/src/supernet/s.h"
  printf '#include <torch/torch.h>\n' >"$work/src/supernet/s.cc"
  printf '#include <torch/torch.h>\n' >"$work/src/supernet/pch.h"
  printf '#include "@NAME@.h"\n' >"$work/src/export/templates/model.c"
}

sound_tree
if ! output=$("$repo/tools/check_layering" "$work/src"); then
  printf 'FAILED: a sound tree was refused:\n%s\n' "$output"
  failures=1
fi

plant() {  # plant FILE INCLUDE REASON: one line more in a sound tree
  sound_tree
  mkdir -p "$(dirname "$work/src/$1")"
  printf '\n  #  include %s\n' "$2" >>"$work/src/$1"
  local line
  line=$(wc -l <"$work/src/$1")
  if output=$("$repo/tools/check_layering" "$work/src") || [[ $output != *"src/$1:$line: "*"$3"* ]]; then
    printf 'FAILED: %s in %s was not refused as "%s" at line %s:\n%s\n' "$2" "$1" "$3" "$line" "$output"
    failures=1
  fi
}

plant graph/b.cc '"search/evaluator.h"' 'graph/ may not know search/'
plant base/a.h '"graph/b.h"' 'base/ may not know graph/'
plant graph/b.cc '"../base/a.h"' 'write it as "room/file.h"'
plant graph/b.cc '"b.h"' 'write it as "room/file.h"'
plant graph/b.cc '"bse/a.h"' 'there is no room bse/'
plant graph/b.cc '<torch/torch.h>' 'graph/ may not use torch'
plant graph/b.cc '<ATen/core/Tensor.h>' 'graph/ may not use ATen'
plant graph/b.cc '<c10/util/Half.h>' 'graph/ may not use c10'
plant graph/b.cc '<sqlite3.h>' 'graph/ may not use sqlite3.h'
plant graph/b.cc '<boost/any.hpp>' 'library boost is not in the table'
plant supernet/s.h '<torch/torch.h>' 'at most ATen/core/Tensor.h'
plant supernet/s.h '<c10/core/Device.h>' 'at most ATen/core/Tensor.h'
plant supernet/s.cc '"cli/run.h"' 'supernet/ may not know cli/'
plant cost_models/plan.cc '"runtime/tn_kernels.h"' 'only runtime/tn_buffer_sizes.h'
plant runtime/k.c '"base/a.h"' 'runtime/ builds alone'
plant runtime/k.c '<stdlib.h>' 'runtime/ may use only'
plant runtime/k.c '<vector>' 'runtime/ may use only'

sound_tree
mkdir "$work/src/attic"
if output=$("$repo/tools/check_layering" "$work/src") || [[ $output != *"src/attic/: this room is not in the table"* ]]; then
  printf 'FAILED: an unknown room passed:\n%s\n' "$output"
  failures=1
fi
mkdir "$work/empty"
if "$repo/tools/check_layering" "$work/empty" >/dev/null 2>&1; then
  echo 'FAILED: an empty tree passed'
  failures=1
fi
exit $failures
