# What dlg-grads writes and prints when all is well.
TEXT='The red fish swims under the green tree.'
escapes() { grep -q $'\033'; }
has() { grep -aqF -- "$1" "$2"; }         # TEXT FILE
differ() { ! cmp -s "$1" "$2"; }
only() { [ "$(ls | tr '\n' ' ')" = "$1 " ]; }

accepted 'dlg-grads [0-9]*' '' dlg-grads --version
accepted '*Usage: dlg-grads*--defend=SPEC*64 wrong usage*' '' dlg-grads --help
accepted '*Usage: dlg-grads*' '' dlg-grads -h
accepted '*Defences (--defend=SPEC):*  gaussian:STD *  int8 *Presets*  tiny *  base *' '' dlg-grads --help
check 'lines of 80 columns' eval '! dlg-grads --help | grep -E "^.{81}"'

# The default: both files, the metadata, and the same again.
line='bert.g: gradient of 1 text, 12 tokens, 2 masked, loss 9.*; model mini, 54*parameters as F32; defence none; '
accepted "${line}truth in bert.truth.json" '' dlg-grads "$TEXT"
check 'the two files' only 'bert.g bert.truth.json'
for entry in '"dlg_gradient":"1"' '"model":"mini"' '"model_seed":"0"' '"task":"mlm"' '"batch_size":"1"' \
    '"defence":"none"'; do
    check "metadata $entry" has "$entry" bert.g
done
check 'no text in the gradient' eval '! has "red fish" bert.g'
check 'the text in the truth' has "$TEXT" bert.truth.json
check 'no seed of the masks in the gradient' eval '! has "\"seed\"" bert.g'
accepted '*' '' dlg-grads "$TEXT" -o again.g
check 'the same gradient again' cmp bert.g again.g
check 'the same truth again' cmp bert.truth.json again.truth.json
accepted '*' '' dlg-grads "$TEXT" -o masks.g --seed 5
check 'other masks' differ bert.truth.json masks.truth.json
accepted '*' '' dlg-grads "$TEXT" -o weights.g --model-seed 1
check 'other weights' differ bert.g weights.g
check 'the masks as before' eval 'diff bert.truth.json weights.truth.json | grep -c "^<" | grep -qx 1' # the loss

# A step on record gives the same gradient; so does a batch, and a defended one.
accepted '*' '' dlg-grads --step bert.truth.json -o step.g
check 'the recorded step' cmp bert.g step.g
check 'its truth' cmp bert.truth.json step.truth.json
rm -- *
accepted '*2 texts*' '' dlg-grads "$TEXT" 'A bird flies.' --preset tiny --mask-style bert --mask-rate 0.5 --seed 3 \
    --defend gaussian:1e-3 --defend prune:0.5 -o batch.g
check 'the batch size' has '"batch_size":"2"' batch.g
check 'the chain' has '"defence":"gaussian:1e-3,prune:0.5"' batch.g
accepted '*' '' dlg-grads --step batch.truth.json --preset tiny --defend gaussian:1e-3 --defend prune:0.5 -o step.g \
    --seed 3
check 'the recorded batch' cmp batch.g step.g
accepted '*' '' dlg-grads --step batch.truth.json --preset tiny --defend prune:0.5 --defend gaussian:1e-3 -o other.g \
    --seed 3
check 'that the order of defences counts' differ batch.g other.g
for defence in laplace:0.01 fp16 bf16 int8; do
    accepted "*defence $defence;*" '' dlg-grads --step batch.truth.json --preset tiny --defend $defence -o other.g
    check "the metadata of $defence" has "\"defence\":\"$defence\"" other.g
done
rm -- *

# Where texts come from, and that their order is kept.
printf 'second\r\nthird\n' > lines.txt
order() { tr -d '\n\t ' < "$1" | grep -qF "\"text\":[$2]"; }
accepted '*' '' eval 'printf "fourth" | dlg-grads first --file lines.txt - --text "fifth" --preset tiny -o order.g'
check 'five texts in order' order order.truth.json '"first","second","third","fourth","fifth"'
accepted '*2 texts*' '' eval 'dlg-grads --preset tiny -o stdin.g < lines.txt'
check 'two texts of standard input' order stdin.truth.json '"second","third"'
accepted '*2 texts*' '' eval 'dlg-grads --preset tiny -o stdin.g --file - < lines.txt'
accepted '*1 text,*' '' dlg-grads --preset tiny -o dashes.g -- --text
rm -- *

