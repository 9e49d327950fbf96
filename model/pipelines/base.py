# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the public model's calls are made of, in either form of motion: clips or a stream.

Nodes and evaluation come here for what they alone need: clips that a join will shorten, and what
the model writes about bodies at rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.errors import GenerationError, MotionError
from mgpt3_ros.model.finishing.continuation import Seams
from mgpt3_ros.model.finishing.finish import finish_joined
from mgpt3_ros.model.finishing.joining import Join, joined
from mgpt3_ros.model.finishing.plausible import implausible, slowed_down
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.durations import (
    Duration,
    DurationSource,
    frames_asked,
    stated_duration,
)
from mgpt3_ros.model.language.prompts import clean_text
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motion import Motion, MotionInfo, MotionPart
from mgpt3_ros.model.network import AnyNetwork
from mgpt3_ros.model.pipelines.config import MotionGPT3Config
from mgpt3_ros.model.sampling import SamplingOptions

DurationsAsked = float | Sequence[float | None] | None  # of all texts, or of each
Known = list[Duration | None]  # of each text; None: to be predicted
Start = Motion | np.ndarray | None  # the motion or pose (22, 3) [m] that a body goes on from
NEEDS_STREAM = (
    'this checkpoint draws whole clips from nothing: to go on from a body, load one of the stream '
    'form (network.vae.kind: chunk), as `mgpt3 train --config stream` makes'
)


