#!/usr/bin/env bash
# From nothing to a stolen sentence: install what is needed, build, make the gradients of three sentences, and recover each from its
# gradient alone. The sentences are those of "Deep Leakage from Gradients" (Zhu et al. 2019).
set -euo pipefail
cd "$(dirname "$0")/.."

./examples/install-packages.sh
CMAKE_GENERATOR=Ninja cmake -S . -B build > /dev/null
cmake --build build

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
sentences=(
    'Registration, volunteer applications, and student travel application open the first week of September. Child care will be available.'
    'We welcome proposals for tutorials on either core machine learning topics or topics of emerging importance for machine learning.'
    'We invite submissions for the Thirty-Third Annual Conference on Neural Information Processing Systems.'
)
bold='' plain=''
if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
for number in "${!sentences[@]}"; do
    gradient="$scratch/sentence-$((number + 1)).g"
    printf '\n%sA participant shares the gradient of:%s\n%s\n' "$bold" "$plain" "${sentences[$number]}"
    build/bin/dlg-grads --text "${sentences[$number]}" -o "$gradient"
    printf '\n%sAn attacker, given nothing but that gradient:%s\n' "$bold" "$plain"
    build/bin/dlg-text --grads "$gradient"
done
