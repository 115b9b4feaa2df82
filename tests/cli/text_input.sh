# Files that dlg-text must refuse: exit 1, one line that says what and where, nothing on standard output, no file left
# behind.
export LC_ALL=C
mkdir good m c
check 'a model' make_model good mlm
check 'a classifier' make_model c cls
cp good/* m
check 'a gradient' dlg-grads 'the red fish swims under the tree' --model m -o good.g
check 'a small attack' dlg-text good.g --model m --iterations 2 --starts 1 -q --threads 1
refuse() { # PATTERN ARGUMENTS...
    local pattern=$1
    shift
    refused 1 "dlg-text: $pattern" dlg-text "$@"
}
refuse_gradient() { refuse "bad.g: $1" bad.g --model m; } # PATTERN

# ---- the gradient's file ----
refuse 'missing.g: No such file or directory' missing.g --model m
refuse 'm: want a regular file, found a directory' m --model m
: > bad.g && refuse_gradient '*'
size=$(wc -c < good.g)
check 'a file to cut' [ "$size" -gt 10000 ]
for ((n = 1; n < size; n += 1000)); do
    head -c $n good.g > bad.g
    refuse_gradient '*'
done
head -c $((size - 1)) good.g > bad.g && refuse_gradient '*'
{ cat good.g && printf x; } > bad.g && refuse_gradient '*'
check 'a picture' eval 'head -c 5000 /dev/urandom > bad.g' && refuse_gradient '*'

header_bytes=$(od -An -t u8 -N 8 good.g | tr -d ' ')
header() { tail -c +9 good.g | head -c "$header_bytes"; }
data() { tail -c +$((9 + header_bytes)) good.g; }
length_bytes() { # N: eight bytes, least first
    for ((i = 0; i < 8; i++)); do printf "\\x$(printf %02x $(($1 >> 8 * i & 255)))"; done
}
put() { # HEADER: bad.g with that header before the data of good.g
    length_bytes ${#1}
    printf %s "$1"
    data
}
change() { # SED_EXPRESSION: the header changed by it, which must change it
    local changed
    changed=$(header | sed -E "$1")
    check "that $1 changes the header" [ "$changed" != "$(header)" ]
    put "$changed" > bad.g
}
put "$(header)" > bad.g && check 'that put changes nothing' cmp good.g bad.g
{ printf '\0\0\0\0\0\0\0\x80' && tail -c +9 good.g; } > bad.g && refuse_gradient '*' # 2^63
{ printf '\xff\xff\xff\xff\xff\xff\xff\xff' && tail -c +9 good.g; } > bad.g && refuse_gradient '*'
change 's/"data_offsets":\[2560,4096\]/"data_offsets":[2556,4092]/' && refuse_gradient '*' # overlap
change 's/"data_offsets":\[2560,4096\]/"data_offsets":[0,1536]/' && refuse_gradient '*'
change 's/"data_offsets":\[2560,4096\]/"data_offsets":[2564,4100]/' && refuse_gradient '*'
change 's/"data_offsets":\[0,2560\]/"data_offsets":[90000000,90002560]/' && refuse_gradient '*' # out of range
change 's/"data_offsets":\[0,2560\]/"data_offsets":[0,18446744073709551615]/' && refuse_gradient '*'
change 's/"data_offsets":\[0,2560\]/"data_offsets":[2560,0]/' && refuse_gradient '*'
change 's/"data_offsets":\[0,2560\]/"data_offsets":[-1,2559]/' && refuse_gradient '*'
change 's/"dtype":"F32","shape":\[40,16\]/"dtype":"I32","shape":[40,16]/' && refuse_gradient '*I32*'
change 's/"dtype":"F32","shape":\[40,16\]/"dtype":"F64","shape":[40,16]/' && refuse_gradient '*'
change 's/"dtype":"F32","shape":\[40,16\]/"dtype":"Q4","shape":[40,16]/' && refuse_gradient '*Q4*'
change 's/"shape":\[24,16\]/"shape":[16,24]/' && refuse_gradient '*position_embeddings*'
change 's/"shape":\[24,16\]/"shape":[384]/' && refuse_gradient '*position_embeddings*'
change 's/"shape":\[24,16\]/"shape":[4294967296,4294967296]/' && refuse_gradient '*'
change 's/cls.predictions.bias/cls.predictions.bios/' && refuse_gradient '*cls.predictions.bios*'
change 's/("batch_size":"1")/\1,\1/' && refuse_gradient '*batch_size*'
change 's/("cls.predictions.bias":\{[^}]*\})/\1,\1/' && refuse_gradient '*cls.predictions.bias*'
put "$(printf '[%.0s' {1..1000})" > bad.g && refuse_gradient '*'
put "{\"a\":$(printf '[%.0s' {1..1000})$(printf ']%.0s' {1..1000})}" > bad.g && refuse_gradient '*'
# The last tensor gone, and its 64 bytes with it.
put "$(header | sed -E 's/,"cls.predictions.transform.LayerNorm.bias":\{[^}]*\}//')" | head -c -64 > bad.g
refuse_gradient 'tensor cls.predictions.transform.LayerNorm.bias is missing'
# The batch size is a stranger's.
for size in 0 -1 2000000000 18446744073709551616 1.5 x ''; do
    change "s/\"batch_size\":\"1\"/\"batch_size\":\"$size\"/" && refuse_gradient '*batch_size*'
done

# Numbers that are none, in the first, a middle and the last tensor; no number at all.
for number in '\0\0\xc0\x7f' '\0\0\x80\x7f' '\0\0\x80\xff'; do
    for offset in 2560 8832 $((14624 - 4)); do
        cp good.g bad.g
        printf "$number" | dd of=bad.g bs=1 seek=$((8 + header_bytes + offset)) conv=notrunc status=none
        refuse_gradient '*'
    done
done
{ head -c $((8 + header_bytes)) good.g && head -c 14624 /dev/zero; } > bad.g
refuse_gradient 'every gradient is zero*'

# ---- which model ----
refuse 'good.g: want a preset in the metadata, found the directory "m"; --model DIR names it' good.g
change 's/"__metadata__":\{[^}]*\},//' &&
    refuse 'bad.g: want a model named in the metadata, found none; --model DIR names it' bad.g
change 's/"model":"m"/"model":"huge","model_seed":"0"/' && refuse 'bad.g: metadata: preset: want *found "huge"' bad.g
change 's/"model":"m"/"model":"tiny","model_seed":"-1"/' &&
    refuse 'bad.g: metadata model_seed: want a whole number, found "-1"' bad.g
refuse 'good.g: *' good.g --preset tiny
refuse 'good.g: *' good.g --model c
refuse 'c/config.json: want a model for mlm, found one for cls' good.g --model c --task mlm
refuse 'nowhere: No such file or directory' good.g --model nowhere
sed -i 's/^\[MASK\]$/mask/' m/vocab.txt && refuse 'm/vocab.txt: *\[MASK\]*' good.g --model m
cp good/* m && echo more >> m/vocab.txt &&
    refuse 'm/vocab.txt: want the 40 pieces that m/config.json says, found 41' good.g --model m
cp good/* m && : > m/model.safetensors && refuse 'm/model.safetensors: *' good.g --model m
cp good/* m && sed -i 's/"vocab_size": 40/"vocab_size": 40, "vocab_size": 40/' m/config.json
refuse 'm/config.json: *vocab_size*' good.g --model m
cp good/* m

# ---- truth files, told ----
check 'another gradient' dlg-grads 'a bird' 'the sea' --model m -o two.g
check 'a longer text' dlg-grads 'the red fish swims under the blue tree' --model m -o longer.g
refuse 'missing.json: No such file or directory' good.g --model m --know labels:missing.json
refuse 'good.g: *' good.g --model m --know labels:good.g
refuse 'two.truth.json: want masked positions of 1 sentence, found 2' good.g --model m --know masked:two.truth.json
refuse 'longer.truth.json: sentence 0: want the 9 tokens that --know=length names, found 10' good.g --model m \
    --know length:good.truth.json --know masked:longer.truth.json
refuse 'good.truth.json: want the 2 sentences that --know=batch names, found 1' two.g --model m \
    --know batch:two.truth.json \
    --know length:good.truth.json
check 'other masks' dlg-grads 'the red fish swims under the tree' --model m -o masks.g --seed 3
labels() { tr -d '\n\t ' < "$1" | grep -o '"labels":[^a-z]*'; }
check 'that they are others' [ "$(labels masks.truth.json)" != "$(labels good.truth.json)" ]
refuse 'masks.truth.json: labels: want them at the positions that --know=masked names, found another' good.g --model m \
    --know masked:good.truth.json --know labels:masks.truth.json
check 'classes' dlg-grads 'a bird' --model c --label 1 -o c.g
refuse 'c.truth.json: task: want mlm, as the model is for, found cls' good.g --model m --know labels:c.truth.json
sed 's/"ids":\s*\[\[2/"ids": [[40/' good.truth.json > bad.json
refuse 'bad.json: sentence 0, position 0: want a token of the model*' good.g --model m --know length:bad.json
printf '[%.0s' {1..1000} > bad.json && refuse 'bad.json: *' good.g --model m --know length:bad.json

# ---- a truth file to score by: its name is checked before the attack, its contents after it ----
refuse 'missing.json: No such file or directory' good.g --model m --truth missing.json
printf '{"task": "mlm"' > bad.json
keep() { dlg-text good.g --model m --iterations 2 --starts 1 --threads 1 -q --truth "$1" > out.txt 2> err.txt; }
check 'exit 1' eval 'keep bad.json; [ $? -eq 1 ]'
check 'the result' grep -qE '^  (not explained|explained): ' out.txt
check 'no scores' eval '! grep -q scores out.txt'
check 'one line' eval '[ "$(wc -l < err.txt)" -eq 1 ] && grep -q "^dlg-text: bad.json: " err.txt'
