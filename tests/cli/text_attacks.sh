# Every attack by name: what it descends on, how it counts and ends, and that it says when nothing was found.
export LC_ALL=C
mkdir m c
check 'a model' make_model m mlm
check 'a classifier' make_model c cls
check 'a gradient' dlg-grads 'the red fish swims in the sea' --model m -o m.g
check 'its class' dlg-grads 'the red fish swims' --model c --label 2 -o c.g
check 'two sentences' dlg-grads 'the red fish swims' 'a bird' --model m -o two.g
check 'a defended one' dlg-grads 'the red fish swims' --model m -o d.g --defend gaussian:0.01
field() { sed -nE "s/.*\"$1\":\"?([^\",]*).*/\1/p" <<< "$2"; } # NAME LINE

for attack in dlg:l2:lbfgs idlg:l2:lbfgs_plain tag:tag:adam lamp:cosine:adam; do
    IFS=: read -r name distance optimizer <<< "$attack"
    dlg-text m.g --model m --attack $name --iterations 6 --starts 2 --threads 1 --json > lines.json 2> notes.txt
    check "$name: exit 0" [ $? -eq 0 ]
    start=$(head -1 lines.json) result=$(tail -1 lines.json)
    check "$name: its name" [ "$(field attack "$start") $(field attack "$result")" = "$name $name" ]
    check "$name: its distance and optimizer" \
        [ "$(field distance_name "$start") $(field optimizer "$start")" = "$distance $optimizer" ]
    check "$name: an iteration each" \
        [ "$(grep -c '"event":"iteration"' lines.json)" -eq "$(field iterations "$result")" ]
    check "$name: twenty evaluations each" eval '
        [ $(field evaluations "$result") -ge $((20 * $(field iterations "$result"))) ] &&
        [ $(field evaluations "$result") -le $((24 * $(field iterations "$result") + 100)) ]'
    check "$name: no more iterations than told" eval '[ $(field iterations "$result") -le 12 ]'
    dlg-text m.g --model m --attack $name --iterations 6 --starts 2 --threads 1 --json 2> again.txt |
        sed -E 's/"seconds(_per_evaluation)?":[^,}]*//g' > again.json
    check "$name: the same again" \
        eval 'sed -E "s/\"seconds(_per_evaluation)?\":[^,}]*//g" lines.json | cmp - again.json'
    check "$name: another distance" eval '
        dlg-text m.g --model m --attack $name --distance relative --iterations 2 --starts 1 --threads 1 --json |
            head -1 | grep -q "\"distance_name\":\"relative\""'
    accepted '*class 2*' '' dlg-text c.g --model c --attack $name --iterations 3 --starts 1 --threads 1 -q
    accepted '*[Rr]ecovered*' '' dlg-text two.g --model m --attack $name --iterations 3 --starts 1 --threads 1 -q
    accepted 'Not recovered*defence gaussian:0.01*' '' \
        dlg-text d.g --model m --attack $name --know length:d.truth.json --iterations 3 --starts 1 --threads 1 -q
done

# So many evaluations and no more than the iteration they end in, whatever else is allowed.
for name in dlg tag lamp; do
    dlg-text d.g --model m --attack $name --know length:d.truth.json --evaluations 60 --threads 1 --json -q > spent.json
    check "$name: exit 0" [ $? -eq 0 ]
    check "$name: ends when its evaluations are spent" eval '[ "$(field end "$(tail -1 spent.json)")" = exhausted ] &&
        [ $(field evaluations "$(tail -1 spent.json)") -ge 50 ] &&
        [ $(field evaluations "$(tail -1 spent.json)") -le 60 ]'
done

# Sentences of a batch together, or one after the other.
for update in batch sentence; do
    dlg-text two.g --model m --attack dlg --descend $update --iterations 20 --starts 2 --threads 1 --json -q \
        > $update.json
    check "update $update" [ $? -eq 0 ]
done
check 'they differ' eval '! cmp -s batch.json sentence.json'
refused 64 'dlg-text: attack lamp: want the sentences of a batch updated together, found one at a time' \
    dlg-text two.g --model m --attack lamp --descend sentence -q --threads 1

