# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A tiny Llama of transformers, its weights always the same, for tests of text branches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network.backbone_config import LlamaConfig
from tests.support.seeded import fill_by_name

SIZES = {'n_embd': 16, 'n_layer': 3, 'n_head': 4}
LLAMA = LlamaConfig(n_kv_head=2, mlp_width=24, rope_theta=100.0)


def save_llama(folder: Path, vocab_size: int = 20, **changes: Any) -> Path:
    """Write a checkpoint of transformers with the sizes above; ``changes`` are its settings."""
    from transformers import LlamaConfig as TheirConfig
    from transformers import LlamaForCausalLM

    settings = {
        'vocab_size': vocab_size, 'hidden_size': 16, 'intermediate_size': 24,
        'num_hidden_layers': 3, 'num_attention_heads': 4, 'num_key_value_heads': 2,
        'max_position_embeddings': 64, 'rms_norm_eps': 1e-5, 'tie_word_embeddings': True,
        'rope_parameters': {'rope_type': 'default', 'rope_theta': 100.0},
        'bos_token_id': 0, 'eos_token_id': 0,
    }  # fmt: skip
    model = LlamaForCausalLM(TheirConfig(**{**settings, **changes}))
    fill_by_name(model, 0.4)
    model.save_pretrained(folder)
    return folder


def save_llama_with_words(folder: Path, texts: list[str], vocab_size: int = 300) -> Path:
    """The same with a tokenizer that was learned from ``texts`` beside it."""
    tokenizer = MotionTokenizer.train(texts, vocab_size)
    save_llama(folder, tokenizer.vocab_size)
    tokenizer.save(folder)
    return folder


def save_talking_words(folder: Path, texts: list[str]) -> MotionTokenizer:
    """A tokenizer of 302 tokens whose last two begin and end a turn, as SmolLM2's; saved."""
    MotionTokenizer.train(texts, 300).save(folder)
    file = folder / 'tokenizer.json'
    data = json.loads(file.read_text(encoding='utf-8'))
    data['added_tokens'] = [
        {
            'id': 300 + number, 'content': name, 'special': True, 'single_word': False,
            'lstrip': False, 'rstrip': False, 'normalized': False,
        }
        for number, name in enumerate(('<|im_start|>', '<|im_end|>'))
    ]  # fmt: skip
    file.write_text(json.dumps(data), encoding='utf-8')
    return MotionTokenizer.load(folder)
