# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A language model out of a GGUF file, as a folder that transformers would write.

GGUF is llama.cpp's format: a table of settings, the tokenizer in it, and weights that may be
quantised. Only files of Llama's architecture with a byte-level BPE are read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from mgpt3_ros.model.atomic_files import whole_files
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.extras import extra

_PARTS = {
    'attn_norm': 'input_layernorm',
    'attn_q': 'self_attn.q_proj',
    'attn_k': 'self_attn.k_proj',
    'attn_v': 'self_attn.v_proj',
    'attn_output': 'self_attn.o_proj',
    'ffn_norm': 'post_attention_layernorm',
    'ffn_gate': 'mlp.gate_proj',
    'ffn_up': 'mlp.up_proj',
    'ffn_down': 'mlp.down_proj',
}
_TABLES = {
    'token_embd.weight': 'model.embed_tokens.weight',
    'output_norm.weight': 'model.norm.weight',
    'output.weight': 'lm_head.weight',
}
_DIGITS = {'smollm'}  # kinds of pre-tokenizer that split numbers into digits


def convert(file: Path, folder: Path) -> None:
    """Write ``config.json``, ``model.safetensors`` (float32) and ``tokenizer.json``.

    Raises:
        CheckpointError: the file cannot be read, or is of another architecture or tokenizer.
        MissingExtraError: the extra ``language`` is not installed.
    """
    with extra('language'):
        from gguf import GGUFReader

    try:
        reader = GGUFReader(file)
        told = {key: field for key, field in reader.fields.items() if key[:5] != 'GGUF.'}
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise CheckpointError(f'{file} cannot be read as GGUF: {error}') from error
    wanted = {
        'general.architecture': ('llama',),
        'tokenizer.ggml.model': ('gpt2',),
        'tokenizer.ggml.pre': ('smollm', 'gpt-2', 'default'),
    }
    for key, known in wanted.items():
        value = told[key].contents() if key in told else None
        if value not in known:
            raise CheckpointError(f'{file}: {key} is {value!r}, and {", ".join(known)} is read')
    settings = _settings(told)
    weights = _weights(reader, settings)
    settings['tie_word_embeddings'] = 'lm_head.weight' not in weights
    with whole_files(folder) as partial:
        save_file(weights, partial / 'model.safetensors', metadata={'format': 'pt'})
        _tokenizer(told).save(str(partial / 'tokenizer.json'))
        text = json.dumps(settings, indent=2) + '\n'
        (partial / 'config.json').write_text(text, encoding='utf-8')


def _settings(told: dict[str, Any]) -> dict[str, Any]:
    """What transformers' ``config.json`` says, out of GGUF's table."""
    keys = {
        'num_hidden_layers': 'block_count',
        'max_position_embeddings': 'context_length',
        'hidden_size': 'embedding_length',
        'intermediate_size': 'feed_forward_length',
        'num_attention_heads': 'attention.head_count',
        'num_key_value_heads': 'attention.head_count_kv',
        'rms_norm_eps': 'attention.layer_norm_rms_epsilon',
        'rope_theta': 'rope.freq_base',
    }
    found = {name: told[f'llama.{key}'].contents() for name, key in keys.items()}
    # A float32 of the file: 9.999999747378752e-06 is meant as 1e-05.
    found['rms_norm_eps'] = float(np.format_float_positional(np.float32(found['rms_norm_eps'])))
    found['vocab_size'] = len(told['tokenizer.ggml.tokens'].data)
    marks = {f'{end}_token_id': told[f'tokenizer.ggml.{end}_token_id'] for end in ('bos', 'eos')}
    return {
        'model_type': 'llama',
        'architectures': ['LlamaForCausalLM'],
        'hidden_act': 'silu',
        **found,
        **{name: field.contents() for name, field in marks.items()},
    }


def _weights(reader: Any, settings: dict[str, Any]) -> dict[str, np.ndarray]:
    """All tensors as float32, by transformers' names and in its order of rows."""
    from gguf.quants import dequantize

    heads = {
        'attn_q': settings['num_attention_heads'],
        'attn_k': settings['num_key_value_heads'],
    }
    weights = {}
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if tensor.name in _TABLES:
            weights[_TABLES[tensor.name]] = values
            continue
        _, layer, part, kind = tensor.name.split('.')
        if part in heads:
            # llama.cpp turns neighbours, transformers number i and i + E / 2 of a head.
            pairs = values.reshape(heads[part], -1, 2, values.shape[1])
            values = pairs.swapaxes(1, 2).reshape(values.shape)
        weights[f'model.layers.{layer}.{_PARTS[part]}.{kind}'] = np.ascontiguousarray(values)
    return weights


def _tokenizer(told: dict[str, Any]) -> Tokenizer:
    tokens = told['tokenizer.ggml.tokens'].contents()
    merges = [tuple(pair.split(' ', 1)) for pair in told['tokenizer.ggml.merges'].contents()]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    bpe = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    bytes_of_words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if told['tokenizer.ggml.pre'].contents() in _DIGITS:
        digits = pre_tokenizers.Digits(individual_digits=True)
        bpe.pre_tokenizer = pre_tokenizers.Sequence([digits, bytes_of_words])
    else:
        bpe.pre_tokenizer = bytes_of_words
    bpe.decoder = decoders.ByteLevel()
    return bpe
