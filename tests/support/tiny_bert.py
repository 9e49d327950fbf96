# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A tiny untrained BERT of transformers, with which BERTScore can read."""

from __future__ import annotations

from pathlib import Path

import torch

WORDS = ('a', 'person', 'walks', 'runs', 'someone', 'jumps', 'waves', 'turns')


def save_bert(folder: Path) -> Path:
    """Write its weights and a tokenizer of ``WORDS``."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', *WORDS]
    numbers = {word: number for number, word in enumerate(vocabulary)}
    BertTokenizerFast(vocab=numbers, model_max_length=64).save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {'hidden_size': 16, 'num_hidden_layers': 2, 'num_attention_heads': 2}
    config = BertConfig(vocab_size=len(vocabulary), intermediate_size=32, **sizes)
    BertModel(config).save_pretrained(folder)
    return folder
