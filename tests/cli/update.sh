# What is shared is no gradient but what a training made of the weights: dlg-grads makes such files, dlg-text reads what
# they are from the metadata, or is told.
text='we invite submissions for the annual conference.'
cls() { dlg-grads --preset tiny --label 1 --threads 1 -q --no-truth "$@" "$text"; }

for how in '1 --optimizer sgd --lr 1e-3' '3 --optimizer sgd --lr 1e-3 --weights-after' \
    '1 --optimizer adamw --lr 5e-5 --weights-after' '3 --optimizer adamw --lr 1e-3'; do
    check "steps $how" eval "cls -o u.g --local-steps $how > made.txt"
    accepted "*Recovered:
  $text
*after ${how%% *} step*class 1*" '' dlg-text -q --threads 1 u.g
done

# Of two classes the other one explains a difference that was taken the other way round; weights have one sign.
open='*class: 1, or 0 if the difference of weights was taken the other way round: which of the two cannot be told*'
check 'difference' eval 'cls -o u.g --local-steps 1 --optimizer adamw --lr 1e-3 > made.txt'
accepted "$open" '' dlg-text -q --threads 1 u.g
for label in 0 1; do
    for optimizer in sgd adamw; do
        check "$optimizer, class $label" eval 'dlg-grads --preset tiny --label $label --threads 1 -q --no-truth \
            -o w.g --local-steps 1 --optimizer $optimizer --lr 1e-3 --weights-after "$text" > made.txt'
        accepted "*inferred: *; class $label*" '' dlg-text -q --threads 1 w.g
    done
done

# Weights as a stranger has them: nobody says what took the step.
cls -o w.g --local-steps 1 --optimizer adamw --lr 5e-5 --weights-after > made.txt
dlg-text -q --threads 1 --json w.g > w.json
for part in '"update":{"shared":"weights","optimizer":"adamw","optimizer_is_inferred":false,"lr":' '"steps":1,' \
    '"tokens":{"sure":"certain","value":[' '"length":{"sure":"certain","value":' \
    '"sentences_at_least":{"sure":"certain","value":1}'; do
    check "JSON: $part" grep -qF "$part" w.json
done
accepted '*length     certain  *
*tokens     certain  *' '' dlg-text --threads 1 --inspect w.g

# A masked LM's words all move with the decoder; how long the text is stays to be seen.
mlm() { dlg-grads --preset tiny --threads 1 -q --no-truth "$@" "$text"; }
check 'masked LM' eval 'mlm -o m.g --local-steps 1 --lr 1e-2 > made.txt'
accepted "*$text
*which tokens went in is not seen: the tied decoder*" '' dlg-text -q --threads 1 m.g
check 'AdamW of a masked LM' eval 'mlm -o a.g --local-steps 2 --optimizer adamw --lr 1e-3 > made.txt'
accepted '*Not recovered*the longest sentence has * tokens (certain)*' '' dlg-text -q --threads 1 a.g

# What does not go together.
refused 64 'dlg-text: --update: want gradient, difference or weights, found "x"' dlg-text w.g --update x
refused 64 'dlg-text: --optimizer: want sgd or adamw, found "lbfgs"' dlg-text w.g --optimizer lbfgs
refused 64 'dlg-text: --optimizer adamw: eps: want a number from *, found "0"' dlg-text w.g --optimizer adamw:eps=0
refused 64 'dlg-text: --optimizer sgd: want NAME=NUMBER with NAME weight_decay, found "eps=1"' \
    dlg-text w.g --optimizer sgd:eps=1
refused 64 'dlg-text: want --model with --before, found none' dlg-text w.g --before m
refused 64 'dlg-text: attack dlg: want a gradient, found an update of AdamW*' dlg-text -q w.g --attack dlg
refused 64 'dlg-grads: want --lr with --local-steps, found none' dlg-grads --local-steps 2 x
refused 64 'dlg-grads: want --local-steps with --optimizer, --lr and --weights-after, found none' dlg-grads --lr 1 x
