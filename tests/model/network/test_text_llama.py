# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A text branch of Llama's kind computes what transformers' Llama does, and motion meets it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.errors import CheckpointError, ConfigError
from mgpt3_ros.model.network.backbone import BimodalBackbone, Hidden
from mgpt3_ros.model.network.backbone_config import BackboneConfig, LlamaConfig, RopeScaling
from tests.support.backbones import (
    assert_each_parameter_has_its_group,
    assert_words_know_no_motion,
)
from tests.support.seeded import fill_by_name
from tests.support.tiny_llama import LLAMA, SIZES, save_llama

V, POSITIONS = 20, 40
MARKER, HOLDER = V, V + 4
ROW = [3, 1, MARKER, HOLDER, HOLDER, HOLDER, MARKER + 1, 7, 2]
FORMS: list[dict[str, Any]] = [
    {},
    {'motion_width': 24},
    {'motion_width': 8, 'shared_layers': (0, 2)},
    {'motion_width': 8, 'look_back': 2},
    {'motion_width': 24, 'look_back': 2, 'shared_layers': (1,)},
    {'motion_width': 24, 'look_back': 2, 'motion_layers': (0, 2)},
    {'motion_width': 8, 'look_back': 2, 'motion_layers': (0, 2), 'shared_layers': (2,)},
]


def small(llama: LlamaConfig = LLAMA, **changes: Any) -> BimodalBackbone:
    sizes = {**SIZES, 'n_positions': POSITIONS, 'llama': llama, **changes}
    backbone = BimodalBackbone(BackboneConfig(V, **sizes)).eval()
    fill_by_name(backbone, 0.4)
    return backbone


@torch.no_grad()
def run(
    backbone: BimodalBackbone, ids: Tensor, mask: Tensor | None = None, **options: Any
) -> Hidden:
    return backbone(*backbone.embed(ids), mask, **options)


def assert_same(one: Tensor, other: Tensor, atol: float = 2e-5) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=atol)


STRETCHED = RopeScaling(8.0, 1.0, 4.0, 16)


@pytest.mark.parametrize(
    ('theirs', 'ours'),
    [
        ({}, {}),
        ({'tie_word_embeddings': False}, {'tied': False}),
        ({'head_dim': 6}, {'head_width': 6}),
        ({'num_key_value_heads': 4}, {'n_kv_head': 4}),
        ({'num_key_value_heads': 1}, {'n_kv_head': 1}),
        (
            {
                'rope_parameters': {
                    'rope_type': 'llama3', 'rope_theta': 100.0, 'factor': 8.0,
                    'low_freq_factor': 1.0, 'high_freq_factor': 4.0,
                    'original_max_position_embeddings': 16,
                }
            },
            {'rope_scaling': STRETCHED},
        ),
    ],
)  # fmt: skip
def test_text_alone_gives_the_logits_of_transformers(
    theirs: dict[str, Any], ours: dict[str, Any], tmp_path: Path
) -> None:
    from transformers import LlamaForCausalLM

    folder = save_llama(tmp_path, **theirs)
    backbone = small(dataclasses.replace(LLAMA, **ours), motion_width=8)
    backbone.load_text(folder)
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 1, 8, 2, 8, 1, 8]])
    with torch.no_grad():
        wanted = model(ids).logits
    assert wanted.std() > 0.3
    assert_same(backbone.text_logits(run(backbone, ids).text)[..., :V], wanted, 1e-4)
    mean = backbone.text.wte.weight.mean(dim=0)
    torch.testing.assert_close(backbone.marker_embedding, mean.expand(2, -1))


def test_the_stream_form_reads_text_in_the_same_way(tmp_path: Path) -> None:
    folder, ids = save_llama(tmp_path), torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])
    clip, stream = small(), small(look_back=2, motion_width=8)
    clip.load_text(folder)
    stream.load_text(folder)
    assert_same(run(clip, ids).text, run(stream, ids).text)


