# What reads off needs hardly an evaluation, for one sentence and for a batch.
check 'a gradient' dlg-grads 'A red bird saw the old house.' --preset mini -o a.g
accepted '*Recovered:
  a red bird saw the old house.
  explained: *
  tokens: 9 read off, 1 put back from the labels; all certain
  cost: 1 iteration, 1 evaluation; *' '*attack dager: *
span check: 10 candidates at 10 positions, 10 of which have one only
iteration 0, *' dlg-text a.g --threads 1 --attack dager
accepted '*Recovered:*' '*' dlg-text a.g --threads 1 --attack auto
for every in 1 2 3 7; do # what was read off is no iteration: it is always shown
    accepted '*Recovered:*' '*iteration 0, *' dlg-text a.g --threads 1 --every $every
done
# A predicted word need not have been masked.
check 'some masked' dlg-grads 'A red bird saw the old house near the river.' --preset mini --mask-style bert \
    --mask-rate 0.4 --seed 3 -o k.g
accepted '*Recovered:*
  predicted without a mask: 5, fed as itself; 8, fed as another word; 11, fed as another word
*masked at 5, 6, 8 and 11*scores: 13 of 13 tokens right*' '*' dlg-text k.g --threads 1 --truth k.truth.json
check 'a batch' dlg-grads 'A red bird saw the old house.' 'The house is old.' --preset mini -o b.g
accepted '*scores: * 2 of 2 sentences exact*' '*sequence check: 2 sentences found*' \
    dlg-text b.g --threads 1 --attack auto --truth b.truth.json
accepted '*"attack":"auto",*"end":"explained","recovered":true*' '*' dlg-text b.g --threads 1 --attack auto --json
# Sentences that were found without the others: a truth of one sentence, told as the batch size, ends the search after
# the first.
accepted 'Partly recovered: 1 of at least 2 sentences.
  *
  partly: this sentence was in the batch, to rounding; it accounts for * directions of the row space, and what '\
'accounts for the others was not found
  tokens: * read off, * put back from the labels; all certain
  cost: 1 iteration, 1 evaluation; *
  told: a batch of 1 sentence
  metadata: defence none
  inferred: at least 2 sentences in the batch, 1 found: 10 tokens; * label*; masked at *
  scores: * 1 of 2 sentences exact*' '*sequence check: 1 sentence found*' \
    dlg-text b.g --threads 1 --know batch:a.truth.json --truth b.truth.json
part='"end":"partly","recovered":false,"reason":null,"part":{"sentences":1,"sentences_at_least":2,'
told='"knowledge":\["batch"\],"origins":{"batch":"told","length":"inferred","labels":"inferred","masked":"inferred"}'
accepted "*$part*$told*\"exact_sentences\":1,*" '*' \
    dlg-text b.g --threads 1 --know batch:a.truth.json --truth b.truth.json --json
# What was told of the whole batch stays what was told; what was found is no batch of fewer sentences.
check 'four' dlg-grads 'A red bird saw the old house.' 'The house is old.' 'We met the bird at noon today.' \
    --preset mini -o c.g
accepted 'Partly recovered: 2 of at least 3 sentences.
  *
  metadata: defence none
  inferred: at least 3 sentences in the batch, 2 found: *' '*' dlg-text c.g --threads 1 -q --know batch:b.truth.json
check 'no batch of two was inferred' \
    eval '! dlg-text c.g --threads 1 -q --know batch:b.truth.json | grep -q "inferred: a batch"'
# Pairs, alone and beside one that is none.
check 'a pair' dlg-grads 'A red bird saw the old house.' --pair 'The house is old.' --preset mini -o p.g
accepted 'Recovered:*inferred: 16 tokens; the second of a pair begins at 10; *scores: 16 of 16 tokens right*' '*' \
    dlg-text p.g --threads 1 -q --truth p.truth.json
accepted '*"segments":\[\[0,0,0,0,0,0,0,0,0,0,1,1,1,1,1,1\]\],*' '*' dlg-text p.g --threads 1 -q --json
check 'a batch with a pair' dlg-grads 'A red bird saw the old house.' --pair 'The house is old.' \
    'We met the bird at noon today.' --preset mini -o p.g
accepted 'Recovered:*begins at 10 of sentence *scores: * 2 of 2 sentences exact*' '*' \
    dlg-text p.g --threads 1 -q --truth p.truth.json
# Against another model nothing is recovered.
accepted 'Not recovered*' '*' dlg-text a.g --threads 1 --attack dager --preset mini --model-seed 1
# Another architecture, from the participant to the text.
mkdir distilbert
check 'a DistilBERT' make_model distilbert distilbert
check 'its gradient' dlg-grads 'the red fish swims under the tree' --model distilbert -o d.g
accepted 'Recovered:
  the red fish swims under the tree
*' '*' dlg-text d.g --model distilbert --threads 1 -q
