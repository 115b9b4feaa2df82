# dlg-text --inspect: what can be read off without an attack, as a table and as JSON.
has() { grep -qF -- "$1" "$2"; } # TEXT FILE
export LC_ALL=C

check 'a gradient' dlg-grads 'A red bird sings in the old tree' --preset tiny -o a.g
accepted 'a.g against tiny: masked LM, read in * s
  metadata: defence none

model      certain   its embeddings fit the gradient
*
length     certain   11 tokens, begin and end included
*
sentences  certain   1
*
labels     certain   1: *
masked     certain   at ?
*
tokens     certain   11 different: \[CLS\] \[SEP\] \[MASK\] *
text       certain   \[CLS\] *\[MASK\]* \[SEP\]
*
scale      certain   1 times the gradient of the mean loss
*
norm                 *
rounded              no
pruned               no
noise                no: all * entries behind the text are zero

rank of the gradient       query     key   value  output  middle   outer
  layer 0                     11*
  cls.predictions.transform.dense.weight       1' '' dlg-text --inspect a.g --threads 1
dlg-text --inspect a.g > table.txt
check '80 columns' eval '[ $(wc -L < table.txt) -le 80 ]'

check 'JSON' eval 'dlg-text --inspect a.g --json --threads 1 > line.json 2> notes.txt'
check 'no words beside it' [ ! -s notes.txt ]
check 'one object' eval '[ $(wc -l < line.json) -eq 1 ] && grep -q "^{\"event\":\"inspect\",.*}$" line.json'
ranks='"ranks":[{"name":"bert.encoder.layer.0.attention.self.query.weight","rows":128,"columns":128,'
ranks+='"frozen":false,"rank":11,'
for field in '"gradient":"a.g"' '"model":"tiny"' '"task":"mlm"' '"defence":"none"' '"seconds":' \
    '"fits":{"sure":"certain",' '"length":{"sure":"certain","from":' '"batch_size":{' '"least":1,"most":1}' \
    '"labels":{"sure":"certain"' '"masked":{' '"fed_tokens":[' '"certain_positions":11' '"scale":{' \
    '"traces":{"norm":' '"rounding":null' '"pruned":false' '"noise":0,"kurtosis":null' \
    "$ranks"'"clear":true,"gap":'; do
    check "$field" has "$field" line.json
done

# What a defence did is seen, and the text is not claimed to be certain.
defended() { # SPEC
    dlg-grads 'A red bird sings in the old tree' --preset tiny --defend "$1" -o d.g &&
        dlg-text --inspect d.g --threads 1 > d.txt
}
check 'noise' defended gaussian:0.001
check 'its deviation' has 'yes: deviation 0.001 behind the text, kurtosis 3.0' d.txt
check 'pruning' defended prune:0.5
check 'its fraction' has 'yes: 50.0 % of a matrix' d.txt
check 'int8' defended int8
check 'its levels' has 'to integers: at most 1' d.txt
check 'fp16' defended fp16
check 'its name' has 'to fp16' d.txt
check 'nothing certain of the text' eval '! grep -q "^text  *certain" d.txt'

# Of a gradient that is another model's, or nobody's, nothing is certain.
mkdir this other
check 'a model' make_model this mlm
check 'another' make_model other mlm 8
check 'its gradient' dlg-grads 'the red fish swims' --model this -o this.g
check "the other's" dlg-grads 'the red fish swims' --model other -o other.g
check 'shuffled' spoil_gradient shuffled this.g shuffled.g
check 'random' spoil_gradient normal this.g normal.g
nothing_certain() { # NAME
    dlg-text --inspect $1.g --model this --threads 1 > f.txt &&
        ! grep -q '^[a-z]*  *certain' f.txt && ! grep -q '^text  *likely' f.txt
}
check 'this one fits' \
    eval 'dlg-text --inspect this.g --model this --threads 1 |
        grep -q "^model  *certain   its embeddings fit the gradient"'
for name in other shuffled normal; do check "$name: nothing certain" nothing_certain $name; done
check 'another model' \
    eval 'nothing_certain other && grep -q "^model  *likely    another than this one made the gradient" f.txt'
check 'JSON' \
    eval 'dlg-text --inspect other.g --model this --json |
        grep -q "\"fits\":{\"sure\":\"likely\",\"from\":\"[^\"]*\",\"value\":false}"'
check 'nothing certain in JSON' eval '! dlg-text --inspect other.g --model this --json | grep -q certain\"'

# A batch of a classifier: how many sentences, and their classes.
check 'a batch' dlg-grads 'A red bird' 'The sea is calm' 'We met at noon today' --label 1 --label 0 --label 1 \
    --num-labels 5 --preset tiny -o c.g
accepted '*sentences  certain   3
*classes    certain   3: 0, 1 (2)
*text       not seen  -
*' '' dlg-text --inspect c.g --threads 1

refused 64 '*want --inspect alone, found --know or --truth beside it*' dlg-text --inspect a.g --truth a.truth.json
refused 64 '*want --inspect alone, found --know or --truth beside it*' dlg-text --inspect a.g --know length:a.truth.json
refused 1 '*missing.g*' dlg-text --inspect missing.g
[ -e /dev/full ] && check 'exit 1 when it cannot be printed' \
    eval 'dlg-text --inspect a.g --threads 1 > /dev/full; [ $? -eq 1 ]'