def test_weights_in_parts_and_in_half_precision_are_read(tmp_path: Path) -> None:
    from transformers import LlamaForCausalLM

    folder = save_llama(tmp_path / 'whole')
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    model.save_pretrained(tmp_path / 'parts', max_shard_size='4KB')
    assert len(list((tmp_path / 'parts').glob('*.safetensors'))) > 1
    backbone = small()
    backbone.load_text(tmp_path / 'parts')
    assert backbone.text.wte.weight.dtype == torch.float32
    assert torch.equal(backbone.text.wte.weight, model.model.embed_tokens.weight.float())


def test_older_settings_of_transformers_are_read_alike(tmp_path: Path) -> None:
    folder = save_llama(tmp_path)
    settings = json.loads((folder / 'config.json').read_text())
    del settings['rope_parameters']
    (folder / 'config.json').write_text(json.dumps({**settings, 'rope_theta': 100.0}))
    small().load_text(folder)
    (folder / 'config.json').write_text(json.dumps(settings))
    with pytest.raises(CheckpointError, match=r'llama\.rope_theta is 10000\.0, not 100\.0'):
        small().load_text(folder)


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'model_type': 'qwen2'}, "model_type is 'qwen2', not 'llama'"),
        ({'hidden_act': 'gelu'}, "hidden_act is 'gelu', not 'silu'"),
        ({'attention_bias': True}, 'attention_bias is True, not False'),
        ({'num_hidden_layers': 4}, 'n_layer is 4, not 3'),
        ({'num_key_value_heads': 1}, r'llama\.n_kv_head is 1, not 2'),
        ({'rms_norm_eps': 1e-6}, r'llama\.norm_eps is 1e-06, not 1e-05'),
        ({'rope_parameters': {'rope_type': 'yarn', 'rope_theta': 100.0}}, "the kind 'yarn'"),
    ],
)
def test_a_llama_that_means_something_else_is_refused(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    folder = save_llama(tmp_path)
    settings = json.loads((folder / 'config.json').read_text())
    (folder / 'config.json').write_text(json.dumps({**settings, **change}))
    with pytest.raises(CheckpointError, match=said):
        small().load_text(folder)


def test_a_damaged_llama_is_named(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = save_llama(tmp_path)
    file = folder / 'model.safetensors'
    # Copies: what safetensors reads stays mapped to the file, which is cut short here.
    weights = {name: value.clone() for name, value in load_file(file).items()}
    whole = file.read_bytes()
    file.write_bytes(whole[:2000])
    with pytest.raises(CheckpointError, match='cannot be read'):
        small().load_text(folder)
    left_out = weights.pop('model.layers.1.mlp.up_proj.weight')
    save_file(weights, file)
    with pytest.raises(CheckpointError, match=r'lacks model\.layers\.1\.mlp\.up_proj\.weight'):
        small().load_text(folder)
    save_file({**weights, 'model.layers.1.mlp.up_proj.weight': left_out[:-1].contiguous()}, file)
    with pytest.raises(CheckpointError, match=r'\(23, 16\), \(24, 16\) is needed'):
        small().load_text(folder)
    file.unlink()
    with pytest.raises(CheckpointError, match=r'no \*\.safetensors file'):
        small().load_text(folder)


@pytest.mark.parametrize('form', FORMS)
def test_nothing_sees_what_comes_after_it(form: dict[str, Any]) -> None:
    backbone = small(**form)
    ids = torch.tensor([ROW, ROW])
    ids[1, 5:] = torch.tensor([9, 9, HOLDER, 9])
    hidden = run(backbone, ids)
    for stream in (hidden.text, hidden.motion):
        assert_same(stream[0, :5], stream[1, :5])
    assert not torch.allclose(hidden.text[0, 8], hidden.text[1, 8])


@pytest.mark.parametrize('form', FORMS)
def test_a_cache_changes_nothing(form: dict[str, Any]) -> None:
    backbone = small(**form)
    ids = torch.tensor([ROW, ROW[::-1]])
    whole = run(backbone, ids)
    cache, parts = backbone.new_cache(), []
    for begin, end in ((0, 4), (4, 5), (5, 9)):
        parts.append(run(backbone, ids[:, begin:end], cache=cache))
    assert_same(torch.cat([part.text for part in parts], 1), whole.text)
    assert_same(torch.cat([part.motion for part in parts], 1), whole.motion)


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('side', ['left', 'right'])
def test_padding_changes_nothing_and_a_batch_is_its_rows(form: dict[str, Any], side: str) -> None:
    backbone = small(**form)
    rows = [ROW, [4, MARKER, HOLDER], [HOLDER, HOLDER, MARKER + 1, 5, 6, 8]]
    width = max(map(len, rows)) + 2
    ids, mask = torch.full((3, width), 5), torch.zeros(3, width, dtype=torch.bool)
    for number, row in enumerate(rows):
        at = slice(width - len(row), width) if side == 'left' else slice(0, len(row))
        ids[number, at], mask[number, at] = torch.tensor(row), True
    batch = run(backbone, ids, mask)
    for number, row in enumerate(rows):
        alone = run(backbone, torch.tensor([row]))
        assert_same(batch.text[number, mask[number]], alone.text[0])
        assert_same(batch.motion[number, mask[number]], alone.motion[0])
    assert not batch.text[~mask].any()


def test_text_reads_motion_and_motion_reads_text_where_layers_are_shared() -> None:
    ids = torch.tensor([ROW, ROW])
    ids[1, 4] = HOLDER + 1
    words = torch.tensor([ROW, ROW])
    words[1, 1] = 11
    for form in FORMS:
        apart = small(**{**form, 'shared_layers': ()})
        together = small(**form)
        for backbone, met in ((apart, False), (together, True)):
            text = run(backbone, ids).text[:, -1]
            assert torch.allclose(text[0], text[1]) != met
            motion = run(backbone, words).motion[:, 5]
            assert torch.allclose(motion[0], motion[1]) != met


def test_text_alone_knows_nothing_of_the_motion_branch() -> None:
    backbone = small(motion_width=8, look_back=2)
    assert_words_know_no_motion(backbone)


def test_parameters_belong_to_text_motion_or_markers() -> None:
    backbone = small(dataclasses.replace(LLAMA, tied=False), motion_width=24)
    assert_each_parameter_has_its_group(backbone)
    assert backbone.motion.wpe is None
    assert not any('wpe' in name for name, _ in backbone.named_parameters())


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match=r'n_head 4 must be a multiple of llama\.n_kv_head 3'):
        small(dataclasses.replace(LLAMA, n_kv_head=3))
    with pytest.raises(ConfigError, match='heads of an even width'):
        small(n_embd=20)
    with pytest.raises(ConfigError, match='reference_masking'):
        small(reference_masking=True)
    with pytest.raises(ConfigError, match='41 tokens are more than the 40 positions'):
        run(small(), torch.zeros(1, 41, dtype=torch.long))


def test_additions_say_nothing_at_first_and_are_a_group_of_their_own(tmp_path: Path) -> None:
    folder, ids = save_llama(tmp_path), torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])
    torch.manual_seed(0)
    with_them = BimodalBackbone(
        BackboneConfig(V, **SIZES, n_positions=POSITIONS, llama=LLAMA, text_rank=2)  # type: ignore[arg-type]
    ).eval()
    without = small()
    for backbone in (with_them, without):
        backbone.load_text(folder)
    assert torch.equal(run(with_them, ids).text, run(without, ids).text)
    groups = with_them.parameter_groups()
    assert len(groups['additions']) == 2 * 3
    assert 'additions' not in without.parameter_groups()
    assert sum(map(len, groups.values())) == len(list(with_them.parameters()))
    with torch.no_grad():
        groups['additions'][1].add_(0.1)
    assert not torch.allclose(run(with_them, ids).text, run(without, ids).text)
    assert with_them.text_state().keys() == without.text_state().keys()
