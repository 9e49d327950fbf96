# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.errors import CheckpointError, ConfigError
from mgpt3_ros.model.network.backbone import BimodalBackbone, Hidden
from mgpt3_ros.model.network.backbone_config import BackboneConfig
from tests.support.backbones import (
    assert_each_parameter_has_its_group,
    assert_words_know_no_motion,
)
from tests.support.seeded import fill_by_name, numbers

V, D, HEADS, LAYERS, POSITIONS = 20, 16, 2, 3, 40
MARKER, HOLDER = V, V + 4
# Text, a motion of three holders between its markers, text.
ROW = [3, 1, MARKER, HOLDER, HOLDER, HOLDER, MARKER + 1, 7, 2]
SHARED = [None, (LAYERS - 1,), (0, 2), ()]


def small(**changes: object) -> BimodalBackbone:
    sizes = {'n_positions': POSITIONS, 'n_embd': D, 'n_layer': LAYERS, 'n_head': HEADS}
    backbone = BimodalBackbone(BackboneConfig(V, **{**sizes, **changes})).eval()
    fill_by_name(backbone)
    return backbone


@torch.no_grad()
def run(
    backbone: BimodalBackbone, ids: Tensor, mask: Tensor | None = None, **options: object
) -> Hidden:
    return backbone(*backbone.embed(ids), mask, **options)


def assert_same(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=2e-5)


def test_markers_are_text_and_holders_are_motion() -> None:
    backbone = small()
    text, motion, is_motion = backbone.embed(torch.tensor([ROW]))
    assert is_motion[0].tolist() == [i >= V + 2 for i in ROW]
    assert not text[is_motion].any()
    assert not motion[~is_motion].any()
    assert torch.equal(text[0, 2], backbone.marker_embedding[0])
    assert torch.equal(text[0, 7], backbone.text.wte.weight[7])
    assert torch.equal(motion[0, 3], backbone.motion.wte.weight[HOLDER - (V + 2)])


@pytest.mark.parametrize('shared', SHARED)
@pytest.mark.parametrize('width', [None, 8, 24])
def test_nothing_sees_what_comes_after_it(
    shared: tuple[int, ...] | None, width: int | None
) -> None:
    backbone = small(shared_layers=shared, motion_width=width)
    ids = torch.tensor([ROW, ROW])
    ids[1, 5:] = torch.tensor([9, 9, HOLDER, 9])
    hidden = run(backbone, ids)
    for stream in (hidden.text, hidden.motion):
        assert_same(stream[0, :5], stream[1, :5])
    assert not torch.allclose(hidden.text[0, 8], hidden.text[1, 8])


def test_shared_attention_is_what_text_and_motion_meet_in() -> None:
    """With one shared layer text reads a motion before it; with none it does not."""
    ids = torch.tensor([ROW, ROW])
    ids[1, 4] = HOLDER + 1
    for shared in SHARED:
        text = run(small(shared_layers=shared), ids).text[:, -1]
        assert torch.allclose(text[0], text[1]) == (shared == ())


def test_motion_passes_by_layers_of_text_alone() -> None:
    """It is what a backbone of only those layers makes of it, that has no text."""
    ids = torch.tensor([[HOLDER, HOLDER + 1, HOLDER]])
    deep = small(motion_layers=(1,), motion_width=24)
    assert [layer.motion is not None for layer in deep.layers] == [
        index == 1 for index in range(LAYERS)
    ]
    flat = BimodalBackbone(dataclasses.replace(deep.config, n_layer=1, motion_layers=None)).eval()
    state = deep.state_dict()
    own = {name: value for name, value in state.items() if not name.startswith('layers.')}
    own |= {
        name.replace('layers.1.', 'layers.0.'): value
        for name, value in state.items()
        if name.startswith('layers.1.')
    }
    flat.load_state_dict(own)
    assert_same(run(deep, ids).motion, run(flat, ids).motion)


@pytest.mark.parametrize('shared', SHARED)
@pytest.mark.parametrize('width', [None, 24])
def test_a_cache_changes_nothing(shared: tuple[int, ...] | None, width: int | None) -> None:
    backbone = small(shared_layers=shared, motion_width=width)
    ids = torch.tensor([ROW, ROW[::-1]])
    whole = run(backbone, ids)
    cache, parts = backbone.new_cache(), []
    for begin, end in ((0, 4), (4, 5), (5, 9)):
        parts.append(run(backbone, ids[:, begin:end], cache=cache))
        cache = parts[-1].cache
    assert_same(torch.cat([part.text for part in parts], 1), whole.text)
    assert_same(torch.cat([part.motion for part in parts], 1), whole.motion)


