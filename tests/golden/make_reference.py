"""Writes reference.safetensors, which safetensors.c reads, with the reference implementation (pip install torch
safetensors)."""
from pathlib import Path

import torch
from safetensors.torch import save_file


def tensor(shape, dtype):
    n = torch.Size(shape).numel()
    return ((torch.arange(n, dtype=torch.float64) - 3) * 0.37).to(dtype).reshape(shape)


save_file(
    {
        "f64": tensor((2, 3, 1, 2), torch.float64),
        "f32": tensor((3, 5), torch.float32),
        "f16": tensor((7,), torch.float16),
        "bf16": tensor((7,), torch.bfloat16),
        "scalar": tensor((), torch.float32),
        "empty": tensor((0, 4), torch.float32),
        'name "é"': tensor((1,), torch.float16),
    },
    Path(__file__).with_name("reference.safetensors"),
    {"model": "mini", "defence": 'say "none"\n', "é": "漢"},
)
