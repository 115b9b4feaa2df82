#!/usr/bin/env bash
# Writes the recipes of corpus/gradient that have a name: what once broke the programs, as bytes that gradient.c reads
# in this order:
#   attack batch task words-5 hidden-2 layers-1 inner-1 positions-1 types-1 untied [classes] [two heads] seed
#   sentences-1, of each: length-1 and its tokens between [CLS] and [SEP]; labels; defence; size of all; changes:
#   parameter what a b size [index]; what 9 freezes it and needs no more
# Of a classifier the classes are 2, 3, 7 or 1,000; an even hidden size asks for heads. Sizes are counted as in `sizes`,
# defences as in `spoil`.
set -euo pipefail
cd "$(dirname "$0")/corpus/gradient"

recipe() { # NAME BYTES...
    local name=$1 byte
    shift
    for byte; do printf "\\x$(printf %02x "$byte")"; done > "$name"
}

mlm=(0 40 14 0 23 11 1 0 0 7)    # task words hidden layers inner positions types untied heads seed
cls=(1 40 14 0 23 11 1 0 0 0 7)  # with two classes
one=(0 5 20 4 21 22 30)          # a sentence of six, its third token masked
two=(1 5 20 4 21 22 5 23 24 4 25)
none=13                          # no defence

recipe bias-two-huge 0 1 "${mlm[@]}" "${two[@]}" 9 30 31 $none 0 18 6 0 0 7 9 18 6 0 0 7 12
recipe bias-one-huge 0 0 "${mlm[@]}" "${two[@]}" 9 30 31 $none 0 18 5 0 0 8 9
recipe one-big 1 1 "${mlm[@]}" "${one[@]}" 9 $none 0 0 5 0 0 9 20
recipe all-but-nothing-pruned-mlm 0 0 "${mlm[@]}" "${two[@]}" 9 30 31 2 0
recipe all-but-nothing-pruned-cls 0 0 "${cls[@]}" 1 5 20 6 21 22 5 23 24 8 25 0 1 2 0
recipe denormals-mlm 0 2 "${mlm[@]}" "${two[@]}" 9 30 31 $none 1
recipe denormals-cls 0 2 "${cls[@]}" 1 5 20 6 21 22 5 23 24 8 25 0 1 $none 1
recipe batch-of-1024-mlm 0 5 "${mlm[@]}" "${one[@]}" 9 $none 0
recipe batch-of-1024-cls 6 5 "${cls[@]}" 0 5 20 6 21 22 1 $none 0
recipe two-equal-texts 0 2 1 40 6 0 23 11 1 0 0 0 7 1 5 20 6 21 22 5 20 6 21 22 1 1 $none 0
recipe six-words-of-three 0 0 0 1 1 0 7 11 1 0 7 2 5 5 4 5 5 3 5 5 4 5 4 5 4 5 5 1 2 3 $none 0
recipe thousand-classes 0 3 1 40 7 0 23 11 1 0 3 7 2 3 20 6 3 21 7 4 22 8 9 1 200 90 $none 0
recipe one-class-of-one-token 0 1 1 0 0 0 0 0 0 1 0 0 7 0 0 0 $none 0
recipe gaussian-on-all 5 2 "${mlm[@]}" "${two[@]}" 9 30 31 6 0
recipe positions-frozen 0 0 "${mlm[@]}" "${two[@]}" 9 30 31 $none 0 1 9
recipe layer-0-frozen-cls 6 2 "${cls[@]}" 1 5 20 6 21 22 5 23 24 8 25 0 1 $none 0 5 9 6 9 7 9 8 9 9 9 10 9
