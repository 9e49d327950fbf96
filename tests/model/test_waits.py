# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""On a GPU nothing waits or is sent per sample, token or step: counted by a stand-in for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import torch

from mgpt3_ros.model.errors import GenerationError
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network import decoding
from mgpt3_ros.model.network.decoding import DecodingConfig, write_text
from mgpt3_ros.model.network.heads import HeadConfig, MotionHead, build_head
from mgpt3_ros.model.network.vae.base import MotionVae
from mgpt3_ros.model.network.vae.mld import MldConfig, MldVae
from mgpt3_ros.model.network.vae.trunk import TrunkConfig, TrunkVae
from mgpt3_ros.model.pipelines.clip import ClipPipeline
from mgpt3_ros.model.sampling import SamplingOptions, noise_source
from tests.support.tiny import tiny_model
from tests.support.waits import Waits


def waits(work: Callable[[], object]) -> Counter[str]:
    work()  # what is made once, such as a table of a length, is no matter
    with Waits() as seen:
        work()
    return seen.counts


def test_the_stand_in_sees_what_waits_and_what_is_sent() -> None:
    numbers = torch.arange(4.0)

    def work() -> None:
        if numbers.sum() > 3:
            numbers[numbers > 1].tolist()
        torch.tensor([1.0], device='cpu').to('cpu')
        torch.tensor([1.0])  # stays here
        numbers.to(torch.float64)

    assert waits(work) == {'__bool__': 1, '__getitem__': 1, 'tolist': 1, 'tensor': 1, 'to': 1}


@pytest.fixture(scope='module')
def model() -> MotionGPT3:
    return tiny_model()


def head(kind: str, sampler: str = 'ddpm') -> MotionHead:
    config = HeadConfig(kind=kind, width=8, depth=1, dropout=0.0, sampler=sampler)
    return build_head(config, (1, 6), holders=2, hidden_width=8).eval()


def latents(own: MotionHead, rows: int, steps: int, device: str = 'cpu') -> torch.Tensor:
    """Latents of some rows, each with a source of its own."""
    hidden = torch.zeros(rows, 2, 8, device=device)
    noise = [noise_source(row) for row in range(rows)]
    return own.sample(hidden, SamplingOptions(num_inference_steps=steps), noise=noise)


@pytest.mark.parametrize('kind', ['ddpm', 'flow'])
def test_a_head_waits_for_no_step_and_no_sample(kind: str) -> None:
    own = head(kind)
    few = waits(lambda: latents(own, 1, 2))
    assert waits(lambda: latents(own, 1, 9)) == few
    assert waits(lambda: latents(own, 5, 2)) == few


@pytest.mark.parametrize('sampler', ['ddpm', 'ddim', 'dpm-solver++'])
def test_noise_of_another_device_moves_once(sampler: str) -> None:
    """To the meta device, which raises where numbers are looked at."""
    own = head('ddpm', sampler).to('meta')
    assert latents(own, 3, 6, 'meta').device.type == 'meta'
    few = waits(lambda: latents(own, 1, 2, 'meta'))
    assert waits(lambda: latents(own, 5, 12, 'meta')) == few


def test_noise_that_moves_at_once_is_what_each_step_would_have_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = head('ddpm')
    plain = latents(own, 3, 6)
    moved = [torch.device('cpu', 0), torch.device('cpu')]  # the same place under two names
    assert moved[0] != moved[1]
    monkeypatch.setattr(torch.Tensor, 'device', property(lambda self: moved[0]))
    assert torch.equal(latents(own, 3, 6), plain)


def drawn(model: MotionGPT3, rows: int) -> torch.Tensor:
    """Decoded features, as far as they are not yet a matter of each body."""
    pipeline, found = model.pipeline, []
    assert isinstance(pipeline, ClipPipeline)
    frames = [20 + row for row in range(rows)]
    with torch.inference_mode(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, '_bodies', lambda decoded, _: found.append(decoded) or [])
        batch = pipeline.asked('generate', ['walk'] * rows)
        options = SamplingOptions(num_inference_steps=2)
        pipeline.draw(batch, pipeline.no_motions(frames), frames, options)
    return found[0]


