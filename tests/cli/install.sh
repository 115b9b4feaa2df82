#!/usr/bin/env bash
# Install into an empty prefix, move it, and use it the way examples/library/README.md says: the public headers alone,
# in C and in C++; what the shared library exports; the examples by pkg-config and by CMake, shared and static; programs
# with their man pages and completion. And take it away again.
# Usage: install.sh BUILD_DIRECTORY SOURCE_DIRECTORY C_COMPILER CXX_COMPILER LIBRARY_DIRECTORY_NAME
set -euo pipefail
build=$1 source=$2 cc=$3 cxx=$4 libdir=$5
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "install: $*" && exit 1; }
shows() { grep "$1" > "$scratch/log"; } # reads to the end: who writes would fail where nobody reads

cmake --install "$build" --prefix "$scratch/first" > "$scratch/log"
mv "$scratch/first" "$scratch/moved"
export PKG_CONFIG_PATH="$scratch/moved/$libdir/pkgconfig"
include="$scratch/moved/include"

# Each header stands alone and warns of nothing in a strict program, by every compiler that is there. There are no
# others.
list() { (cd "$1" && find . -type f | sort); }
diff <(list "$source/include") <(list "$include") || fail 'want the public headers (<) installed, found others (>)'
strict=(-Wall -Wextra -pedantic -Wconversion -Werror -fsyntax-only -I "$include")
for header in "$include"/dlg/*.h; do
    for language in 'c -std=c11' 'c++ -std=c++17'; do
        compilers=("$cc" clang clang-14)
        [[ $language = 'c++'* ]] && compilers=("$cxx" clang++ clang++-14)
        for compiler in "${compilers[@]}"; do
            type "$compiler" > "$scratch/log" 2>&1 || continue
            read -ra as <<< "$language"
            printf '#include "dlg/%s"\nint main(void) { return 0; }\n' "$(basename "$header")" > "$scratch/header"
            "$compiler" -x "${as[@]}" "${strict[@]}" "$scratch/header" || fail "$header: $compiler, $language"
        done
    done
done

# The shared library exports what the headers declare, and says which one it is.
shared="$scratch/moved/$libdir/libdlg.so"
nm -D --defined-only "$shared" | awk '{ print $3 }' | sort > "$scratch/exported"
cat "$include"/dlg/*.h | tr ';\n' '\n ' | grep -o 'DLG_PUBLIC [^(]*[ *]dlg_[a-z_]*(' |
    sed -E 's/.*[ *]([a-z_]+)\($/\1/' | sort > "$scratch/declared"
[ "$(wc -l < "$scratch/declared")" -ge 40 ] || fail 'found too few public functions, so this test has gone blind'
diff "$scratch/declared" "$scratch/exported" || fail 'want the public functions (<) exported, found others (>)'
version=$(sed -n 's/^#define DLG_VERSION "\(.*\)"/\1/p' "$include/dlg/version.h")
[ "$(pkg-config --modversion dlg-text)" = "$version" ] || fail "pkg-config: want version $version"
soversion=${version%%.*}
[ "$soversion" != 0 ] || soversion=${version%.*} # a minor version of 0.x changes public records
objdump -p "$shared" | shows "SONAME *libdlg.so.$soversion\$" || fail "want libdlg.so.$soversion for its name"
[[ $(grep -m 1 '^## ' "$source/CHANGELOG.md") =~ ^"## $version"(,|$) ]] || fail "CHANGELOG.md: want $version first"

# Asserts live in what tests run and users get, unless a release was asked for.
if ! grep -q '^CMAKE_BUILD_TYPE:[A-Z]*=\(Release\|MinSizeRel\)$' "$build/CMakeCache.txt"; then
    nm -D --undefined-only "$shared" | shows __assert_fail || fail 'want asserts in this build, found none'
fi

# The examples recover a sentence, told nothing, and end with one line where they cannot.
recovers() { # PROGRAM
    [ "$("$1" 'We invite submissions.' 2> "$scratch/log")" = 'we invite submissions.' ] || fail "$1: want the sentence"
    if "$1" $'not \xff UTF-8' > "$scratch/log" 2> "$scratch/message"; then fail "$1: took what is no text"; fi
    [ "$(wc -l < "$scratch/message")" -eq 1 ] || fail "$1: want one line"
}
read -ra flags <<< "$(pkg-config --cflags dlg-text)"
read -ra libraries <<< "$(pkg-config --libs dlg-text)"
read -ra static <<< "$(pkg-config --libs --static dlg-text | sed 's/-ldlg/-l:libdlg.a/')"
strict=(-Wall -Wextra -pedantic -Werror)
rpath=-Wl,-rpath,"$scratch/moved/$libdir"
example="$source/examples/library"
"$cc" -std=c11 "${strict[@]}" "$example/recover.c" -o "$scratch/c" "${flags[@]}" "${libraries[@]}" "$rpath"
"$cc" -std=c11 "${strict[@]}" "$example/recover.c" -o "$scratch/c_static" "${flags[@]}" "${static[@]}"
"$cxx" -std=c++17 "${strict[@]}" "$example/recover.cpp" -o "$scratch/cpp" "${flags[@]}" "${libraries[@]}" "$rpath"
cmake -S "$example" -B "$scratch/example" -DCMAKE_PREFIX_PATH="$scratch/moved" -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_CXX_COMPILER="$cxx" > "$scratch/log" || fail "$(cat "$scratch/log")"
cmake --build "$scratch/example" > "$scratch/log" || fail "$(cat "$scratch/log")"
for program in c c_static cpp example/recover example/recover_static example/recover_cpp; do
    recovers "$scratch/$program"
done
if ldd "$scratch/c_static" | shows libdlg; then fail 'want a static program, found one that looks for libdlg.so'; fi

# Programs find the library where the tree was moved to.
for name in dlg-text dlg-grads; do
    program="$scratch/moved/bin/$name"
    "$program" --version | shows " $version\$" || fail "$name: want version $version"
    ldd "$program" | shows "libdlg.so.* => $scratch/moved/" || fail "$name: want the library beside it"
    grep -q _dlg_text "$scratch/moved/share/bash-completion/completions/$name"
    if command -v help2man > /dev/null; then grep -q '^\.SH NAME' "$scratch/moved/share/man/man1/$name.1"; fi
done

# What was installed goes away again, and nothing else does.
cmake --install "$build" --prefix "$scratch/first" > "$scratch/log"
touch "$scratch/first/bin/other"
cmake --build "$build" --target uninstall > "$scratch/log"
[ "$(find "$scratch/first" -type f -o -type l)" = "$scratch/first/bin/other" ] || fail 'want all of it taken away'