class Pipeline(ABC):
    """A checkpoint's parts, and the calls of :class:`~mgpt3_ros.model.MotionGPT3` on bare arrays.

    Joints are (T, 22, 3) [m], Y up, at 20 frames per second. All that draws raises
    ``GenerationError`` where the network gives NaN or infinity, and ``Cancelled`` where
    ``sampling.should_stop`` says so.

    Attributes:
        batches: whether a motion with noise of its own is the same in a batch as alone.
    """

    network: AnyNetwork
    batches: ClassVar[bool] = True

    def __init__(
        self,
        config: MotionGPT3Config,
        network: AnyNetwork,
        tokenizer: MotionTokenizer,
        stats: FeatureStats,
    ) -> None:
        self.config, self.network = config, network
        self.tokenizer, self.stats = tokenizer, stats
        self._check_sizes()

    def _check_sizes(self) -> None:  # noqa: B027 - a stream has room for any length
        """Refuse motions that are longer than the network has room for.

        Raises:
            ConfigError: they are.
        """

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    @torch.inference_mode()
    def generate(
        self,
        texts: Sequence[str],
        duration_s: DurationsAsked,
        sampling: SamplingOptions,
        spare_s: Sequence[float] | None = None,
        start: Start = None,
        refuse: bool = True,
    ) -> list[Motion]:
        """A motion for each text; see :meth:`MotionGPT3.generate`.

        Args:
            texts: what they do.
            duration_s: of all, or of each.
            sampling: how they are drawn.
            spare_s: what is drawn beyond a length of each that is asked for or stated, since
                :meth:`MotionGPT3.join` will take it away. Never beyond the longest motion.
            start: what all go on from; None: from nothing, or in the stream form from a stand.
            refuse: whether what no body can do is refused in the end; else the last that was
                drawn is returned, as evaluation wants it, where such a motion counts.

        Raises:
            MotionError: there is a start, and the checkpoint is of the clip form.
            GenerationError: a body cannot do what was drawn, however often it was drawn.
        """
        drawn = self.generate_each(texts, duration_s, sampling, spare_s, start)
        for _, reason in drawn:
            if refuse and reason is not None:
                raise reason
        return [motion for motion, _ in drawn]

    @torch.inference_mode()
    def generate_each(
        self,
        texts: Sequence[str],
        duration_s: DurationsAsked,
        sampling: SamplingOptions,
        spare_s: Sequence[float] | None = None,
        start: Start = None,
    ) -> list[tuple[Motion, GenerationError | None]]:
        """A motion for each text as :meth:`generate` draws them, and why no body can do it.

        With ``sampling.generators`` each is what it would be alone, whatever the others are.
        """
        texts = [clean_text(text) for text in texts]
        if not texts:
            return []
        known = self.known_durations(texts, duration_s, spare_s)
        drawn, lengths = self._draw_texts(texts, known, sampling, start)
        reasons: list[GenerationError | None] = [None] * len(texts)
        if self.config.redraws is not None:
            drawn, reasons = self._possible(texts, drawn, lengths, sampling, start)
        motions = []
        for joints, text, length in zip(drawn, texts, lengths, strict=True):
            info: MotionInfo = {
                'text': text,
                'duration_from': length.source,
                'duration_limited': length.limited,
            }
            motions.append(Motion(joints, FPS, info))
        return list(zip(motions, reasons, strict=True))

    @abstractmethod
    def _draw_texts(
        self, texts: list[str], known: Known, sampling: SamplingOptions, start: Start
    ) -> tuple[list[np.ndarray], list[Duration]]:
        """Joints of each text, with the lengths that were known or are predicted."""

    def _possible(
        self,
        texts: list[str],
        drawn: list[np.ndarray],
        lengths: list[Duration],
        sampling: SamplingOptions,
        start: Start,
    ) -> tuple[list[np.ndarray], list[GenerationError | None]]:
        """What was drawn, slowed down or drawn anew where needed; and why none can still do it."""
        drawn, redraws = [slowed_down(clip) for clip in drawn], self.config.redraws or 0
        left = redraws
        while True:
            reasons = [implausible(clip, text) for clip, text in zip(drawn, texts, strict=True)]
            wrong = [number for number, reason in enumerate(reasons) if reason is not None]
            if not wrong or not left:
                break
            left -= 1
            known: Known = [lengths[number] for number in wrong]
            own = sampling
            if sampling.generators is not None:
                own = replace(sampling, generators=[sampling.generators[n] for n in wrong])
            anew, _ = self._draw_texts([texts[n] for n in wrong], known, own, start)
            for number, joints in zip(wrong, anew, strict=True):
                drawn[number] = slowed_down(joints)
        return drawn, [
            None
            if reason is None
            else GenerationError(
                f'{text!r}: drawn {redraws + 1} times, no body could do it: {reason}; '
                'ask for something that the model knows'
            )
            for text, reason in zip(texts, reasons, strict=True)
        ]

    @abstractmethod
    def sequence(
        self, texts: Sequence[str], duration_s: DurationsAsked, sampling: SamplingOptions
    ) -> tuple[np.ndarray, list[MotionPart]]:
        """Joints of one body that does several things in turn, and where each begins."""

    def join(self, before: np.ndarray, after: np.ndarray) -> tuple[int, np.ndarray]:
        """Let a clip follow on another; see :meth:`MotionGPT3.join`."""
        return self.joined(before, after)[:2]

    def joined(self, before: np.ndarray, after: np.ndarray) -> Join:
        """The same, and where the next clip begins."""
        found = joined(before, after, FPS)
        if not self.config.finishing:
            return found
        return found._replace(joints=finish_joined(found.joints, FPS))

    @abstractmethod
    def predict(
        self, seen: np.ndarray, frames: int, count: int, sampling: SamplingOptions
    ) -> list[tuple[np.ndarray, Seams]]:
        """What follows on a motion, in ``count`` ways, and how far its beginning was off."""

    @abstractmethod
    def inbetween(
        self, before: np.ndarray, after: np.ndarray, frames: int, sampling: SamplingOptions
    ) -> tuple[np.ndarray, Seams]:
        """The gap between two motions, and how far its own ends were off."""

    @abstractmethod
    def caption(
        self,
        motions: Sequence[Motion],
        sample: bool = False,
        sampling: SamplingOptions | None = None,
    ) -> list[str]:
        """What the model writes about motions, also of those that do not move.

        Args:
            motions: what is seen.
            sample: whether words are drawn; else the likeliest are written.
            sampling: its generator draws them; it stops and is told as in drawing.
        """

    def known_durations(
        self,
        texts: Sequence[str],
        duration_s: DurationsAsked,
        spare_s: Sequence[float] | None = None,
    ) -> Known:
        """The duration of each text that is asked for or stated; None where it must be predicted.

        Raises:
            MotionError: a duration is beyond the model, or there are not as many as texts.
        """
        asked, spare = one_each(duration_s, len(texts)), spare_s or [0.0] * len(texts)
        config, known = self.config, Known()
        for text, seconds, beyond_s in zip(texts, asked, spare, strict=True):
            stated, _ = stated_duration(text)
            if seconds is not None:
                frames = frames_asked(seconds, FPS, config.min_frames, config.max_frames)
                found = Duration(frames, 'asked')
            elif stated is not None:
                found = self.limited(stated * FPS, 'text')
            else:
                known.append(None)
                continue
            frames = min(found.frames + round(beyond_s * FPS), config.max_frames)
            known.append(replace(found, frames=frames))
        return known

    def predicted_durations(
        self, known: Known, frames: Sequence[float], source: DurationSource
    ) -> list[Duration]:
        """Fill the gaps among known durations.

        Raises:
            GenerationError: a prediction is no number.
        """
        if not np.isfinite(frames).all():
            raise GenerationError('the model predicted a duration that is not a number')
        return [d or self.limited(f, source) for d, f in zip(known, frames, strict=True)]

    def limited(self, frames: float, source: DurationSource) -> Duration:
        """A duration within what the model can draw."""
        kept = int(min(max(round(frames), self.config.min_frames), self.config.max_frames))
        return Duration(kept, source, limited=kept != round(frames))


def check_finite(drawn: Tensor) -> None:
    """Refuse drawn values that are no numbers.

    Raises:
        GenerationError: there are such.
    """
    if not bool(torch.isfinite(drawn).all()):
        raise GenerationError(
            'the model gave values that are not numbers: the motion is discarded; '
            'the checkpoint may be damaged'
        )


def one_each(duration_s: DurationsAsked, count: int) -> Sequence[float | None]:
    """A duration for each of ``count`` texts.

    Raises:
        MotionError: there are more or fewer, or it is no number and no list.
    """
    if duration_s is None or isinstance(duration_s, int | float | np.number):
        return [duration_s] * count
    if not isinstance(duration_s, list | tuple):
        raise MotionError(
            'duration_s must be a number of seconds or a list with one for each text, not a '
            f'{type(duration_s).__name__}'
        )
    if len(duration_s) != count:
        raise MotionError(
            f'duration_s has {len(duration_s)} durations for {count} texts: give one for each, '
            'or a single one for all'
        )
    return duration_s