def test_drawing_motions_waits_for_none_of_them(model: MotionGPT3) -> None:
    one = waits(lambda: drawn(model, 1))
    assert drawn(model, 4).shape == (4, 23, 263)
    many = waits(lambda: drawn(model, 4))
    many.subtract(one)
    assert not +many


def words(
    model: MotionGPT3, rows: int, tokens: int, look_every: int, eos_id: int = -1, **options: object
) -> list[list[int]]:
    network = model.network
    ids = torch.tensor([[2, 7, 3], [5, 1, 9], [4, 4, 8], [1, 2, 3]])[:rows]
    config = DecodingConfig(max_tokens=tokens, **options)  # type: ignore[arg-type]
    banned = network.vocabulary.start_of_motion, network.vocabulary.end_of_motion
    sampling = SamplingOptions(generator=noise_source(4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, 'look_every', lambda device: look_every)
        mask = torch.ones_like(ids).bool()
        return write_text(network, ids, mask, None, config, banned, eos_id, sampling)


def test_words_wait_for_looks_alone(model: MotionGPT3) -> None:
    few = waits(lambda: words(model, 1, 8, look_every=8))
    assert waits(lambda: words(model, 4, 8, look_every=8)) == few
    more = waits(lambda: words(model, 4, 24, look_every=8))
    more.subtract(few)
    assert +more == {'tolist': 2}  # of three looks in place of one
    plain = waits(lambda: words(model, 4, 24, look_every=1))
    assert plain['tolist'] == 24


@pytest.mark.parametrize('sample', [False, True])
def test_what_is_looked_at_seldom_is_what_is_looked_at_always(
    model: MotionGPT3, sample: bool
) -> None:
    without_end = words(model, 4, 11, look_every=1, sample=sample)
    assert {len(row) for row in without_end} == {11}
    for eos in {token for row in without_end for token in row}:
        plain = words(model, 4, 11, 1, eos, sample=sample)
        assert words(model, 4, 11, 4, eos, sample=sample) == plain
        assert plain == [row[: (*row, eos).index(eos)] for row in without_end]


def test_a_model_that_gives_nan_is_seen_at_the_next_look(model: MotionGPT3) -> None:
    broken = tiny_model()
    with torch.no_grad():
        broken.network.backbone.text.ln_f.weight.fill_(torch.nan)
    with pytest.raises(GenerationError, match='NaN'):
        words(broken, 2, 9, look_every=4)


def test_a_device_decides_how_often_it_is_looked_at() -> None:
    assert decoding.look_every(torch.device('cpu')) == 1
    assert decoding.look_every(torch.device('cuda')) == decoding.LOOK_EVERY > 1


@pytest.mark.parametrize('kind', ['mld', 'trunk'])
def test_a_vae_on_another_device_looks_at_lengths_here(kind: str) -> None:
    """On the meta device, which raises where numbers are looked at."""
    if kind == 'mld':
        vae: MotionVae = MldVae(MldConfig(latent_dim=8, ff_width=12, layers=3, heads=2))
    else:
        vae = TrunkVae(TrunkConfig(latent_dim=8, steps=6, width=8, layers=1, heads=2))
    lengths, channels = torch.tensor([12, 7]), vae.latent_shape
    plain = vae.eval().decode(torch.zeros(2, *channels), lengths)
    vae.to('meta')
    with torch.no_grad():
        mean, _ = vae.encode(torch.zeros(2, 12, 263, device='meta'), lengths)
        decoded = vae.decode(torch.zeros(2, *channels, device='meta'), lengths)
    assert mean.shape == (2, *channels)
    assert (decoded.shape, decoded.device.type) == (plain.shape, 'meta')
