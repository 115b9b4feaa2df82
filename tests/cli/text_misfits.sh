# Gradients that no text has: of another model, with the entries of each tensor shuffled, and random numbers. Whatever
# the attack and whatever it is told, it says that nothing was recovered, and every line of what it prints says what it
# is: no sentence stands there by itself.
export LC_ALL=C
text='the red fish swims in the sea under a tree'
mkdir mlm cls other_mlm other_cls
for task in mlm cls; do
    label=
    [ $task = cls ] && label='--label 2'
    check "$task: a model" make_model $task $task
    check "$task: another" make_model other_$task $task 8
    check "$task: a gradient" dlg-grads "$text" --model $task $label -o $task.g
    check "$task: of another model" dlg-grads "$text" --model other_$task $label -o $task.other.g
    check "$task: shuffled" spoil_gradient shuffled $task.g $task.shuffled.g
    check "$task: random" spoil_gradient normal $task.g $task.normal.g
done

attack() {
    dlg-text $task.$kind.g --model $task --attack $name --iterations 8 --starts 2 --threads 1 -q "$@" 2> notes.txt
}
says_so() { # nothing recovered, in lines that say what they are
    [ $? -eq 0 ] && head -1 out.txt | grep -q '^Not recovered: ' && [ "$(grep -c '^Not recovered: ' out.txt)" -eq 1 ] &&
        ! tail -n +2 out.txt |
        grep -Ev '^  (only a guess|not explained|tokens|cost|told|metadata|inferred|assumed): ' &&
        [ ! -s notes.txt ]
}
says_so_in_json() {
    [ $? -eq 0 ] && [ "$(grep -c '"event":"result"' out.txt)" -eq 1 ] &&
        tail -1 out.txt | grep -Eq '"end":"(exhausted|unreadable)","recovered":false,' && [ ! -s notes.txt ]
}

names=$(dlg-text --attack none x.g 2>&1 | sed -n 's/.*want \(.*\) or \([a-z]*\), found.*/\1 \2/p' | tr -d ,)
check 'all attacks' [ "$(wc -w <<< "$names")" -ge 7 ]
for task in mlm cls; do
    know="--know length:$task.truth.json --know labels:$task.truth.json"
    for kind in other shuffled normal; do
        for name in $names; do
            check "$task, $kind, $name" eval 'attack > out.txt; says_so'
            check "$task, $kind, $name, told much" eval 'attack $know > out.txt; says_so'
            check "$task, $kind, $name, told much, as JSON" eval 'attack $know --json > out.txt; says_so_in_json'
        done
    done
done

# What shows no length is a result like any other, with and without a truth to score it by.
unread='want position rows that stand out of the noise, found none: no length can be inferred'
accepted "Not recovered: no attack could begin.
  not explained: gradient: $unread
  told: 2 labels: *
  metadata: a batch of 1 sentence
  scores: 0 of 12 tokens right *" 'mlm.normal.g against mlm*' \
    dlg-text mlm.normal.g --model mlm --know labels:mlm.truth.json --truth mlm.truth.json
nothing='"length":null,"labels":null,"masked":null}'
inferred='"length":null,"labels":null,"unsure":\[\],"masked":null}'
accepted '*"event":"start",*"origins":{"batch":"metadata",'"$nothing,*$inferred"'*
*"end":"unreadable","recovered":false,"reason":"gradient: '"$unread"'",*"tokens":\[\],"text":\[\],*' '' \
    dlg-text mlm.normal.g --model mlm --json
check 'no checkpoint of nothing' eval 'dlg-text mlm.normal.g --model mlm --checkpoint journal -q && [ ! -e journal ]'
# What was told wrong is an error all the same.
refused 1 'dlg-text: *' dlg-text mlm.normal.g --model mlm --know length:cls.truth.json
# The gradient that fits is recovered: the words above are not said of everything.
accepted 'Recovered:*' '' dlg-text mlm.g --model mlm -q --threads 1 --know length:mlm.truth.json \
    --know masked:mlm.truth.json \
    --know labels:mlm.truth.json
