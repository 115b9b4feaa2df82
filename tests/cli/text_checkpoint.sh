# A run that is killed at any moment goes on with --resume and ends as it would have ended.
check 'a gradient to be busy with' dlg-grads 'The bird and the fish swim and fly.' \
    --preset tiny --defend gaussian:0.1
command=(dlg-text bert.g --threads 1 --iterations 5 --starts 2)
run() { "${command[@]}" --json "$@" 2> err.txt; }
begin() { exec "${command[@]}" --json "$@" 2> err.txt; } # in the background: what is killed is the program itself
essence() { # FILE: all that was printed, but for the time it took and what says that it was resumed
    sed -E 's/"(seconds|seconds_per_evaluation|recalled|checkpoint|resumed_after)":[^,}]*//g' "$1"
}
same() { cmp <(essence "$1") <(essence undisturbed.json); }
bytes() { stat -c %s "$1" 2> /dev/null || echo 0; }

check 'an undisturbed run' eval 'run > undisturbed.json && [ $(wc -l < undisturbed.json) -gt 10 ]'
check 'one with a checkpoint' eval 'run --checkpoint whole > out.json && same out.json'
check 'it begins' grep -q '"checkpoint":"whole","resumed_after":0' out.json
size=$(bytes whole)

# Ten times in one run, wherever its journal then stands.
for k in 1 2 3 4 5 6 7 8 9 10; do
    until=$((size * k / 11 - RANDOM % (size / 22)))
    begin --checkpoint killed --resume > out.json &
    while kill -0 $! 2> /dev/null && [ "$(bytes killed)" -lt $until ]; do sleep 0.01; done
    kill -s KILL $! 2> /dev/null
    wait $! 2> /dev/null
done
check 'a journal that is not whole' [ "$(bytes killed)" -lt "$size" ]
check 'the killed run goes on' run --checkpoint killed --resume
cp "$scratch/stdout" out.json
check 'it says from where' grep -Eq '"checkpoint":"killed","resumed_after":[1-9]' out.json
check 'it ends as it would have ended' same out.json
check 'the same journal' cmp killed whole

# Killed early, whatever it is at.
for k in 1 2 3; do
    rm -f killed
    begin --checkpoint killed > out.json &
    sleep 0.$((RANDOM % 3))$((RANDOM % 10))
    kill -s KILL $! 2> /dev/null
    wait $! 2> /dev/null
    check "the run that was killed early goes on" \
        eval 'run --checkpoint killed --resume > out.json && same out.json && cmp killed whole'
done

# A record that was half written.
head -c $((size / 2 - 7)) whole > torn
check 'a torn journal goes on' eval 'run --checkpoint torn --resume > out.json && same out.json && cmp torn whole'

# An interrupt is an end of its own, and leaves a journal.
begin --checkpoint interrupted > out.json &
while kill -0 $! 2> /dev/null && [ "$(bytes interrupted)" -lt $((size / 3)) ]; do sleep 0.01; done
kill -s INT $!
wait $!
check 'exit 130' [ $? -eq 130 ]
check 'the interrupted run goes on' \
    eval 'run --checkpoint interrupted --resume > out.json && same out.json && cmp interrupted whole'

# People are shown what is new.
head -c $((size / 2)) whole > torn
check 'for a person' eval '"${command[@]}" --checkpoint torn --resume > out.txt 2> err.txt'
check 'from where it goes on' grep -Eq '^  checkpoint torn: goes on after [0-9]+ evaluations$' err.txt
check 'not what was before' eval '! grep -q "^iteration 1," err.txt && grep -q "^start 2, iteration 5" err.txt'
check 'what it cost' grep -Eq '^  cost: 10 iterations, [0-9]+ evaluations \([0-9]+ of them from the checkpoint\); ' \
    out.txt
check 'again, from the checkpoint alone' eval '"${command[@]}" --checkpoint torn --resume -q > again.txt'
check 'the same text' cmp <(sed -n 2p out.txt) <(sed -n 2p again.txt)

# What is refused stays as it is.
refused 1 '*: whole: want no file of that name, found one: resume from it, or remove it' "${command[@]}" \
    --checkpoint whole
resume() { # PATTERN ARGUMENTS...
    local pattern=$1
    shift
    refused 1 "*: $pattern" "${command[@]}" --resume --checkpoint "$@"
}
resume "whole: want this run's journal (seed: 5), found another's (seed: 0)" whole --seed 5
resume "whole: want this run's journal (told: *length), found another's (told: nothing)" whole \
    --know length:bert.truth.json \
    --know batch:bert.truth.json
resume 'bert.g: want a journal (*), found another file' bert.g
resume 'no/such: want a folder to write file to, found none' no/such/file
check 'another gradient' dlg-grads 'The bird and the fish swim and fly.' \
    --preset tiny --defend gaussian:0.1 --seed 0 --defend fp16
resume "whole: want this run's journal (gradient: *), found another's (gradient: *)" whole