@pytest.mark.parametrize('shared', SHARED)
@pytest.mark.parametrize('reference', [False, True])
@pytest.mark.parametrize('side', ['left', 'right'])
def test_padding_changes_nothing(
    shared: tuple[int, ...] | None, reference: bool, side: str
) -> None:
    backbone = small(shared_layers=shared, reference_masking=reference)
    count, pads = len(ROW), 4
    alone = run(backbone, torch.tensor([ROW]))
    padding = torch.full((1, pads), 5)
    parts = [padding, torch.tensor([ROW])]
    at = slice(pads, None) if side == 'left' else slice(0, count)
    ids = torch.cat(parts if side == 'left' else parts[::-1], dim=1)
    mask = torch.zeros_like(ids, dtype=torch.bool)
    mask[:, at] = True
    padded = run(backbone, ids, mask)
    assert_same(padded.text[:, at], alone.text)
    assert_same(padded.motion[:, at], alone.motion)
    # Only the authors' code computes the padding itself.
    assert bool(padded.text[~mask].any()) == reference
    assert torch.isfinite(padded.text).all()


@pytest.mark.parametrize('shared', SHARED)
def test_padding_gives_no_nan_gradients(shared: tuple[int, ...] | None) -> None:
    backbone = small(shared_layers=shared)
    ids = torch.tensor([[HOLDER, HOLDER, 5, 5], [3, HOLDER, 2, 1]])
    mask = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]]).bool()
    hidden = backbone(*backbone.embed(ids), mask)
    (hidden.text.sum() + hidden.motion.sum()).backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in backbone.parameters())


@pytest.mark.parametrize('shared', SHARED)
def test_text_alone_knows_nothing_of_the_motion_branch(shared: tuple[int, ...] | None) -> None:
    backbone = small(shared_layers=shared)
    assert_words_know_no_motion(backbone)


def test_parameters_belong_to_text_motion_or_markers() -> None:
    backbone = small(motion_width=24)
    assert_each_parameter_has_its_group(backbone)
    assert backbone.motion.wpe is not None


def test_paper_size_has_the_authors_number_of_parameters() -> None:
    with torch.device('meta'):
        backbone = BimodalBackbone(BackboneConfig(vocab_size=50257))
    # 209,506,560 in the authors' code, less the logits of 6 motion tokens, which nothing reads.
    assert sum(p.numel() for p in backbone.parameters()) == 209_506_560 - 6 * 768


def test_logits_are_of_words_and_markers() -> None:
    backbone = small()
    logits = backbone.text_logits(numbers(1, 2, 3, D))
    assert logits.shape == (2, 3, V + 2)
    table = torch.cat([backbone.text.wte.weight, backbone.marker_embedding])
    torch.testing.assert_close(logits, numbers(1, 2, 3, D) @ table.T)


def test_too_many_tokens_are_refused() -> None:
    with pytest.raises(ConfigError, match='41 tokens are more than the 40 positions'):
        run(small(), torch.zeros(1, 41, dtype=torch.long))
    with pytest.raises(ConfigError, match='multiple of n_head'):
        BackboneConfig(V, n_embd=15, n_head=2)
    with pytest.raises(ConfigError, match='names layer 3'):
        BackboneConfig(V, n_layer=3, shared_layers=(0, 3))
    with pytest.raises(ConfigError, match='motion_layers names layer 4'):
        BackboneConfig(V, n_layer=3, motion_layers=(0, 4))
    with pytest.raises(ConfigError, match='names layer 1, beside which motion_layers has none'):
        BackboneConfig(V, n_layer=3, motion_layers=(0, 2), shared_layers=(0, 1))
    with pytest.raises(ConfigError, match='must name a layer'):
        BackboneConfig(V, n_layer=3, motion_layers=())


def save_gpt2(folder: Path, **changes: object) -> Path:
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = {
        'vocab_size': V, 'n_positions': POSITIONS, 'n_embd': D, 'n_layer': LAYERS,
        'n_head': HEADS, 'bos_token_id': 0, 'eos_token_id': 0,
    }  # fmt: skip
    model = GPT2LMHeadModel(GPT2Config(**{**sizes, **changes}))
    fill_by_name(model)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope='module')
def gpt2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_gpt2(tmp_path_factory.mktemp('gpt2'))


@pytest.mark.usefixtures('no_network')
def test_the_text_branch_is_gpt2(gpt2_folder: Path) -> None:
    from transformers import GPT2LMHeadModel

    backbone = small()
    backbone.load_text(gpt2_folder)
    theirs = GPT2LMHeadModel.from_pretrained(gpt2_folder).eval()
    ids = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 1, 8, 2, 8, 1, 8]])
    with torch.no_grad():
        wanted = theirs(ids).logits
    ours = backbone.text_logits(run(backbone, ids).text)
    assert_same(ours[..., :V], wanted)
    mean = backbone.text.wte.weight.mean(dim=0)
    torch.testing.assert_close(backbone.marker_embedding, mean.expand(2, -1))


def test_a_gpt2_of_another_size_is_named(gpt2_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r'\(20, 16\).*\(20, 32\) is needed'):
        small(n_embd=32).load_text(gpt2_folder)
    with pytest.raises(CheckpointError, match='n_layer is 3, not 4'):
        small(n_layer=4).load_text(gpt2_folder)
    with pytest.raises(CheckpointError, match='n_layer is 3, not 2'):
        small(n_layer=2).load_text(gpt2_folder)
    with pytest.raises(CheckpointError, match='no GPT-2 checkpoint'):
        small().load_text(tmp_path)


