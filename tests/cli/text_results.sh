# What dlg-text finds and prints when all is well. One thread: so short a text is faster so, and the same every time.
has() { grep -qF -- "$1" "$2"; } # TEXT FILE
line() { sed -n "$1p" "$2"; }    # NUMBER FILE
export LC_ALL=C

accepted 'dlg-text [0-9]*' '' dlg-text --version
accepted '*Usage: dlg-text*--know=WHAT:FILE*130 interrupted*' '' dlg-text --help
accepted '*Usage: dlg-text*' '' dlg-text -h
accepted '*Attacks (--attack=NAME):*  auto *  dager *Distances*  l2 *Minimizers*  adam *Presets*  base *' '' \
    dlg-text --help
check 'lines of 80 columns' eval '! dlg-text --help | grep -E "^.{81}"'

# A sentence from its gradient alone.
check 'a gradient' dlg-grads 'A red bird' --preset mini -o a.g
accepted 'Recovered:
  a red bird
  explained: *
  cost: * iteration*, * evaluations; * s, of which * s evaluating (* ms each)*
  told: nothing
  metadata: a batch of 1 sentence; defence none
  inferred: 5 tokens; 1 label: *; masked at ?' 'a.g against mini (preset, seed 0): masked LM, 5,462,784 parameters
  told: nothing
  metadata: a batch of 1 sentence; defence none
  inferred: 5 tokens; *
  attack dlg: distance l2 *, optimizer lbfgs, seed 0; *1 thread
  memory: * MB held, * MB more for the network, of * MB
descent: start 1 of 12
iteration 1, distance *
  *' dlg-text a.g --threads 1 --attack dlg
check 'a longer one' dlg-grads 'The old red bird sings while we read a long book' --preset mini -o long.g
accepted '*' '*iteration 2, distance *, * of 14 tokens changed, * s
  *' dlg-text long.g --threads 1 --attack dlg --iterations 4 --starts 1
accepted 'Recovered:
  a red bird
  explained: *' '*attack auto: distance l2*iteration [01], *' dlg-text a.g --threads 1
escapes() { grep -q $'\033'; }
check 'they are sent where they are asked for' eval 'NO_COLOR=1 dlg-text a.g --threads 1 -q --color always | escapes'
check 'and on no other account' eval '! dlg-text a.g --threads 1 --color never | escapes'
check 'no escape sequences in a file' eval 'dlg-text a.g --threads 1 2>&1 | grep -qv $'"'\\033'"
accepted 'Recovered:*' '' dlg-text --grads a.g --threads 1 -q
accepted '*scores: 5 of 5 tokens right (100.0 %), 1 of 1 sentence exact
  scores: ROUGE-1 100.0, ROUGE-2 100.0, ROUGE-L 100.0 (F1); 1 of 1 label and 100.0 % of the bag of tokens right' '' \
    dlg-text a.g --threads 1 -q --truth a.truth.json
accepted '*a red bird*' '' dlg-text a.g --threads 1 -q --preset mini --model-seed 0
dlg-text long.g --threads 1 --attack dlg --every 3 2> every.txt > result.txt
check 'fewer reports' eval '[ "$(grep -c "^iteration [147]," every.txt)" -eq "$(grep -c "^iteration " every.txt)" ]'

# The truth only scores: a wrong one changes the scores and nothing else.
check 'another truth' dlg-grads 'A red fish' --preset mini -o b.g
result() { dlg-text a.g --threads 1 -q "$@" | grep -v '^  cost: '; }
result > without.txt
result --truth a.truth.json > right.txt
result --truth b.truth.json > wrong.txt
check 'the same result with the truth' eval 'grep -v "^  scores: " right.txt | cmp - without.txt'
check 'the same result with a wrong truth' eval 'grep -v "^  scores: " wrong.txt | cmp - without.txt'
check 'other scores' has 'scores: 4 of 5 tokens right (80.0 %), 0 of 1 sentence exact' wrong.txt
check 'other words' has 'scores: ROUGE-1 66.7, ROUGE-2 50.0, ROUGE-L 66.7 (F1);' wrong.txt

# JSON: one object a line, each with all its fields.
check 'JSON' eval 'dlg-text a.g --threads 1 --attack dlg --json --truth a.truth.json > lines.json 2> notes.txt'
check 'no words beside it' [ ! -s notes.txt ]
check 'objects and nothing else' eval '! grep -v "^{\"event\":\"\(start\|iteration\|result\)\",.*}$" lines.json'
check 'no number that is none' eval '! grep -Eqi "[:,[]-?(nan|inf)" lines.json'
line 1 lines.json > start.json
line 2 lines.json > iteration.json
line '$' lines.json > result.json
for field in '"event":"start","version":"' '"gradient":"a.g"' '"attack":"dlg"' \
    '"model":"mini","model_seed":0,"n_parameters":5462784' \
    '"task":"mlm"' '"defence":"none"' '"knowledge":[]' \
    '"origins":{"batch":"metadata","length":"inferred","labels":"inferred","masked":"inferred"}' \
    '"inferred":{"batch_size":1,"length":[5],"labels":[' '"masked":[[' '"blas":"' '"threads":1' '"distance_name":"l2"' \
    '"optimizer":"lbfgs"' '"seed":0'; do
    check "start: $field" has "$field" start.json