# A classifier is no language model.
accepted '*' '*no language prior: the model is a classifier*' \
    dlg-text c.g --model c --attack lamp --iterations 3 --starts 1 --threads 1

# LAMP's steps are Adam's.
refused 64 'dlg-text: attack lamp: want the optimizer adam, found lbfgs' \
    dlg-text m.g --model m --attack lamp --minimizer lbfgs -q --threads 1

# Another model as the prior: a masked LM of the same words, or a GPT-2, and nothing else.
dlg-text c.g --model c --attack lamp --iterations 3 --starts 1 --threads 1 --prior m > with.txt 2> notes.txt
check 'a prior for a classifier' [ $? -eq 0 ]
check 'no word of none' eval '! grep -q "no language prior" notes.txt'
check 'its name' grep -q 'optimizer adam, prior m (masked LM), seed 0' notes.txt
refused 1 'dlg-text: nowhere: No such file or directory' dlg-text m.g --model m --attack lamp --prior nowhere
refused 1 'dlg-text: c/config.json: want a model for mlm or clm, found one for cls' \
    dlg-text m.g --model m --attack lamp --prior c
mkdir gpt
check 'a GPT-2' make_model gpt clm
gpt() { dlg-text m.g --model m --attack lamp --iterations 20 --starts 1 --threads 1 --json "$@" 2> notes.txt; }
gpt > alone.json
check 'the attacked model' eval 'head -1 alone.json | grep -q "\"prior\":\"m\",\"prior_task\":\"mlm\""'
gpt --prior gpt > with.json
check 'the GPT-2' eval 'head -1 with.json | grep -q "\"prior\":\"gpt\",\"prior_task\":\"clm\""'
timeless() { sed -E '1d; s/"seconds[^,}]*//g' "$1"; }
check 'which says something else' eval '! cmp -s <(timeless alone.json) <(timeless with.json)'
gpt --attack tag > tag.json
check 'nobody asked' eval 'head -1 tag.json | grep -q "\"prior\":null,\"prior_task\":null"'
accepted '*' '*optimizer adam, prior gpt (GPT-2), seed 0*' \
    dlg-text c.g --model c --attack lamp --iterations 3 --starts 1 --threads 1 --prior gpt
accepted '*' '*optimizer adam, no prior, seed 0*' \
    dlg-text c.g --model c --attack lamp --iterations 3 --starts 1 --threads 1
cp m/vocab.txt gpt
accepted '*' '*prior gpt (GPT-2)*' dlg-text m.g --model m --attack lamp --iterations 3 --starts 1 --threads 1 \
    --prior gpt
refused 1 'dlg-text: gpt/config.json: want a masked LM or a classifier, found a causal LM, which can only be a prior' \
    dlg-text m.g --model gpt
sed -i 's/^bird$/birds/' gpt/vocab.txt
refused 1 'dlg-text: gpt: want the vocabulary of the attacked model, found another from piece 31 on' \
    dlg-text m.g --model m --attack lamp --prior gpt
rm gpt/vocab.txt
gpt_refused() { # MESSAGE SED-SCRIPT
    cp -r gpt bad && sed -i "$2" bad/config.json
    refused 1 "dlg-text: bad/$1" dlg-text m.g --model m --attack lamp --prior bad
    rm -r bad
}
words=$(dirname "$case_file")/../golden/gpt2/model
refused 1 "dlg-text: $words/config.json: vocab_size: want the attacked model's 40, found 100" \
    dlg-text m.g --model m --attack lamp --prior "$words"
gpt_refused 'model.safetensors: transformer.h.0.mlp.c_fc.weight: want shape (16, 33), found (16, 32)' \
    's/"n_inner": 32/"n_inner": 33/'
gpt_refused 'model.safetensors: tensor transformer.h.1.ln_1.weight is missing' 's/"n_layer": 1/"n_layer": 2/'
gpt_refused 'config.json: activation_function: want gelu,*found silu' 's/{/{"activation_function": "silu", /'
cp -r m other
sed -i 's/^bird$/birds/' other/vocab.txt
refused 1 'dlg-text: other: want the vocabulary of the attacked model, found another from piece 31 on' \
    dlg-text m.g --model m --attack lamp --prior other
refused 64 'dlg-text: want --attack lamp with --prior, found another' dlg-text m.g --model m --prior m
