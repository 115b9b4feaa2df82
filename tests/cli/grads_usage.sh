# Wrong usage of dlg-grads: exit 64, one line, no file.
wrong() { # PATTERN ARGUMENTS...
    local pattern=$1
    shift
    refused 64 "*dlg-grads: $pattern" dlg-grads "$@" < /dev/null
}
wrong "unrecognized option '--frobnicate'" --frobnicate
wrong "option '--label' requires an argument" --label
wrong '--mask-rate: want a number from 0 to 1, found "1.5"' a --mask-rate 1.5
wrong '--mask-rate: want a number from 0 to 1, found "nan"' a --mask-rate nan
wrong '--mask-rate: want a number from 0 to 1, found ""' a --mask-rate ''
wrong '--mask-rate: want a number from 0 to 1, found "0x1"' a --mask-rate 0x1
wrong '--mask-style: want all or bert, found "some"' a --mask-style some
wrong '--max-length: want a whole number from 3 *found "2"' a --max-length 2
wrong '--pair: want a text before it, found none' --pair a
wrong '--pair: want a text before it, found another pair' a --pair b --pair c
wrong '--pair: want a text before it, found a file' --file a --pair b
wrong '--max-length: want a whole number from 3 *found "-5"' a --max-length -5
wrong '--max-length: want a whole number from 3 *found "99999999999999999999999"' a --max-length 99999999999999999999999
wrong '--model-seed: want a whole number *found "x"' a --model-seed x
wrong '--seed: want a whole number from 0 to 9007199254740992, found "9007199254740993"' a --seed 9007199254740993
wrong '--seed: want a whole number *found " 1"' a --seed ' 1'
wrong '--color: want auto, always or never, found "red"' a --color red
wrong '--threads: want a whole number from 1 *found "0"' a --threads 0
wrong '--num-labels: want a whole number from 1 *found "0"' a --num-labels 0
wrong '--task: want mlm or cls, found "nsp"' a --task nsp
wrong '--dtype: want f64, f32, f16 or bf16, found "f8"' a --dtype f8
wrong '--label: want a whole number *found "one"' a --label one
wrong 'want --label with --task=cls, found --task=mlm' a --task mlm --label 1
wrong 'want --mask-rate and --mask-style with --task=mlm, found a classifier' a --label 1 --mask-rate 0.15
wrong 'want --mask-rate and --mask-style with --task=mlm, found a classifier' a --mask-style bert --task cls
wrong 'want --num-labels with --task=cls, found --task=mlm' a --preset tiny --num-labels 2
wrong 'want --num-labels with --task=cls, found --task=mlm' a --task mlm --num-labels 3
wrong 'labels: want one for each of the 2 texts of a classifier, found 1' a b --label 1
wrong 'labels: want one for each of the 1 texts of a classifier, found 0' a --task cls
wrong 'preset: want tiny, mini, small, medium or base, found "huge"' a --preset huge
wrong 'want --model or a preset, found both' a --model m --preset tiny
wrong 'want --model or a preset, found both' a --model m --model-seed 1
wrong 'want --step or text and how to mask or label it, found both' a --step x.json
wrong 'want --step or text and how to mask or label it, found both' --step x.json --mask-rate 0.5
wrong 'want --truth or --no-truth, found both' a --truth x.json --no-truth
wrong '--output: want a file, found an empty name' a -o ''
wrong 'output: want two files *found x.json for both' a -o x.json --truth x.json
wrong 'defence: want gaussian:STD, *or prune:FRACTION, *found "rot13"' a --defend rot13
wrong 'defence gaussian:STD: want a number *found "gaussian"' a --defend gaussian
wrong 'defence prune:FRACTION: want a number from 0 to 1, found "prune:2"' a --defend int8 --defend prune:2
wrong 'defence int8: want no number, found "int8:4"' a --defend int8:4
