# The same seed and threads give the same bits: gradients byte by byte, and all that the attack prints but for the time
# it took.
printed() { dlg-text "$@" --attack dlg --json | sed -E 's/"seconds(_per_evaluation)?":[^,}]*//g'; }

for threads in 1 2; do
    for name in a b; do
        check 'a gradient' dlg-grads 'The old red bird sings while we read a long book' --preset mini \
            --threads $threads -o $name.g
    done
    check "the same gradient on $threads threads" cmp a.g b.g
    cp a.g shared.g
    printed shared.g --threads $threads --seed 3 > first.json
    printed shared.g --threads $threads --seed 3 > again.json
    check "an attack on $threads threads" \
        eval 'grep -q "\"recovered\":true" first.json && [ $(wc -l < first.json) -gt 3 ]'
    check "the same attack on $threads threads" cmp first.json again.json
    printed shared.g --threads $threads --seed 4 > other.json
    check 'another one with another seed' eval '! cmp -s first.json other.json'
done

# A defended gradient is held dense, and its noise has a seed too.
for name in a b; do
    check 'a defended gradient' dlg-grads 'A red bird sings' --preset tiny --defend gaussian:1e-4 --seed 1 -o $name.g
done
check 'the same noise' cmp a.g b.g
printed a.g --threads 2 --iterations 4 --starts 1 > first.json
printed a.g --threads 2 --iterations 4 --starts 1 > again.json
check 'the same attack on it' cmp first.json again.json