@pytest.mark.parametrize(
    ('setting', 'other'),
    [
        ('n_head', 4),
        ('activation_function', 'relu'),
        ('layer_norm_epsilon', 1e-2),
        ('scale_attn_weights', False),
        ('scale_attn_by_inverse_layer_idx', True),
        ('tie_word_embeddings', False),
    ],
)
def test_a_gpt2_that_means_something_else_is_refused(
    setting: str, other: object, tmp_path: Path
) -> None:
    folder = save_gpt2(tmp_path, **{setting: other})
    with pytest.raises(CheckpointError, match=f'{setting} is {other!r}, not'):
        small().load_text(folder)


def test_a_damaged_or_foreign_gpt2_is_named(gpt2_folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(gpt2_folder / 'model.safetensors')
    (tmp_path / 'config.json').write_bytes((gpt2_folder / 'config.json').read_bytes())
    file = tmp_path / 'model.safetensors'
    file.write_bytes((gpt2_folder / 'model.safetensors').read_bytes()[:3000])
    with pytest.raises(CheckpointError, match='no GPT-2 checkpoint can be loaded'):
        small().load_text(tmp_path)
    left_out = 'transformer.h.1.ln_2.bias'
    part = {key: value for key, value in weights.items() if key != left_out}
    save_file(part, file, metadata={'format': 'pt'})
    with pytest.raises(CheckpointError, match=f'lacks {left_out}'):
        small().load_text(tmp_path)
    (tmp_path / 'config.json').write_text('{"model_type": "bert"}')
    with pytest.raises(CheckpointError, match="model_type is 'bert', not 'gpt2'"):
        small().load_text(tmp_path)


@pytest.mark.parametrize(
    ('shared', 'width', 'text', 'motion'),
    [
        (None, None, [-2.164511, 1.107917, 0.636896], [0.696330, 0.364064, 1.492622]),
        (None, 8, [-1.996032, 0.875721, 1.526008], [1.866124, -0.040770, -0.858085]),
        ((1,), 24, [-1.789180, 0.737108, 2.005372], [-0.694916, -0.419015, -0.637322]),
    ],
)
def test_golden_values(
    shared: tuple[int, ...] | None, width: int | None, text: list[float], motion: list[float]
) -> None:
    """Values of this code, after it was shown to compute what the authors' does."""
    hidden = run(small(shared_layers=shared, motion_width=width), torch.tensor([ROW]))
    assert hidden.text[0, -1, :3].tolist() == pytest.approx(text, abs=1e-4)
    assert hidden.motion[0, 5, :3].tolist() == pytest.approx(motion, abs=1e-4)


@pytest.mark.parametrize('name', ['./nothing/here', 'some/path/to/gpt2'])
def test_a_slip_in_the_name_of_a_gpt2_is_told_at_once(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unasked(*_: object) -> None:
        pytest.fail('the hub is asked for what can be no name there')

    monkeypatch.setattr('socket.create_connection', unasked)
    with pytest.raises(CheckpointError, match='there is no such folder'):
        BimodalBackbone(BackboneConfig(50257, n_layer=1, n_embd=8, n_head=1)).load_text(name)


def test_a_hub_out_of_reach_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise OSError('no route to host')

    monkeypatch.setattr('socket.create_connection', unreachable)
    monkeypatch.setattr('mgpt3_ros.model.language.pretrained.getproxies', dict)
    with pytest.raises(CheckpointError, match=r'never downloaded, and .* cannot be reached'):
        BimodalBackbone(BackboneConfig(50257, n_layer=1, n_embd=8, n_head=1)).load_text('gtp2')


@pytest.mark.parametrize('shared', [None, (1,)])
def test_text_alone_goes_without_the_motion_branch(
    shared: tuple[int, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain: as in training, where every parameter must be part of the graph."""
    backbone = small(shared_layers=shared)
    ids = torch.tensor([[3, 1, 4, 1], [5, 9, 2, 6]])
    text, motion, is_motion = backbone.embed(ids)
    cached = backbone(text, motion, is_motion, cache=backbone.new_cache()).text.detach()
    plain = backbone(text, motion, is_motion).text.detach()
    for layer in backbone.layers:
        monkeypatch.setattr(layer.motion, 'queries_keys_values', lambda _: pytest.fail('motion'))
    with torch.no_grad():
        cache = backbone.new_cache()
        fast = backbone(text, motion, is_motion).text
        first = backbone(text[:, :2], motion[:, :2], is_motion[:, :2], cache=cache).text
        then = backbone(text[:, 2:], motion[:, 2:], is_motion[:, 2:], cache=cache).text
    assert_same(fast, plain)
    assert_same(torch.cat([first, then], dim=1), cached)
