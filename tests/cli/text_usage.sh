# Wrong usage of dlg-text: exit 64, one line, nothing on standard output.
wrong() { # PATTERN ARGUMENTS...
    local pattern=$1
    shift
    refused 64 "*dlg-text: $pattern" dlg-text "$@"
}
wrong "unrecognized option '--frobnicate'" --frobnicate
wrong "option '--grads' requires an argument" --grads
wrong 'want a gradient (--grads FILE), found none'
wrong 'want one gradient, found a.g and b.g' a.g b.g
wrong 'want one gradient, found a.g and b.g' --grads a.g b.g
wrong 'want --model or a preset, found both' a.g --model m --preset tiny
wrong 'want --model or a preset, found both' a.g --model m --model-seed 1
wrong 'want --preset with --model-seed and --num-labels, found none' a.g --model-seed 1
wrong '--model-seed: want a whole number *found "x"' a.g --preset tiny --model-seed x
wrong '--num-labels: want a whole number from 1 *found "0"' a.g --preset tiny --num-labels 0
wrong '--task: want mlm or cls, found "nsp"' a.g --task nsp
wrong '--know: want WHAT:FILE with WHAT batch, length, masked or labels, found "everything:t.json"' \
    a.g --know everything:t.json
wrong '--know: want WHAT:FILE *found "labels"' a.g --know labels
wrong '--know: want WHAT:FILE *found "labels:"' a.g --know labels:
wrong '--know: want WHAT:FILE *found "labelset:t.json"' a.g --know labelset:t.json
wrong '--know: want labels once, found it twice' a.g --know labels:a --know labels:b
wrong '--attack: want auto, dlg*found x' a.g --attack x
wrong '--distance: want l2, relative, cosine*found l1' a.g --distance l1
wrong '--minimizer: want lbfgs, *adam, found sgd' a.g --minimizer sgd
wrong '--iterations: want a whole number from 1 *found "0"' a.g --iterations 0
wrong '--iterations: want a whole number *found "-1"' a.g --iterations -1
wrong '--starts: want a whole number from 1 *found "0"' a.g --starts 0
wrong '--every: want a whole number from 1 *found "0"' a.g --every 0
wrong '--seed: want a whole number *found "1e3"' a.g --seed 1e3
wrong '--color: want auto, always or never, found "red"' a.g --color red
wrong '--threads: want a whole number from 1 *found "0"' a.g --threads 0
wrong 'want --checkpoint with --resume, found none' a.g --resume
wrong 'want --inspect without --checkpoint, found both' a.g --inspect --checkpoint j

# Found out only when the files are open.
mkdir m c
check 'a model' make_model m mlm
check 'a classifier' make_model c cls
check 'a gradient' dlg-grads 'the red fish' 'a bird' --model m -o m.g
check 'classes' dlg-grads 'the red fish' --label 1 --model c -o c.g
wrong 'preset: want tiny, mini, small, medium or base, found "huge"' m.g --preset huge
wrong '--know=masked: want --know=length too in a batch of 2 sentences, found none' \
    m.g --model m --know masked:m.truth.json
wrong '--know=masked: want a masked LM, found a classifier*' c.g --model c --know masked:m.truth.json
