# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The text branch: a language model of GPT-2's kind or of Llama's, behind one contract.

``branch`` says what the backbone asks of it, ``gpt2_branch`` and ``llama_branch`` compute it, and
``gpt2_weights`` and ``llama_weights`` fill it from checkpoints of transformers.
"""

from __future__ import annotations

from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.network.text.branch import TextBlock, TextTables
from mgpt3_ros.model.network.text.gpt2_branch import Block, Gpt2Tables
from mgpt3_ros.model.network.text.llama_branch import LlamaBlock, LlamaTables


def text_block(config: BackboneConfig) -> TextBlock:
    """The text's parameters of one layer, with fresh weights."""
    if config.llama is not None:
        return LlamaBlock(config, config.llama)
    return Block(config.n_embd, config.query_width, config.key_width, config.text_dropout)


def text_tables(config: BackboneConfig) -> TextTables:
    """Embeddings, last norm and logits of the text, with fresh weights."""
    if config.llama is not None:
        return LlamaTables(config, config.llama)
    return Gpt2Tables(config)
