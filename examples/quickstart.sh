#!/usr/bin/env bash
# From nothing to a stolen sentence: install what is needed, build, make the gradients of three sentences, and recover each from its
# gradient alone. The sentences are those of "Deep Leakage from Gradients" (Zhu et al. 2019).
set -euo pipefail
cd "$(dirname "$0")/.."

./examples/install-packages.sh
CMAKE_GENERATOR=Ninja cmake -S . -B build > /dev/null
cmake --build build

programs=$PWD/build/bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
sentences=(
    'Registration, volunteer applications, and student travel application open the first week of September. Child care will be available.'
    'We welcome proposals for tutorials on either core machine learning topics or topics of emerging importance for machine learning.'
    'We invite submissions for the Thirty-Third Annual Conference on Neural Information Processing Systems.'
)
bold='' plain=''
if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
for number in "${!sentences[@]}"; do
    gradient=sentence-$((number + 1)).g
    printf '\n%sA participant shares the gradient of:%s\n%s\n' "$bold" "$plain" "${sentences[$number]}"
    "$programs/dlg-grads" --text "${sentences[$number]}" -o "$gradient" --no-truth
    printf '\n%sAn attacker, given that gradient and the public model, nothing else:%s\n' "$bold" "$plain"
    "$programs/dlg-text" --grads "$gradient"
done
printf '\n%sThe same once more as the paper did it, by search alone. The words appear as they are found:%s\n' "$bold" "$plain"
"$programs/dlg-text" --grads "$gradient" --attack dlg
