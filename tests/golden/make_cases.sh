#!/bin/sh
# Make the golden cases mlm/, cls/, untied/, relu/, distilbert/ and distilbert_cls/ beside this script: tiny models and
# their gradients, in float64, by PyTorch and transformers.
#
#     make_cases.sh HF_CASE.PY      the script that turns a model and sentences into a case (its options are those used
#                                   below)
#
# Every parameter is drawn at random, also those that transformers starts at 0 or 1: a bias that is zero would test
# nothing.
set -eu
tool=$(realpath "$1")
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
python=${PYTHON:-python3}

"$python" - "$scratch" <<'PYTHON'
import pathlib, sys, torch
from transformers import (BertConfig, BertForMaskedLM, BertForSequenceClassification, DistilBertConfig,
                          DistilBertForMaskedLM, DistilBertForSequenceClassification)

words = """the a of to and in over under behind before after our their one two three every old new small grey green
quiet warm cold river bridge boat lamp window garden kettle letter train station road bread apple stone clock crow dog
mill harbour winter morning evening baker child keeper carries counts mends waits sings leaves finds opens closes writes
turns rests ##s ##ed ##ing ##ly""".split()
letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", "?"] + letters + words


def make(name, kind, **choices):
    config = BertConfig(vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=64, max_position_embeddings=24, **choices)
    save(name, kind, config)


def make_distilbert(name, kind, **choices):
    config = DistilBertConfig(vocab_size=len(vocabulary), dim=16, n_layers=2, n_heads=2, hidden_dim=64,
                              max_position_embeddings=24, **choices)
    save(name, kind, config)


def save(name, kind, config):
    torch.manual_seed(len(name))
    model = kind(config).double()
    for parameter in model.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    directory = pathlib.Path(sys.argv[1]) / name
    model.save_pretrained(directory)
    (directory / "vocab.txt").write_text("\n".join(vocabulary) + "\n")


make("mlm", BertForMaskedLM)
make("cls", BertForSequenceClassification, num_labels=3, type_vocab_size=1)
make("untied", BertForMaskedLM, hidden_act="gelu_new", layer_norm_eps=1e-3, tie_word_embeddings=False)
make("relu", BertForMaskedLM, hidden_act="relu")
make_distilbert("distilbert", DistilBertForMaskedLM)
make_distilbert("distilbert_cls", DistilBertForSequenceClassification, num_labels=3)
PYTHON

# The same tool for the other architecture: its classes, and the name of the biases of keys.
sed 's/\bBert\(Config\|For\)/DistilBert\1/g; s/attention.self.key.bias/attention.k_lin.bias/' "$tool" \
    > "$scratch/distilbert_case.py"

"$python" "$tool" mlm --model "$scratch/mlm" --seed 1 --dtype float64 --check --mask-rate 0.3 \
    --text "The old keeper mends a lamp behind the quiet mill, and the crow waits." --text "Every child finds bread."
"$python" "$tool" cls --model "$scratch/cls" --seed 2 --dtype float64 --check --task cls --num-labels 3 \
    --label 2 --label 0 --label 2 --text "Two boats turned under the stone bridge." --text "Who closes the garden?" \
    --text "A train leaves our station every cold morning."
"$python" "$tool" untied --model "$scratch/untied" --seed 3 --dtype float64 --check --mask-rate 0.4 \
    --mask-style bert --untied --text "The baker writes a letter to the harbour." \
    --text "In winter the river rests and the dog sings."
"$python" "$tool" relu --model "$scratch/relu" --seed 6 --dtype float64 --check --mask-rate 0.3 \
    --text "Every evening the clock counts two apples." --text "A warm dog rests in our garden."
"$python" "$scratch/distilbert_case.py" distilbert --model "$scratch/distilbert" \
    --vocab "$scratch/distilbert/vocab.txt" --seed 4 --dtype float64 --check \
    --mask-rate 0.3 --text "A small boat waits behind the grey bridge, and one dog sings." --text "The clock rests."
"$python" "$scratch/distilbert_case.py" distilbert_cls --model "$scratch/distilbert_cls" \
    --vocab "$scratch/distilbert_cls/vocab.txt" --seed 5 --dtype float64 --check --task cls --num-labels 3 \
    --label 1 --label 0 --text "The keeper finds two apples under a lamp." --text "Our train turns in the garden."
