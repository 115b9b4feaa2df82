# Words that are no words of the vocabulary: tokens that were added, embeddings that no piece has, and [UNK].
export LC_ALL=C
fresh() { rm -rf m && mkdir m && make_model m "${1:-mlm}"; }
recovered() { dlg-text a.g --model m --threads 1 -q | sed -n '1s/^Recovered:$/Recovered/p; 2s/^  //p'; }
as_json() { dlg-text a.g --model m --threads 1 --json | tail -1; }
reads() { # TEXT SHOWN
    local shown=$2
    check "$1: a gradient" dlg-grads "$1" --model m -o a.g
    check "$1: recovered as $2" [ "$(recovered)" = "Recovered
$2" ]
    check "$1: as JSON" eval 'as_json | grep -qF -- "\"text\":[\"$shown\"]"'
}

check 'a model' fresh
reads 'the whale swims in the sea, over' 'the [UNK] swims in the sea, over' # which is one token for the whole word
# [MASK] in the text is what the model saw.
reads 'a [MASK] fish swims under the [SEP] sea' 'a [MASK] fish swims under the [SEP] sea'

# As transformers 4 writes them, and behind them an embedding without a piece.
sed -i '38,$d' m/vocab.txt
echo '{"[Name]": 38, "[place]": 37}' > m/added_tokens.json
reads '[NAME] swims in the red [place]' '[Name] swims in the red [place]'
echo '{"[Name]": 36, "[place]": 37}' > m/added_tokens.json
refused 1 'dlg-text: m/vocab.txt: added token \[Name\]: want an id of its own, found that of "in" (36)' \
    dlg-text a.g --model m
rm m/added_tokens.json
check 'without their names' [ "$(recovered)" = 'Recovered
[unused 38] swims in the red [unused 37]' ]
accepted '*[[]unused 37[]]*' '' dlg-text a.g --model m --inspect --threads 1

# A vocabulary that lacks more than padding is another model's.
check 'a wide model' fresh wide
refused 1 'dlg-grads: m/vocab.txt: want the 1100 pieces that m/config.json says, found 40' dlg-grads a --model m
refused 1 'dlg-text: m/vocab.txt: want the 1100 pieces that m/config.json says, found 40' dlg-text a.g --model m
seq -f 'word%g' 36 >> m/vocab.txt
reads 'the red fish swims in a sea' 'the red fish swims in a sea'
