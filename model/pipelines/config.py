# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's configuration: its network, and how it is asked and drawn from."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field

from mgpt3_ros.model.language.pretrained import LanguageModelConfig
from mgpt3_ros.model.language.prompts import PromptConfig
from mgpt3_ros.model.network.decoding import DecodingConfig
from mgpt3_ros.model.network.network import NetworkConfig


@dataclass(frozen=True)
class StreamConfig:
    """How a checkpoint of the stream form draws; others do not look at it.

    guidance_scale, guidance_rescale, temperature: see ``stream_drawing.ChunkDrawing``.
    rest_text: what a body is told that shall come to rest.
    most_words: tokens of a text that are read; training never showed more.
    """

    guidance_scale: float = 2.0
    guidance_rescale: float = 0.5
    temperature: float = 1.0
    rest_text: str = 'a person stands still.'
    most_words: int = 40


@dataclass(frozen=True)
class MotionGPT3Config:
    """A checkpoint's whole configuration, as ``config.json`` holds it."""

    network: NetworkConfig
    name: str = 'untitled'
    licence: str = 'unstated'
    prompts: PromptConfig = field(default_factory=PromptConfig)
    decoding: DecodingConfig = field(default_factory=DecodingConfig)
    min_frames: int = 10
    max_frames: int = 196
    default_duration_s: float = 4.0
    sample_latents: bool = (
        False  # input motions by a sample of the VAE, as the authors; else its mean
    )
    inbetween_whole: bool = False  # an in-between is drawn with both motions around it (authors)
    # How predictions and in-betweens are drawn, which observed motion decides; None: as the head.
    observed_guidance_scale: float | None = None
    observed_temperature: float | None = None
    max_observed_s: float = 6.0  # of a motion that is continued, the last seconds are looked at
    # How often a body that cannot be (``finishing.plausible``) is drawn again before it is
    # refused; None: what comes out is not looked at.
    redraws: int | None = None
    finishing: bool = True  # bones, floor, root and feet are set right; else as decoded
    stream: StreamConfig = field(default_factory=StreamConfig)
    language_model: LanguageModelConfig | None = None  # whose weights stay where they are
    foot_lock: InitVar[bool | None] = None  # the name that older files have for it

    def __post_init__(self, foot_lock: bool | None) -> None:
        object.__setattr__(self, 'finishing', self.finishing and foot_lock is not False)
