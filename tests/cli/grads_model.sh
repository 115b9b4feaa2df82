# Model directories that dlg-grads must refuse: exit 1, one line that names the file, no file left behind.
mkdir good
check 'a model' make_model good mlm
refuse() { # PATTERN; the model is in m
    refused 1 "dlg-grads: $1" dlg-grads 'the red fish' --model m
}
fresh() { rm -rf m && cp -r good m; }

refuse 'm: No such file or directory'
mkdir m && refuse "m: want a model's directory, found no config.json"
for piece in config.json vocab.txt model.safetensors; do
    fresh && rm m/$piece
    refuse "m*$piece*"
    fresh && : > m/$piece
    refuse "m/$piece: *"
    fresh && rm m/$piece && mkdir m/$piece
    refuse "m/$piece: want a regular file, found a directory"
done

# Cut off anywhere.
size=$(wc -c < good/model.safetensors)
check 'a file to cut' [ "$size" -gt 10000 ]
for ((n = 0; n < size; n += 1000)); do
    fresh && head -c $n good/model.safetensors > m/model.safetensors
    refuse 'm/model.safetensors: *'
done
fresh && head -c $((size - 1)) good/model.safetensors > m/model.safetensors
refuse 'm/model.safetensors: *'
fresh && printf 'x' >> m/model.safetensors
refuse 'm/model.safetensors: *'

# A vocabulary for another model, and one without a token that BERT cannot do without.
fresh && echo more >> m/vocab.txt
refuse 'm/vocab.txt: want the 40 pieces that m/config.json says, found 41'
for token in PAD UNK CLS SEP MASK; do
    fresh && sed -i "s/^\[$token\]\$/$token/" m/vocab.txt
    refuse "m/vocab.txt: *\[$token\]*"
done

# NaN in the last tensor of the file; a shape that does not fit; a key twice; JSON too deep.
fresh && head -c $((size - 4)) good/model.safetensors > m/model.safetensors &&
    printf '\0\0\xc0\x7f' >> m/model.safetensors
refuse 'm/model.safetensors: *'
fresh && sed -i 's/"intermediate_size": 32/"intermediate_size": 33/' m/config.json
refuse 'm/model.safetensors: *intermediate.dense.weight*'
fresh && sed -i 's/"vocab_size": 40/"vocab_size": 40, "vocab_size": 40/' m/config.json
refuse 'm/config.json: *vocab_size*'
fresh && { for ((i = 0; i < 1000; i++)); do printf '['; done; } > m/config.json
refuse 'm/config.json: *'
