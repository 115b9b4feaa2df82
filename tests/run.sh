#!/usr/bin/env bash
# Install what is needed, build, run every test: as users build it; with AddressSanitizer and UBSan, all but the golden
# numbers; in double, unit, golden, property and some of cli; with ThreadSanitizer, two threads on one model. Where
# clang is installed, unit and property with it; where clang-format 14 is, the layout of the C. About eight minutes on
# two cores.
# Exits with 1 if anything failed; the closing lines say what.
set -uo pipefail
cd "$(dirname "$0")/.."
./examples/install-packages.sh || exit 1

export CMAKE_GENERATOR=Ninja CTEST_OUTPUT_ON_FAILURE=1 UBSAN_OPTIONS=print_stacktrace=1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
summary=()
failed=0

record() { # NAME SECONDS-AT-START RESULT
    summary+=("$(printf '%-44s %4d s  %s' "$1" $((SECONDS - $2)) "$3")")
}

compile() { # NAME DIRECTORY CMAKE-ARGUMENTS...
    local name=$1 directory=$2 start=$SECONDS
    shift 2
    printf '\n== %s: build\n' "$name"
    cmake -S . -B "$directory" "$@" > "$log" && cmake --build "$directory" -- --quiet >> "$log" && return
    cat "$log"
    record "$name" "$start" "DOES NOT BUILD"
    failed=1
    return 1
}

check() { # NAME DIRECTORY LABELS CMAKE-ARGUMENTS...; LABELS is a regular expression
    local name=$1 directory=$2 labels=$3 start=$SECONDS
    shift 3
    compile "$name" "$directory" "$@" || return
    printf '\n== %s: tests\n' "$name"
    # No test found is a failure too: it would mean that the labels have changed.
    ctest --test-dir "$directory" -j 2 -L "$labels" --no-tests=error | tee "$log" || failed=1
    record "$name" "$start" "$(grep 'tests passed' "$log" || echo 'NO TESTS')"
}

# Without -Werror, so that the build folder of examples/quickstart.sh is no other and nothing is compiled again.
check 'gcc' build '' -DDLG_TESTS=ON
check 'gcc, AddressSanitizer and UBSan' build-sanitize '^(unit|property|cli|fuzz)$' \
    -DDLG_SANITIZE=address,undefined -DDLG_WERROR=ON
check 'gcc, double precision' build-double '^(unit|golden|property|precision)$' -DDLG_DOUBLE=ON

# The tests in which two threads use one model, where the system lets the sanitizer start.
start=$SECONDS
name='gcc, ThreadSanitizer: two threads'
if cmake -S . -B build-tsan -DDLG_SANITIZE=thread > "$log" &&
    cmake --build build-tsan --target unit_threads unit_library_limits -- --quiet >> "$log"; then
    if { build-tsan/bin/unit_threads && build-tsan/bin/unit_library_limits; } > "$log" 2>&1; then
        record "$name" "$start" 'passed'
    elif grep -q 'unexpected memory mapping' "$log"; then
        record "$name" "$start" 'skipped: this system does not let it map its memory'
    else
        cat "$log"
        record "$name" "$start" 'FAILED'
        failed=1
    fi
else
    cat "$log"
    record "$name" "$start" 'DOES NOT BUILD'
    failed=1
fi

clang=$(command -v clang || command -v clang-14) &&
    check 'clang' build-clang '^(unit|property)$' -DCMAKE_C_COMPILER="$clang" -DDLG_WERROR=ON

# Another version than 14 would lay the C out differently here and there.
start=$SECONDS
name='clang-format 14: layout of the C'
for format in clang-format-14 clang-format ''; do
    "$format" --version 2> "$log" | grep -q 'version 14\.' && break
done
if [ -z "$format" ]; then
    record "$name" "$start" 'skipped: it is not installed'
elif find . -type d \( -name 'build*' -o -name .git \) -prune -o -name '*.[ch]' -print0 |
    xargs -0 "$format" --dry-run -Werror; then
    record "$name" "$start" 'passed'
else
    record "$name" "$start" 'FAILED'
    failed=1
fi

printf '\n'
printf '%s\n' "${summary[@]}"
exit "$failed"
