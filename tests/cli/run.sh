#!/usr/bin/env bash
# run.sh PROGRAMS CASE.sh: run the checks of a case in an empty directory, with the folder PROGRAMS in front of PATH. A
# case calls
#
#     accepted STDOUT STDERR COMMAND...    exit 0; all that is printed matches the two patterns (of bash: * is anything)
#     refused EXIT PATTERN COMMAND...      that exit status, nothing on stdout, one line on stderr that matches, no file
#                                          made or changed
#     check WHAT COMMAND...                COMMAND succeeds
#
# and goes on after a failure, so that one run shows them all. Exit 1 if there was one; 77 if the case called `skip`.
set -u
PATH=$(cd "$1" && pwd):$PATH
case_file=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
mkdir "$scratch/work"
cd "$scratch/work" || exit 1
checks=0 failures=0

complain() { # WHAT COMMAND...
    local what=$1
    shift
    failures=$((failures + 1))
    printf 'FAILED: %s\n  %s\n' "$(printf '%q ' "$@")" "$what"
}

capture() { # COMMAND...; leaves $code, $stdout, $stderr
    checks=$((checks + 1))
    "$@" > "$scratch/stdout" 2> "$scratch/stderr"
    code=$?
    stdout=$(cat "$scratch/stdout")
    stderr=$(cat "$scratch/stderr")
}

accepted() {
    local want_stdout=$1 want_stderr=$2
    shift 2
    capture "$@"
    [ $code -eq 0 ] || complain "want exit 0, found $code: $stderr" "$@"
    [[ $stdout == $want_stdout ]] || complain "want stdout $want_stdout, found $stdout" "$@"
    [[ $stderr == $want_stderr ]] || complain "want stderr $want_stderr, found $stderr" "$@"
}

fingerprint() { find . -type f -exec cksum {} + | sort; find . | sort; }

refused() {
    local want_code=$1 want_stderr=$2 before
    shift 2
    before=$(fingerprint)
    capture "$@"
    # An option that does not exist: argp's own hint on where help is to be had follows.
    stderr=$(grep -v '^Try `.* --help.* for more information\.$' <<< "$stderr")
    [ $code -eq "$want_code" ] || complain "want exit $want_code, found $code: $stderr" "$@"
    [[ $stderr == $want_stderr ]] || complain "want stderr $want_stderr, found $stderr" "$@"
    [ "$(grep -c '' <<< "$stderr")" -eq 1 ] || complain "want one line on stderr, found $stderr" "$@"
    [ -z "$stdout" ] || complain "want nothing on stdout, found $stdout" "$@"
    [ "$(fingerprint)" = "$before" ] ||
        complain "want the files as they were, found $(diff <(echo "$before") <(fingerprint))" "$@"
}

check() {
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" > "$scratch/stdout" 2>&1 || complain "want $what, found $(tail -c 300 "$scratch/stdout")" "$@"
}

skip() {
    echo "skipped: $1"
    exit 77
}

. "$case_file"
echo "$checks checks, $failures failed"
[ $failures -eq 0 ] && [ $checks -gt 0 ]
