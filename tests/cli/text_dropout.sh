# Dropout on: no text explains the gradient, and sentences are read all the same, a batch too.
words='We invite submissions for the conference.'
check 'one' dlg-grads "$words" --preset mini --label 1 --dropout 0.1 -o a.g
accepted 'Recovered:
  we invite submissions for the conference.
  settled: *; dropout was on, so that *
  tokens: 12 read off; 12 likely
*scores: 12 of 12 tokens right*' '*' dlg-text a.g --threads 1 -q --truth a.truth.json
check 'two' dlg-grads "$words" 'The ferry sails at noon.' --preset mini --label 0 --label 1 --dropout 0.2 \
    --seed 3 -o b.g
accepted 'Recovered:*dropout was on*2 of 2 sentences exact*' '*inputs of layer 0 found*' \
    dlg-text b.g --threads 1 --truth b.truth.json
accepted '*"end":"settled","recovered":true,*"dropout":true,*' '*' dlg-text b.g --threads 1 --json
accepted '*perhaps * dropout: *begin went into layer 0 with some of its numbers missing*' '*' \
    dlg-text b.g --threads 1 --inspect
# The same seed drops the same numbers, another others.
check 'again' dlg-grads "$words" --preset mini --label 1 --dropout 0.1 -o c.g
check 'the same' cmp a.g c.g
check 'others' dlg-grads "$words" --preset mini --label 1 --dropout 0.1 --seed 1 -o c.g
check 'not the same' eval '! cmp -s a.g c.g'
check 'without' dlg-grads "$words" --preset mini --label 1 -o d.g
accepted '*"end":"explained","recovered":true,*"dropout":false,*' '*' dlg-text d.g --threads 1 --json
check 'it is on record' grep -q '"dropout":.*true' a.truth.json
