# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Large layers through oneDNN: the same numbers, the same weights, and only where asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network import onednn
from mgpt3_ros.model.network.backbone_config import BackboneConfig
from mgpt3_ros.model.network.onednn import (
    OneDnnLinear,
    faster,
    faster_for_many,
    faster_in_training,
    learned_product,
    product,
    use_onednn,
)
from mgpt3_ros.model.network.text.gpt2_branch import Gpt2Tables
from mgpt3_ros.model.network.vae.mld import MldConfig, MldVae
from tests.support.tiny import save_tiny_model, swinging_motion, tiny_model

WIDTH = 1024


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, 8, bias=False))


@pytest.mark.parametrize('public', [False, True])
@pytest.mark.parametrize('shape', [(WIDTH,), (3, WIDTH), (2, 5, WIDTH), (0, WIDTH)])
def test_the_numbers_are_those_of_the_plain_layers(
    shape: tuple[int, ...], public: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if public:
        monkeypatch.setattr(onednn, '_OPERATION', None)
    plain, fast = network(), network()
    assert use_onednn(fast, 'always') == 1  # the small one stays as it is
    assert isinstance(fast[0], OneDnnLinear)
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(fast(x), plain(x), rtol=1e-5, atol=1e-5)


def test_state_and_gradients_are_those_of_the_plain_layers() -> None:
    plain, fast = network(), network()
    use_onednn(fast, 'always')
    assert fast.state_dict().keys() == plain.state_dict().keys()
    for module in (plain, fast):
        module(torch.ones(2, WIDTH)).square().sum().backward()
    for one, other in zip(plain.parameters(), fast.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad)


def test_it_may_be_off_and_is_told_when_it_is_mistyped(tmp_path: Path) -> None:
    module = network()
    assert use_onednn(module, 'never') == 0
    assert type(module[0]) is nn.Linear
    with pytest.raises(CheckpointError, match='never, auto, always'):
        MotionGPT3.from_pretrained(save_tiny_model(tmp_path), 'cpu', onednn='yes')


@contextlib.contextmanager
def measured(
    monkeypatch: pytest.MonkeyPatch, plain_s: float, way: Any, compares: Any
) -> Iterator[None]:
    """PyTorch's own way takes so long, and oneDNN's a second, when ``compares`` asks."""
    times = {functional.linear: plain_s, way: 1.0}
    monkeypatch.setattr(onednn, '_seconds', lambda way, x, weight: times[way])
    compares.cache_clear()
    yield
    compares.cache_clear()


@pytest.mark.parametrize(('plain_s', 'taken'), [(1.0, 0), (1.1, 0), (1.3, 1)])
def test_auto_takes_what_is_measured_to_be_faster(
    plain_s: float, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with measured(monkeypatch, plain_s, product, faster):
        assert use_onednn(network(), 'auto') == taken


def test_auto_measures_nothing_for_a_network_of_small_layers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(onednn, 'faster', lambda: pytest.fail('it was measured'))
    assert use_onednn(nn.Sequential(nn.Linear(64, 64)), 'auto') == 0


def test_a_table_of_words_is_taken_too() -> None:
    config = BackboneConfig(vocab_size=2**14, n_embd=64, n_layer=1, n_head=2)
    tables, hidden = Gpt2Tables(config).eval(), torch.linspace(-1, 1, 128).view(2, 64)
    with torch.inference_mode():
        plain = tables.logits(hidden)
        assert use_onednn(nn.ModuleList([tables]), 'always') == 1
        torch.testing.assert_close(tables.logits(hidden), plain, rtol=1e-5, atol=1e-5)
    assert tables.product is product


def test_a_network_of_large_layers_draws_and_writes_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(onednn, '_SMALLEST', 1)
    model = tiny_model()
    walk = Motion(swinging_motion(1), 20.0)

    def made() -> tuple[np.ndarray, str]:
        noise = torch.Generator().manual_seed(0)
        drawn = model.generate('walk', 2.0, judge=False, generator=noise)
        return drawn.joints, model.pipeline.caption([walk])[0]

    plain = made()
    assert use_onednn(model.network, 'always') > 10
    fast = made()
    np.testing.assert_allclose(fast[0], plain[0], atol=2e-4)
    assert fast[1] == plain[1]


@pytest.mark.parametrize('bias', [False, True])
@pytest.mark.parametrize('frozen', [False, True])
@pytest.mark.parametrize('public', [False, True])
def test_gradients_by_onednn_are_those_of_the_plain_layers(
    bias: bool, frozen: bool, public: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if public:
        monkeypatch.setattr(onednn, '_OPERATION', None)
    found = []
    for fast in (False, True):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(WIDTH, WIDTH, bias=bias), nn.GELU())
        if fast:
            assert use_onednn(module, 'always', learns=True) == 1
            assert use_onednn(module, 'always', learns=True) == 1  # again
        module[0].requires_grad_(not frozen)
        x = torch.linspace(-1, 1, 3 * WIDTH).view(3, 1, WIDTH).requires_grad_()
        module(x).square().sum().backward()
        found.append([x.grad, *(p.grad for p in module.parameters())])
    for one, other in zip(*found, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('learns', [False, True])
def test_a_vae_of_small_weights_is_taken_where_rows_are_many(
    learns: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    vae = MldVae(MldConfig(latent_dim=8, ff_width=12, layers=1, heads=2, dropout=0.0)).eval()
    latents, lengths = torch.randn(6, 1, 8), torch.tensor([190, 150, 196, 180, 196, 160])
    rows: list[int] = []

    def counted(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        rows.append(x.numel() // x.shape[-1])
        return product(x, weight, bias)

    found = []
    for taken in (0, 1):
        assert use_onednn(vae, 'always' if taken else 'never', learns) == taken
        vae.zero_grad()
        with torch.set_grad_enabled(learns):
            found.append(vae.decode(latents, lengths))
        if learns:
            found[-1].square().sum().backward()
            found.append(vae.decoder.layers[0].linear1.weight.grad.clone())
    for one, other in zip(found[: len(found) // 2], found[len(found) // 2 :], strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-4)
    monkeypatch.setattr(onednn, 'learned_product', counted)
    with torch.no_grad():
        vae.decode(latents, lengths)
        assert rows
        assert set(rows) == {int(lengths.sum())}
        rows.clear()
        vae.decode(latents[:2], lengths[:2])
    assert not rows  # 340 are few


@pytest.mark.parametrize(('plain_s', 'taken'), [(1.0, 0), (1.3, 1)])
def test_auto_measures_many_rows_for_a_vae(
    plain_s: float, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = MldVae(MldConfig(latent_dim=8, ff_width=12, layers=1, heads=2))
    with measured(monkeypatch, plain_s, product, faster_for_many):
        assert use_onednn(vae, 'auto') == taken


@pytest.mark.parametrize(('plain_s', 'taken'), [(1.0, 0), (1.3, 1)])
def test_auto_measures_gradients_where_it_is_to_learn(
    plain_s: float, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with measured(monkeypatch, plain_s, learned_product, faster_in_training):
        assert use_onednn(network(), 'auto', learns=True) == taken


def test_what_is_measured_is_both_ways() -> None:
    with torch.enable_grad():
        weight = torch.ones(4, 3, requires_grad=True)
        assert onednn._seconds(learned_product, torch.ones(2, 3), weight) >= 0
    assert weight.grad is not None


@pytest.mark.parametrize('name', ['default', 'stream'])
def test_the_shipped_checkpoints_draw_the_same_everywhere(name: str) -> None:
    """None of their products is large: nothing depends on what is measured here."""
    model = MotionGPT3.from_pretrained(name, 'cpu', onednn='never')
    assert use_onednn(model.network, 'always') == 0