# Pairs of texts: one input, of two types.
accepted '*1 text, 10 tokens,*' '' dlg-grads --text 'The house is old.' --pair 'Yes.' --preset tiny -o pair.g
flat() { tr -d '\n\t ' < "$1"; }
check 'both texts' eval 'flat pair.truth.json | grep -qF "\"text\":[\"Thehouseisold.\"],\"text_pair\":[\"Yes.\"]"'
check 'the types' eval 'flat pair.truth.json | grep -qF "\"token_type_ids\":[[0,0,0,0,0,0,0,1,1,1]]"'
accepted '*' '' dlg-grads --step pair.truth.json --preset tiny -o step.g
check 'the recorded pair' cmp pair.g step.g
accepted '*6 tokens,*' '*cut from 10 to 6 tokens*' dlg-grads 'The house is old.' --pair 'Yes.' --preset tiny \
    --max-length 6 -o cut.g
check 'the longer is cut' eval 'flat cut.truth.json | grep -qF "[[0,0,0,0,1,1]]"'
rm -- *

# Classes.
accepted '*2 texts*5 classes*' '' dlg-grads "$TEXT" 'A bird flies.' --label 4 --label 0 --num-labels 5 --preset tiny \
    -o cls.g
check 'the task' has '"task":"cls"' cls.g
check 'the classes' has '"n_labels":"5"' cls.g
accepted '*' '' dlg-grads --step cls.truth.json --num-labels 5 --preset tiny -o step.g
check 'the recorded classes' cmp cls.g step.g
rm -- *

# Names of files.
accepted '*truth in deep.er/x.truth.json' '' eval 'mkdir deep.er && dlg-grads "$TEXT" --preset tiny -o deep.er/x'
accepted '*truth in .g.truth.json' '' dlg-grads "$TEXT" --preset tiny -o .g
accepted '*truth in a.b.truth.json' '' dlg-grads "$TEXT" --preset tiny -o a.b.g
accepted '*truth in elsewhere.json' '' dlg-grads "$TEXT" --preset tiny --truth elsewhere.json
accepted '*defence none' '' dlg-grads "$TEXT" --preset tiny --no-truth -o alone.g
check 'no truth' test ! -e alone.truth.json
rm -rf -- * .g*

# Number formats: what they weigh, and how far they are from each other.
accepted '*as F64*' '' dlg-grads "$TEXT" --preset tiny --dtype f64 -o f64.g
accepted '*as F16*' '' dlg-grads "$TEXT" --preset tiny --dtype f16 -o f16.g
accepted '*as BF16*' '' dlg-grads "$TEXT" --preset tiny --dtype bf16 -o bf16.g
accepted '*' '' dlg-grads "$TEXT" --preset tiny -o f32.g
n=$(wc -c < f32.g)
weighs() { # FILE BYTES, but for the header
    local bytes=$(wc -c < "$1")
    [ $((bytes - $2)) -lt 10000 ] && [ $(($2 - bytes)) -lt 10000 ]
}
check 'twice the bytes' weighs f64.g $((2 * n))
check 'half the bytes' weighs f16.g $((n / 2))
check 'half the bytes' weighs bf16.g $((n / 2))
check 'halves near floats' compare_gradients bf16.g f32.g 0.01
check 'doubles near floats' compare_gradients f64.g f32.g 1e-6
check 'that the comparison can fail' eval '! compare_gradients bf16.g f32.g 1e-6'
rm -- *

# A directory; JSON; notes.
mkdir m c
check 'a model' make_model m mlm
check 'a classifier' make_model c cls
accepted '*model m,*' '' dlg-grads "$TEXT" --model m
check 'the directory' has '"model":"m"' bert.g
check 'no seed' eval '! has model_seed bert.g'
accepted '*3 classes*' '' dlg-grads "$TEXT" --model c --label 2
line='{"event":"gradient","version":*"output":"bert.g","truth":"bert.truth.json","model":"m",*'
line+='"task":"mlm","batch_size":1,'
accepted "$line"'"length":\[11\],"n_predicted":1,"loss":*}' '' dlg-grads "$TEXT" --model m --json
check 'one line' [ "$(dlg-grads "$TEXT" --model m --json | wc -l)" -eq 1 ]
accepted '*7 tokens*' 'text 1: cut from 11 to 7 tokens' dlg-grads "$TEXT" --model m --max-length 7
accepted '*7 tokens*' '' dlg-grads "$TEXT" --model m --max-length 7 -q

# Marks are for terminals, or where they are asked for.
check 'a bold name' eval 'dlg-grads "$TEXT" --color always | escapes'
check 'a plain one' eval '! dlg-grads "$TEXT" --color auto | escapes'
