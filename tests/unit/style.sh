#!/usr/bin/env bash
# How long things may be: a line of C, shell, Python or CMake 120 columns, a C file 400 lines, a C function 60 between
# its braces, README.md 200. Usage: style.sh [SOURCE_DIRECTORY]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

find . -type d \( -name 'build*' -o -name .git -o -path ./tests/fuzz/corpus \) -prune -o -type f \
    \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name '*.cmake' -o -name CMakeLists.txt -o -path ./.ci/run \) \
    -print0 | sort -z | LC_ALL=C xargs -0 awk '
    function want(most, what, found, where) {
        if (found <= most) return
        printf "%s: want at most %d %s, found %d\n", where, most, what, found
        wrong = 1
    }
    function end_of_file() {
        if (file ~ /\.[ch]$/) want(400, "lines", n_lines, file)
    }
    FNR == 1 { end_of_file(); file = substr(FILENAME, 3); start = 0 }
    {
        n_lines = FNR
        columns = $0
        gsub(/[\200-\277]/, "", columns) # the later bytes of a UTF-8 character
        want(120, "columns", length(columns), file ":" FNR)
    }
    file ~ /\.[ch]$/ && /^[{]$/ { start = FNR }
    file ~ /\.[ch]$/ && /^[}]$/ && start { want(60, "lines of a function", FNR - start - 1, file ":" start); start = 0 }
    END { end_of_file(); exit wrong }'
if [ -e README.md ] && [ "$(wc -l < README.md)" -gt 200 ]; then
    echo "README.md: want at most 200 lines, found $(wc -l < README.md)"
    exit 1
fi

# It must notice each of them.
if [ $# -eq 0 ]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    lines() { yes "$2" | head -n "$1" || true; }
    wide=$(printf 'x%.0s' {1..121})
    notices() { # WHAT FILE
        if found=$(bash tests/unit/style.sh "$scratch") || [ "$(grep -c '' <<< "$found")" -ne 1 ]; then
            echo "style: want one line about $1, found: $found"
            exit 1
        fi
        rm "$scratch/$2"
    }
    for file in a.c a.h a.sh a.py CMakeLists.txt; do
        echo "$wide" > "$scratch/$file"
        notices 'a wide line' $file
    done
    lines 201 '' > "$scratch/README.md"
    notices 'a long README' README.md
    lines 401 '' > "$scratch/a.c"
    notices 'a long file' a.c
    { echo '{' && lines 61 '' && echo '}'; } > "$scratch/a.c"
    notices 'a long function' a.c
    { echo '{' && lines 60 "$(printf 'ü%.0s' {1..120})" && echo '}'; } > "$scratch/a.c"
    bash tests/unit/style.sh "$scratch"
fi
