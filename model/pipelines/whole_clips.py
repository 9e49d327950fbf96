# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The calls of the public model for networks that draw a motion as a whole.

A motion is one latent in the clip form, a string of codes in the paper's discrete baseline. What
is asked, which frames are shown, and what becomes of a clip that was drawn is the same.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.errors import GenerationError, MotionError
from mgpt3_ros.model.finishing.continuation import Seams
from mgpt3_ros.model.finishing.finish import finish, finish_all
from mgpt3_ros.model.finishing.joining import JOIN_TAKES_S
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.durations import Duration, stated_duration
from mgpt3_ros.model.motion import Motion, MotionPart
from mgpt3_ros.model.network.code_network import CodeNetwork
from mgpt3_ros.model.network.decoding import DecodingConfig, write_text
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.model.network.sequences import TokenBatch, TokenSequence, build_sequence
from mgpt3_ros.model.pipelines.base import (
    NEEDS_STREAM,
    DurationsAsked,
    Known,
    Pipeline,
    Start,
    check_finite,
)
from mgpt3_ros.model.pipelines.tasks import (
    FIRST_PLACE,
    gap,
    places,
    prediction,
    window_features,
    wording,
)
from mgpt3_ros.model.sampling import SamplingOptions, or_default


class WholeClips(Pipeline):
    """A network that draws whole clips, with its tokenizer and statistics.

    What is shown is a list of features (T, 263), not normalised, with the place of each (see
    ``network.MotionInputs``), in reading order over all rows of a batch.
    """

    network: MotionGPT3Network | CodeNetwork

    # What a network does in its own way

    @abstractmethod
    def _draw_asked(
        self, texts: list[str], known: Known, sampling: SamplingOptions
    ) -> tuple[list[np.ndarray], list[Duration]]:
        """Joints of each text as decoded, with the lengths that were known or are predicted."""

    @abstractmethod
    def _draw_observed(
        self,
        task: str,
        shown: list[np.ndarray],
        placed: list[np.ndarray],
        lengths: list[int],
        sampling: SamplingOptions,
    ) -> list[np.ndarray]:
        """Joints as decoded of motions that what is shown decides, of so many frames each.

        They are drawn as often as there are ``lengths``, all from what is shown once.
        """

    @abstractmethod
    def _read(
        self, shown: list[np.ndarray], placed: list[np.ndarray], generator: torch.Generator | None
    ) -> tuple[TokenBatch, Any]:
        """Prompts for a caption of each motion, and the motions as the network takes them."""

    # What the public calls need

    def _draw_texts(
        self, texts: list[str], known: Known, sampling: SamplingOptions, start: Start
    ) -> tuple[list[np.ndarray], list[Duration]]:
        if start is not None:
            raise MotionError(NEEDS_STREAM)
        # A model that is told durations has never read them; one that is not has only that.
        # Codes need no telling: as many are drawn.
        if self.config.network.motion_context or isinstance(self.network, CodeNetwork):
            texts = [stated_duration(text)[1] for text in texts]
        drawn, lengths = self._draw_asked(texts, known, sampling)
        return finish_all(drawn, FPS, self.config.finishing), lengths

    def sequence(
        self, texts: Sequence[str], duration_s: DurationsAsked, sampling: SamplingOptions
    ) -> tuple[np.ndarray, list[MotionPart]]:
        """Clips of several actions, joined, and where each begins."""
        spare = [JOIN_TAKES_S] * (len(texts) - 1) + [0.0]
        clips = self.generate(texts, duration_s, sampling, spare)
        whole = clips[0].joints
        parts: list[MotionPart] = []
        for number, (clip, words) in enumerate(zip(clips, texts, strict=True)):
            start = 0
            if number:
                cut, joints, entered = self.joined(whole, clip.joints)
                whole, start = np.concatenate([whole[:cut], joints]), cut + entered
            source = clip.info['duration_from']
            parts.append({'text': words, 'start_s': start / FPS, 'duration_from': source})
        return whole, parts

    @property
    def _most_observed(self) -> int:
        """Frames of a motion that is continued, at most."""
        return round(self.config.max_observed_s * FPS) + 1

    def _observed(self, sampling: SamplingOptions) -> SamplingOptions:
        """How motions are drawn that what was observed decides."""
        config = self.config
        return replace(
            sampling,
            guidance_scale=or_default(sampling.guidance_scale, config.observed_guidance_scale),
            temperature=or_default(sampling.temperature, config.observed_temperature),
        )

    @torch.inference_mode()
    def predict(
        self, seen: np.ndarray, frames: int, count: int, sampling: SamplingOptions
    ) -> list[tuple[np.ndarray, Seams]]:
        """What follows on a motion, drawn as a clip and put behind it."""
        windows = prediction(len(seen), len(seen) + frames, self._most_observed)
        shown = [seen[window] for window in windows.shown]
        # A clip that is too short for the model is drawn longer and cut.
        lengths = [max(windows.num_drawn, self.config.min_frames)] * count
        drawn = self._draw_observed(
            *('predict', window_features(shown), places(shown)),
            *(lengths, self._observed(sampling)),
        )
        corrected = self.config.finishing
        return [finish(clip, FPS, seen, frames=frames, corrected=corrected) for clip in drawn]

    @torch.inference_mode()
    def inbetween(
        self, before: np.ndarray, after: np.ndarray, frames: int, sampling: SamplingOptions
    ) -> tuple[np.ndarray, Seams]:
        """The gap between two motions, drawn as a clip, or as a part of one that holds both."""
        whole, most = self.config.inbetween_whole, self._most_observed
        if whole:
            most = max(min(most, (self.config.max_frames - frames) // 2 + 1), 2)
        begin, stop = len(before), len(before) + frames
        windows = gap(begin, stop, stop + len(after), most, whole)
        shown = [before[windows.shown[0]], after[: windows.shown[1].stop - stop]]
        drawn = self._draw_observed(
            *('inbetween', window_features(shown), places(shown)),
            *([windows.num_drawn], self._observed(sampling)),
        )
        first = begin - 1 - windows.drawn.start
        return finish(drawn[0], FPS, before, after, first, frames, self.config.finishing)

    @torch.inference_mode()
    def caption(
        self,
        motions: Sequence[Motion],
        sample: bool = False,
        sampling: SamplingOptions | None = None,
    ) -> list[str]:
        """What the model writes about motions, also of those that do not move."""
        if not motions:
            return []
        limit = self.config.max_frames + 1
        clips = window_features([motion.resample(FPS).joints[-limit:] for motion in motions])
        sampling = sampling or SamplingOptions()
        batch, inputs = self._read(clips, [FIRST_PLACE] * len(clips), sampling.generator)
        decoding = self.config.decoding
        if sample:
            decoding = replace(decoding, sample=True)
        written = self._written(batch, inputs, decoding, sampling)
        return [self.tokenizer.decode(ids).strip() for ids in written]

    @torch.inference_mode()
    def respond(self, prompt: str, motions: Sequence[Motion]) -> str:
        """What the model writes to a prompt in which each ``MOTION`` is one of the motions."""
        limit = self.config.max_frames + 1
        clips = window_features([motion.resample(FPS).joints[-limit:] for motion in motions])
        batch, inputs = self._read_prompt(prompt, clips)
        (written,) = self._written(batch, inputs, self.config.decoding)
        return self.tokenizer.decode(written).strip()

    # Parts

    @abstractmethod
    def _read_prompt(self, prompt: str, shown: list[np.ndarray]) -> tuple[TokenBatch, Any]:
        """A prompt with what is shown in it, and the motions as the network takes them."""

    def _written(
        self,
        batch: TokenBatch,
        inputs: Any,
        decoding: DecodingConfig,
        sampling: SamplingOptions | None = None,
    ) -> list[list[int]]:
        markers = self.tokenizer.start_of_motion, self.tokenizer.end_of_motion
        return write_text(
            *(self.network, batch.ids, batch.mask, inputs, decoding, markers),
            *(self.tokenizer.eos_id, sampling),
        )

    def _sequences(
        self, task: str, texts: list[str], holders: int, most: int
    ) -> list[TokenSequence]:
        """Tokens of a task (see `tasks`), asked once for each text, ``most`` at most.

        A caption finds room behind its prompt.
        """
        words = [wording(task, self.config.prompts, text) for text in texts]
        if words[0][1] is None:
            most -= self.config.decoding.max_tokens
        return [build_sequence(self.tokenizer, holders, *pair, most) for pair in words]

    def _bodies(self, decoded: Tensor, frames: list[int]) -> list[np.ndarray]:
        """Joints (T, 22, 3) of normalised features (B, T, 263), at the origin, facing +Z.

        Raises:
            GenerationError: they are NaN, infinite, or no possible body.
        """
        check_finite(decoded)
        features = self.stats.denormalise(decoded.float().cpu().numpy())
        try:
            return [
                Motion.from_features(rows[:count]).joints
                for rows, count in zip(features, frames, strict=True)
            ]
        except MotionError as error:
            raise GenerationError(
                f'the model drew no body ({error}): the motion is discarded; '
                'the checkpoint may be damaged or hardly trained'
            ) from error
