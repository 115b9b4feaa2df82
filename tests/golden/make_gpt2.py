#!/usr/bin/env python3
"""Make the golden cases gpt2/ and gpt2_untied/ beside this script: tiny GPT-2s and, in float64, the loss of
transformers' GPT2LMHeadModel.

Every parameter is drawn at random, also those that transformers starts at 0 or 1. Each text is the ids of
mlm/model/vocab.txt, from [CLS] to [SEP], with words drawn between them.
"""
import json
import pathlib

import torch
from transformers import GPT2Config, GPT2LMHeadModel

here = pathlib.Path(__file__).parent
CLS, SEP, FIRST_WORD, WORDS = 2, 3, 5, len((here / "mlm/model/vocab.txt").read_text().split())


def make(name, lengths, **choices):
    torch.manual_seed(len(name))
    config = GPT2Config(vocab_size=WORDS, n_embd=16, n_layer=2, n_head=2, n_positions=24, bos_token_id=CLS,
                        eos_token_id=SEP, **choices)
    model = GPT2LMHeadModel(config).double().eval()
    for parameter in model.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(here / name / "model")
    texts = []
    for length in lengths:
        tokens = torch.cat([torch.tensor([CLS]), torch.randint(FIRST_WORD, WORDS, (length - 2,)),
                            torch.tensor([SEP])])[None]
        with torch.no_grad():
            logits = model(input_ids=tokens).logits  # its own .loss is computed in float32
        texts.append({"tokens": tokens[0].tolist(),
                      "loss": torch.nn.functional.cross_entropy(logits[0, :-1], tokens[0, 1:]).item()})
    (here / name / "texts.json").write_text("[" + ",\n ".join(json.dumps(text) for text in texts) + "]\n")
    (here / name / "model/generation_config.json").unlink()


make("gpt2", [3, 9, 24])
make("gpt2_untied", [4, 17], n_inner=40, activation_function="gelu", layer_norm_epsilon=1e-3, tie_word_embeddings=False)
