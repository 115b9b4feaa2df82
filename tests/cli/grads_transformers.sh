# The same step as transformers: its gradients against ours, tensor by tensor, in float.
[ -d "$DLG_SHARED/fixtures" ] || skip "no $DLG_SHARED/fixtures"
for name in golden-mlm golden-cls trained-mlm trained-mlm-batch trained-cls; do
    directory=$DLG_SHARED/fixtures/$name
    model=$directory/model
    [ -d "$model" ] || model=$DLG_SHARED/fixtures/trained-model
    accepted 'bert.g: *' '' dlg-grads --step "$directory/case.truth.json" --model "$model"
    accepted '* tensors, *' '' compare_gradients bert.g "$directory/case.g" 1e-5
    echo "$name: $stdout"
done
