# A budget of time ends an attack with the best so far and all that is certain, and its journal goes on.
has() { grep -qF -- "$1" "$2"; } # TEXT FILE
check 'a gradient to be busy with' \
    dlg-grads 'Bird and fish, the sea and the tree, they swim and fly and grow over and under each other.' \
    --preset tiny --defend gaussian:0.1
command=(dlg-text bert.g --threads 1 --iterations 1000000 --starts 1000000)
begun=$SECONDS
check 'it ends, which is no failure' eval '"${command[@]}" --time 6 > out.txt 2> err.txt'
check 'in time' [ $((SECONDS - begun)) -lt 30 ]
check 'what it did' grep -q '^descent: start 1 of 1000000$' err.txt
check 'a line for each, and no more' [ "$(grep -c '^descent: ' err.txt)" -eq 1 ]
check 'how it ended' grep -q '^Not recovered: the time was up before a text was found' out.txt
check 'why' grep -q '^  ended: the time was up' out.txt
check 'what is seen all the same' has 'What the gradient shows all the same:' out.txt
dlg-text bert.g --inspect --threads 1 > inspection.txt
for fact in $(sed -n 's/^\([a-z]*\)  *\(certain\|likely\) .*/\1/p' inspection.txt); do
    check "no less than an inspection: $fact" \
        [ "$(grep "^$fact " out.txt)" = "$(grep "^$fact " inspection.txt)" ]
done
check 'JSON' eval '"${command[@]}" --time 3 --json > out.json && tail -1 out.json > last.json'
check 'its end' has '"end":"out of time","recovered":false' last.json
for field in '"shown":{' '"tokens":{' '"places":{' '"causes":[' '"lengths":{'; do
    check "field $field" has "$field" last.json
done
check 'a journal' eval '"${command[@]}" --time 3 --checkpoint a.journal > out.txt 2> err.txt'
essence() { sed -E 's/"(seconds|seconds_per_evaluation|recalled|checkpoint|resumed_after)":[^,}]*//g' "$1"; }
few=(dlg-text bert.g --threads 1 --starts 1 --iterations 4 --json)
check 'one that is not out of time' eval '"${few[@]}" > plain.json'
check 'with a journal, out of time' eval '"${few[@]}" --time 1 --checkpoint b.journal > out.json 2> err.txt'
check 'goes on' eval '"${few[@]}" --time 0 --checkpoint b.journal --resume > out.json 2> err.txt'
check 'and ends as it would have ended' cmp <(essence out.json) <(essence plain.json)
refused 64 '*want a whole number*' dlg-text bert.g --time soon

# The search for sentences is in the journal too.
check 'a batch' dlg-grads --preset tiny --seed 2 --no-truth -o batch.g 'The ferry sails at noon.' \
    'Nobody reads this letter.' 'Our harvest was late again.' 'The ferry was late at noon.' \
    'Nobody sails at noon again.' 'Our ferry reads this letter.'
search=(dlg-text batch.g --threads 1 --json)
check 'undisturbed' eval '"${search[@]}" > plain.json'
check 'it finds them' has '"end":"explained"' plain.json
check 'written down' eval '"${search[@]}" --checkpoint whole > out.json'
size=$(stat -c %s whole)
begin=$(grep -abo '^$' whole | head -1 | cut -d: -f1)
for part in 1 2 3 5 7; do
    head -c $((begin + 1 + (size - begin - 1) * part / 8)) whole > cut
    check 'it goes on' eval '"${search[@]}" --checkpoint cut --resume > out.json'
    check 'and ends as it would have ended' cmp <(essence out.json) <(essence plain.json)
    check 'the same journal' cmp cut whole
done
