#!/usr/bin/env bash
# A test that its folder's CMakeLists.txt does not name is never run: each source and script in the tests' folders must
# be named there.
set -euo pipefail
cd "$(dirname "$0")/.."
forgotten=0
for file in {unit,property,golden,cli,fuzz,bench}/*.{c,sh}; do
    [ -e "$file" ] || continue
    name=$(basename "$file")
    # Scripts of bench and those that make data are run by hand. Scripts and fuzzers are named without their ending.
    case $file in
    bench/*.sh | */make_*.sh) continue ;;
    fuzz/* | *.sh) name=${name%.*} ;;
    esac
    if ! grep -v '^#' "$(dirname "$file")/CMakeLists.txt" | grep -qw -- "$name"; then
        echo "tests/$file: want a line in $(dirname "$file")/CMakeLists.txt, found none"
        forgotten=1
    fi
done
exit "$forgotten"
