#!/usr/bin/env bash
# Who may include whom: every #include of the project against the arrows between its folders, and every outside library
# against the folders that may know of it. Usage: layering.sh [SOURCE_DIRECTORY]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"

# folder: the other folders it may include, in one line or several. What is not here is not allowed.
arrows='
dlg:
base:               dlg
math:               base
ops:                math base
io:                 math base dlg
vocab:
tokenizer:          vocab base
models:             tokenizer vocab io ops math base dlg
gradient:           models io ops math base dlg
optimise:           math base
matching:           gradient models ops io math base
analytic/noise:     gradient models math base
analytic/labels:    gradient models vocab ops math base
analytic/tokens:    analytic/noise gradient models vocab math base
analytic/sequences: analytic/tokens gradient models vocab ops math base
analytic:           analytic/tokens analytic/labels analytic/noise gradient models vocab math base dlg
attacks/session:    analytic analytic/tokens analytic/labels analytic/noise matching
attacks/session:    optimise gradient models vocab io math base dlg
attacks:            attacks/session analytic analytic/sequences analytic/tokens analytic/labels analytic/noise
attacks:            matching optimise gradient models vocab io math base
defend:             ops math base
report:             attacks attacks/session analytic analytic/tokens analytic/labels analytic/noise
report:             optimise matching gradient defend tokenizer models vocab io ops math base dlg
library:            report attacks attacks/session analytic analytic/tokens analytic/labels analytic/noise
library:            gradient matching optimise defend tokenizer models vocab io ops math base dlg
cli:                dlg
'
# outside header (beginning of its path): the folders that may include it.
outside='
Random123: math
cblas:     math
lapack:    math
openblas:  math
dnnl:      math
lbfgs:     optimise
xxhash:    base
zlib:      io
utf8proc:  base tokenizer
cjson:     base io tokenizer models report
argp:      cli
'

# Lines "FILE<blank>DELIMITER<blank>HEADER" of every include.
includes() {
    find include src vocab tokenizer models \( -name '*.c' -o -name '*.h' \) -print0 | sort -z |
        xargs -0 grep -HE '^[[:space:]]*#[[:space:]]*include' /dev/null |
        sed -E 's/^([^:]*):[[:space:]]*#[[:space:]]*include[[:space:]]*([<"])([^>"]*)[>"].*/\1 \2 \3/'
}

includes | awk -v arrows="$arrows" -v outside="$outside" '
    function read_table(text, table,    lines, words, i, j, n) {
        split(text, lines, "\n")
        for (i in lines) {
            n = split(lines[i], words, /[: ]+/)
            if (words[1] != "") table[words[1]] = 1
            for (j = 2; j <= n; j++) if (words[j] != "") table[words[1], words[j]] = 1
        }
    }
    function complain(text) { print $1 ": " text; wrong++ }
    BEGIN { read_table(arrows, allowed); read_table(outside, users) }
    {
        n_includes++
        folder = $1
        sub(/^(src|include)\//, "", folder)
        sub(/\/[^\/]*$/, "", folder)
        target = $3
        if (!sub(/\/[^\/]*$/, "", target)) target = ""
        if (!(folder in allowed)) complain("folder " folder " is not in the table of layering.sh")
        else if ($2 == "\"") {
            if (!(target in allowed)) complain("want \"FOLDER/FILE.h\", found \"" $3 "\"")
            else if (target != folder && !((folder, target) in allowed)) complain(folder " may not include \"" $3 "\"")
        } else
            for (library in users)
                if (index(library, SUBSEP) == 0 && index($3, library) == 1 && !((library, folder) in users))
                    complain(folder " may not include <" $3 ">")
    }
    END {
        if (n_includes < 20) {
            print "layering: found only " n_includes + 0 " includes, so this test has gone blind"
            wrong++
        }
        exit wrong > 0
    }'

# Outside of models a parameter is known by its role, not by its name (models/roles.h).
if grep -rnE '"(bert|distilbert|transformer|cls)\.' src --include='*.[ch]'; then
    echo 'layering: want parameters by their roles, found names of tensors'
    exit 1
fi

# Special tokens too go by what they are for (vocab/special_tokens.h).
if grep -rnE '\[(CLS|SEP|MASK)\]|\.(cls|sep)\>' src --include='*.[ch]'; then
    echo 'layering: want special tokens by what they are for, found names of a vocabulary'
    exit 1
fi

# The same table must find a wrong arrow when there is one.
if [ $# -eq 0 ]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    cp -r include src vocab tokenizer models "$scratch"
    for wrong in '#include "attacks/x.h"' '  #  include "io/y.h" // why' '#include <lbfgs.h>' '#include "plain.h"' \
        'static const char *name = "bert.pooler.dense.weight";' '/* where [SEP] stands */'; do
        printf '%s\n' "$wrong" > "$scratch/src/math/wrong.c"
        if bash tests/unit/layering.sh "$scratch" > /dev/null; then
            echo "layering: did not notice $wrong in src/math"
            exit 1
        fi
    done
fi