done
for field in '"event":"iteration"' '"start":1' '"iteration":1' '"distance":' '"seconds":' '"tokens":[[' '"text":["'; do
    check "iteration: $field" has "$field" iteration.json
done
metrics='"metrics":{"token_accuracy":1,"exact_match":true,"exact_sentences":1,"bag_similarity":1,"label_accuracy":1,'
metrics+='"rouge":{"rouge1":{"precision":1,'
for field in '"event":"result"' '"gradient":"a.g","model":"mini","model_seed":0' '"threads":1' \
    '"model_type":"bert","task":"mlm","defence":"none"' '"distance_name":"l2"' '"attack":"dlg"' '"end":"explained"' \
    '"recovered":true' '"iterations":' '"evaluations":' '"seconds":' '"seconds_per_evaluation":0.' '"distance":' \
    '"knowledge":[]' '"fed_tokens":[[2,' ',4,' '"tokens":[[2,' '"text":["a red bird"]' \
    '"evidence":{"from":[["descent","' '"sure":[["certain","certain",' '"margin":[[0.' '"labels":[' "$metrics"; do
    check "result: $field" has "$field" result.json
done
part() { grep -oE "$1[^,;) ]*[0-9]" | grep -oE '[0-9.]+(e-?[0-9]+)?$' | xargs printf '%.1e\n'; }
screen=$(dlg-text a.g --threads 1 --attack dlg -q | part 'to rounding \(')
check 'the distance of the screen' eval 'part "\"distance_of_tokens\":" < result.json | grep -qxF -- "$screen"'
check 'only start and result' eval '[ $(dlg-text a.g --threads 1 --json -q | wc -l) -eq 2 ]'
check 'no metrics without truth' eval '! dlg-text a.g --threads 1 --json -q | grep -q metrics'

# What is told is named, everywhere.
know() { for what; do printf -- '--know %s:a.truth.json ' "$what"; done; }
accepted '*Recovered:
  a red bird
*  told: a batch of 1 sentence; 5 tokens; 1 label: *; masked at ?
  metadata: defence none' '' dlg-text a.g --threads 1 -q $(know labels masked length batch)
dlg-text a.g --threads 1 --json $(know labels masked length batch) > told.json
check 'told in the start' eval 'line 1 told.json | has "\"knowledge\":[\"batch\",\"length\",\"labels\",\"masked\"]" -'
check 'told in the result' \
    eval 'line "$" told.json | has "\"knowledge\":[\"batch\",\"length\",\"labels\",\"masked\"]" -'
none='"inferred":{"batch_size":null,"length":null,"labels":null,"unsure":[],"masked":null}'
check 'nothing left to infer' eval 'line 1 told.json | has "$none" -'
dlg-text a.g --threads 1 --json $(know labels) > told.json
check 'one piece told' eval 'line "$" told.json | has "\"knowledge\":[\"labels\"]" -'

# A batch: one line a sentence.
check 'a batch' dlg-grads 'A red bird' 'The sea' --preset mini -o two.g
accepted 'Recovered:
  a red bird
  the sea
*told: a batch of 2 sentences; 5 and 4 tokens; 2 labels: *; masked at ? of sentence 1, ? of sentence 2
*scores: 9 of 9 tokens right (100.0 %), 2 of 2 sentences exact*' '' \
    dlg-text two.g --threads 1 -q --know length:two.truth.json --know labels:two.truth.json \
    --know masked:two.truth.json --truth two.truth.json

# What cannot be recovered is not shown as if it were; that is not a failure.
mkdir m c
check 'a model' make_model m mlm
check 'a classifier' make_model c cls
check 'its gradient' dlg-grads 'the red fish swims' --model m -o m.g
accepted 'Not recovered: *
  not explained: within 2 starts of at most 1 iteration*' 'm.g against m: masked LM, 3,656 parameters
*start 1 used up its iterations*; start 2 *' \
    dlg-text m.g --model m --attack dlg --minimizer lbfgs_plain --iterations 1 --starts 2 --threads 1
accepted '*"end":"exhausted","recovered":false,*' 'start 1 *' \
    dlg-text m.g --model m --attack dlg --minimizer lbfgs_plain --iterations 1 --starts 2 --threads 1 --json
check 'a class' dlg-grads 'the red fish swims' --model c --label 2 -o c.g
accepted '*inferred: 6 tokens; class 2' '' dlg-text c.g --model c -q --threads 1
accepted '*"labels":\[2\]*' '' dlg-text c.g --model c -q --threads 1 --json
check 'a defended one' dlg-grads 'the red fish swims' --model m -o d.g --defend gaussian:0.01
accepted 'Not recovered*metadata: *defence gaussian:0.01*' '*defended? * of * weight matrices*' \
    dlg-text d.g --model m --know length:d.truth.json --threads 1 --iterations 3
check 'adam' dlg-text m.g --model m --iterations 3 --minimizer adam --distance cosine --threads 1
check 'a relative distance' dlg-text m.g --model m --iterations 3 --distance relative --threads 1
[ -e /dev/full ] && check 'exit 1 when the result cannot be printed' \
    eval 'dlg-text a.g -q --threads 1 > /dev/full; [ $? -eq 1 ]'
