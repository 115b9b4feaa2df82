#!/usr/bin/env bash
# Install what is needed, build, run every test: as users build it; with AddressSanitizer and UBSan, all but the golden
# numbers; in double, unit, golden and property; with ThreadSanitizer, two threads on one model. Where clang is installed it
# compiles everything once more for its warnings. About seven minutes on two cores.
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
check 'gcc, AddressSanitizer and UBSan' build-sanitize '^(unit|property|cli|fuzz)$' -DDLG_SANITIZE=address,undefined -DDLG_WERROR=ON
check 'gcc, double precision' build-double '^(unit|golden|property)$' -DDLG_DOUBLE=ON

# The test in which two threads use one model, where the system lets the sanitizer start.
start=$SECONDS
name='gcc, ThreadSanitizer: two threads'
if cmake -S . -B build-tsan -DDLG_SANITIZE=thread > "$log" && cmake --build build-tsan --target unit_threads -- --quiet >> "$log"; then
    if build-tsan/bin/unit_threads > "$log" 2>&1; then
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

if command -v clang > /dev/null; then
    start=$SECONDS
    name='clang, warnings as errors'
    compile "$name" build-clang -DCMAKE_C_COMPILER=clang -DDLG_WERROR=ON && record "$name" "$start" 'builds'
fi

printf '\n'
printf '%s\n' "${summary[@]}"
exit "$failed"
