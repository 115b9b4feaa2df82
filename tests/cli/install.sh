#!/usr/bin/env bash
# Install into an empty prefix, move it, and use it the way examples/library/README.md says: headers, pkg-config,
# library, programs with their man pages and completion; and take it away again.
# Usage: install.sh BUILD_DIRECTORY SOURCE_DIRECTORY C_COMPILER LIBRARY_DIRECTORY_NAME
set -euo pipefail
build=$1 source=$2 cc=$3 libdir=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cmake --install "$build" --prefix "$scratch/first" > "$scratch/log"
mv "$scratch/first" "$scratch/moved"
export PKG_CONFIG_PATH="$scratch/moved/$libdir/pkgconfig"
[ "$(pkg-config --modversion dlg-text)" = \
    "$(sed -n 's/^project(dlg-text VERSION \([0-9.]*\).*/\1/p' "$source/CMakeLists.txt")" ]
read -ra flags <<< "$(pkg-config --cflags dlg-text)"
read -ra libraries <<< "$(pkg-config --libs dlg-text)"

# Each header stands alone and warns of nothing in a strict program.
find "$scratch/moved/include/dlg-text" -name '*.h' | sort > "$scratch/headers"
[ "$(wc -l < "$scratch/headers")" -ge 10 ]
while read -r header; do
    printf '#include "%s"\nint main(void) { return 0; }\n' "$header" > "$scratch/header.c"
    "$cc" -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only "${flags[@]}" "$scratch/header.c" \
        2> "$scratch/log" ||
        { head -n 20 "$scratch/log" && exit 1; }
done < "$scratch/headers"

for example in "$source"/examples/library/*.c; do
    "$cc" -std=c11 -Wall -Wextra -Werror "$example" -o "$scratch/$(basename "$example" .c)" "${flags[@]}" \
        "${libraries[@]}"
done
"$scratch/tokens" "We invite submissions." > "$scratch/tokens.txt"
head -n 1 "$scratch/tokens.txt" | grep -q '\[CLS\]$'
tail -n 1 "$scratch/tokens.txt" | grep -q '\[SEP\]$'
grep -q ' we$' "$scratch/tokens.txt"
if "$scratch/tokens" $'not \xff UTF-8' 2> "$scratch/message"; then exit 1; fi
[ "$(wc -l < "$scratch/message")" -eq 1 ]

for program in dlg-text dlg-grads; do
    "$scratch/moved/bin/$program" --version > "$scratch/version"
    grep -q _dlg_text "$scratch/moved/share/bash-completion/completions/$program"
    if command -v help2man > /dev/null; then grep -q '^\.SH NAME' "$scratch/moved/share/man/man1/$program.1"; fi
done

# What was installed goes away again, and nothing else does.
cmake --install "$build" --prefix "$scratch/first" > "$scratch/log"
touch "$scratch/first/bin/other"
cmake --build "$build" --target uninstall > "$scratch/log"
[ "$(find "$scratch/first" -type f)" = "$scratch/first/bin/other" ]
