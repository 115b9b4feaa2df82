# An interrupt ends dlg-text with the best text so far and exit 130; so does an early one, without a text.
check 'a gradient to be busy with' \
    dlg-grads 'Bird and fish, the sea and the tree, they swim and fly and grow over and under each other.' \
    --preset tiny --defend gaussian:0.1
interrupt() { # SIGNAL ARGUMENTS...: sent after the first iteration
    local signal=$1 n=0
    shift
    rm -f out.txt err.txt # what the last one said must not be taken for this one's
    dlg-text bert.g --threads 1 --iterations 1000000 --starts 1000000 "$@" > out.txt 2> err.txt &
    until grep -qs 'iteration' err.txt out.txt; do
        sleep 0.05
        kill -0 $! 2> /dev/null && [ $((n += 1)) -lt 1200 ] || break
    done
    kill -s "$signal" $!
    wait $!
}
for signal in INT TERM; do
    check "exit 130 by SIG$signal" eval "interrupt $signal; [ \$? -eq 130 ]"
    check 'the best so far' \
        eval '[ "$(head -1 out.txt)" = "Interrupted: no text was found so far whose gradient is the shared one." ]'
    check 'a text' eval 'sed -n 2p out.txt | grep -q "^  only a guess: [^ ]"'
    check 'why it ended' grep -q '^  interrupted: ' out.txt
done
check 'exit 130 with JSON' eval 'interrupt INT --json; [ $? -eq 130 ]'
check 'a whole last line' \
    eval 'tail -1 out.txt | grep -q "^{\"event\":\"result\",.*\"end\":\"interrupted\",\"recovered\":false,.*}\$"'
