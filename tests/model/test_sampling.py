# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.network.decoding import DecodingConfig
from mgpt3_ros.model.sampling import SamplingKeywords, SamplingOptions, draw_noise, sampling_of
from tests.support.tiny import swinging_motion, tiny_model

ELSEWHERE = torch.device('cuda:1')  # no tensor is ever put there: the stand-ins see the request


@pytest.fixture
def drawn_on(monkeypatch: pytest.MonkeyPatch) -> list[torch.device]:
    """Where a generator of ``ELSEWHERE`` was drawn with: torch's two functions, with its rule.

    torch refuses a generator whose device is not that of the tensor to fill.
    """
    devices: list[torch.device] = []

    def checked(device: Any, generator: Any) -> None:
        if generator is not None and generator.device != device:
            raise RuntimeError(f'expected a {device} generator, but found {generator.device}')
        devices.append(device)

    def randn(*shape: int, generator: Any = None, device: Any = None, **_: Any) -> torch.Tensor:
        checked(torch.device(device or 'cpu'), generator)
        return torch.zeros(*shape)

    def rand(*shape: int, generator: Any = None, device: Any = None) -> torch.Tensor:
        checked(torch.device(device or 'cpu'), generator)
        return torch.full(shape, 0.5)

    to = torch.Tensor.to

    def tensor_to(self: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        if args and args[0] == ELSEWHERE:
            moved = self.clone()
            moved.moved_to = ELSEWHERE  # type: ignore[attr-defined]
            return moved
        return to(self, *args, **options)

    monkeypatch.setattr(torch, 'randn', randn)
    monkeypatch.setattr(torch, 'rand', rand)
    monkeypatch.setattr(torch.Tensor, 'to', tensor_to)
    return devices


OTHER: Any = SimpleNamespace(device=ELSEWHERE)


def test_noise_is_drawn_where_its_generator_is(drawn_on: list[torch.device]) -> None:
    assert draw_noise((2, 3), OTHER, torch.device('cpu')).device.type == 'cpu'
    assert draw_noise((2, 3), None, torch.device('cpu')).shape == (2, 3)
    assert drawn_on == [ELSEWHERE, torch.device('cpu')]


def test_captions_are_sampled_where_their_generator_is(drawn_on: list[torch.device]) -> None:
    model = tiny_model(decoding=DecodingConfig(max_tokens=3))
    drawn_on.clear()
    model.caption(Motion(swinging_motion(1)), sample=True, generator=OTHER)
    assert drawn_on == [ELSEWHERE] * len(drawn_on)
    assert drawn_on


def test_motions_and_sampled_latents_are_drawn_where_their_generator_is(
    drawn_on: list[torch.device],
) -> None:
    model = tiny_model(sample_latents=True)
    drawn_on.clear()
    model.predict(Motion(swinging_motion(1)), 1.0, generator=OTHER)
    assert drawn_on == [ELSEWHERE, ELSEWHERE]  # the observed motion's latent, and the drawn one


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('source', ['cpu', 'cuda'])
def test_a_generator_of_either_device_serves_a_model_on_a_gpu(source: str) -> None:
    model = tiny_model(sample_latents=True)
    model.network.to('cuda')
    motion = Motion(swinging_motion(1))

    def called() -> tuple[str, float]:
        generator = torch.Generator(source).manual_seed(3)
        said = model.caption(motion, sample=True, generator=generator)
        assert isinstance(said, str)
        return said, float(model.predict(motion, 1.0, generator=generator).joints.sum())

    assert called() == called()


def test_the_keywords_are_the_fields() -> None:
    fields = {field.name: field.type for field in dataclasses.fields(SamplingOptions)}
    assert SamplingKeywords.__annotations__.keys() == fields.keys()


def test_keywords_count_before_the_options() -> None:
    options = SamplingOptions(guidance_scale=2.0, num_inference_steps=7)
    found = sampling_of(options, {'guidance_scale': 3.0})
    assert found == SamplingOptions(guidance_scale=3.0, num_inference_steps=7)
    assert options.guidance_scale == 2.0
    assert sampling_of(None, {}) == SamplingOptions()
    with pytest.raises(TypeError, match='guidance'):
        sampling_of(None, {'guidance': 3.0})  # type: ignore[typeddict-unknown-key]


@pytest.mark.parametrize('name', ['guidance_scale', 'temperature'])
@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_numbers_are_finite(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f'{name} must be a finite number'):
        SamplingOptions(**{name: value})
