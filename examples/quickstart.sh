#!/usr/bin/env bash
# From nothing to a stolen sentence: install what is needed, build, and for each of three sentences make the gradient
# that a participant would share and recover the sentence from it. They are those of "Deep Leakage from Gradients" (Zhu
# et al. 2019).
set -euo pipefail
cd "$(dirname "$0")/.."

./examples/install-packages.sh
echo 'Building; the first time that takes a minute or two.' >&2
# A folder that is configured already, with tests perhaps, stays so: nothing is compiled again for it.
[ -e build/CMakeCache.txt ] || CMAKE_GENERATOR=Ninja cmake -S . -B build -DDLG_TESTS=OFF > /dev/null
cmake --build build --target dlg-text dlg-grads -- --quiet

programs=$PWD/build/bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
sentences=(
    'Registration, volunteer applications, and student travel application open the first week of September. '\
'Child care will be available.'
    'We welcome proposals for tutorials on either core machine learning topics or topics of emerging importance '\
'for machine learning.'
    'We invite submissions for the Thirty-Third Annual Conference on Neural Information Processing Systems.'
)
for sentence in "${sentences[@]}"; do
    printf '\n$ dlg-grads --no-truth "%s"\n' "$sentence"
    "$programs/dlg-grads" --no-truth "$sentence"
    printf '\n$ dlg-text --quiet bert.g\n'
    "$programs/dlg-text" --quiet bert.g
done
printf '\nWith a sentence of your own, and the search as it goes:\n'
printf '  %s\n' 'build/bin/dlg-grads "Nobody else should read this."' 'build/bin/dlg-text --attack dlg bert.g'
