# Texts and steps that dlg-grads must refuse: exit 1, one line that says what and where, no file.
mkdir m c
check 'a model' make_model m mlm
check 'a classifier' make_model c cls
refuse() { # PATTERN ARGUMENTS...
    local pattern=$1
    shift
    refused 1 "dlg-grads: $pattern" dlg-grads "$@"
}

# Empty, or not text.
refuse 'text 1: want text, found none' ''
refuse 'text 2: want text, found none' a '' --model m
refuse 'text 1: want at least one token, found none' '   ' --model m
refuse 'text 1: *byte 3: want UTF-8, found 0xe9' $'caf\xe9' --model m
refuse 'text 1: *byte 0: want UTF-8, found 0xed' $'\xed\xa0\x80' --model m
refuse 'text 1: *byte 0: want UTF-8, found 0xc0' $'\xc0\x80' --model m
: > empty.txt
printf 'a\n\nb\n' > hole.txt
printf 'a\r\n\r\n' > hole_crlf.txt
printf 'a\nb\0c\n' > nul.txt
printf 'a\ncaf\xe9\n' > latin1.txt
refuse 'empty.txt: want text, found none' --file empty.txt
refuse 'hole.txt: line 2: want text, found none' --file hole.txt
refuse 'hole_crlf.txt: line 2: want text, found none' --file hole_crlf.txt
refuse 'nul.txt: line 2: byte 1: want text, found a NUL' --file nul.txt
refuse 'latin1.txt: line 2: *byte 3: want UTF-8, found 0xe9' --file latin1.txt --model m
refuse 'missing.txt: No such file or directory' --file missing.txt
refuse 'm: want a regular file, found a directory' --file m
refused 1 'dlg-grads: standard input: want text, found none' eval 'dlg-grads < empty.txt'
refused 1 'dlg-grads: standard input: Bad file descriptor' eval 'dlg-grads <&-'

# Too long: the small model has 24 positions, the presets 512.
long=$(printf 'a%.0s ' {1..23})
refuse 'text 1: want at most the 24 tokens that m has positions for, found 25; --max-length 24 cuts it' "$long" \
    --model m
refuse 'text 1: want at most the 24 tokens *found 25*' "$long" --model m --max-length 25
refuse 'text 1: want at most the 512 tokens that tiny has positions for, found 602; *' "$(printf 'a%.0s ' {1..600})" \
    --preset tiny
check 'just what fits' dlg-grads "${long#a }" --model m
rm bert.*

# Classes and tasks that the model has not.
refuse 'text 2: label: want one of the 3 classes of c, found 3' a b --label 2 --label 3 --model c
refuse 'text 1: label: want one of the 2 classes of tiny, found 2' a --label 2 --preset tiny
refuse 'm/config.json: want a model for cls, found one for mlm' a --label 0 --model m
refuse 'c/config.json: want a model for mlm, found one for cls' a --task mlm --model c

# Steps on record.
step() { # FED IDS LABELS [REST]
    printf '{"task": "mlm", "attention": [[1, 1, 1]], "fed_ids": [[%s]], "ids": [[%s]], "labels": [[%s]]%s}' \
        "$1" "$2" "$3" "${4-}" > step.json
}
step '2, 4, 3' '2, 9, 3' '-100, 9, -100'
check 'a step' dlg-grads --step step.json --model m
rm bert.*
refuse 'step.json: task: want cls, found mlm' --step step.json --task cls
refuse 'c/config.json: want a model for mlm, found one for cls' --step step.json --model c
step '2, 40, 3' '2, 9, 3' '-100, 9, -100'
refuse "step.json: sentence 0, position 1: want a token of the model's 40, found 40" --step step.json --model m
step '2, 4, 3' '2, 9, 3' '-100, 8, -100'
refuse 'step.json: labels\[0\]\[1\]: want -100 or 9, as ids has it, found another value' --step step.json --model m
step '2, 4, 3' '2, 9, 3' '-100, 9, -100' ', "dropout": true'
refuse 'step.json: want a step without dropout, found one with it' --step step.json --model m
step '2, 4, 3' '2, 9, 3' '-100, 9, -100' ', "seed": 0, "seed": 0'
refuse 'step.json: *seed*' --step step.json --model m
for ((i = 0; i < 1000; i++)); do printf '['; done > step.json
refuse 'step.json: *' --step step.json --model m
refuse 'missing.json: No such file or directory' --step missing.json
