# Gradients and models in the files that numpy and PyTorch write: what is recovered is the same, and what is none of
# them is named.
export LC_ALL=C
mkdir m
check 'a model' make_model m mlm
check 'a gradient' dlg-grads 'the red fish swims under the tree' --model m -o good.g
# The text and its explanation; what the metadata told of the first file is not in the others.
recover() { dlg-text "$1" --model "$2" --threads 1 --quiet | head -n 3 > "$3"; }
check 'a text' recover good.g m want.txt
check 'that it is one' grep -q '^  *the red fish swims under the tree' want.txt
for kind in npz deflated columns list pt views; do
    order=()
    [ $kind != list ] || order=(m)
    check "$kind" repack_tensors $kind good.g $kind.g "${order[@]}"
    check "$kind, read" recover $kind.g m found.txt
    check "the same from $kind" diff want.txt found.txt
    check "$kind, inspected" dlg-text --inspect $kind.g --model m
done
check 'bfloat16' repack_tensors half good.g half.g
check 'bfloat16, read' dlg-text --inspect half.g --model m
accepted '*metadata: defence not named*' '*' dlg-text --inspect npz.g --model m --threads 1

# A model's weights as torch.save has them.
cp -r m bin && rm bin/model.safetensors
check 'weights' repack_tensors pt m/model.safetensors bin/pytorch_model.bin
check 'with a .bin' recover good.g bin found.txt
check 'the same from a .bin' diff found.txt want.txt

# What is none of them, or no gradient.
refuse() { refused 1 "dlg-text: $1" dlg-text bad.g --model m; }
cp m/model.safetensors bad.g && refuse 'bad.g: want a gradient, found the weights of m themselves'
cp bin/pytorch_model.bin bad.g && refuse 'bad.g: want a gradient, found the weights of m themselves'
printf '\200\002}q\000.' > bad.g
refuse 'bad.g: want safetensors, .pt, .npz or .npy, found a pickle, a program which is not run; in Python, *save_file(*'
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n' > bad.g
refuse 'bad.g: want safetensors, .pt, .npz or .npy, found a pointer of Git LFS to the file; git lfs pull fetches it'
gzip -c good.g > bad.g && refuse 'bad.g: *found a gzip file; unpack it first'
cp m/config.json bad.g && refuse 'bad.g: *found JSON; in Python, *'
: > bad.g && refuse 'bad.g: want tensors, found an empty file'
for kind in pt deflated; do
    size=$(wc -c < $kind.g)
    for ((n = 50; n < size; n += 3000)); do
        head -c $n $kind.g > bad.g && refuse 'bad.g: *'
    done
done
