# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The calls of the public model, served by the stream form; see :mod:`mgpt3_ros.model.stream`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.errors import Cancelled, GenerationError, MotionError
from mgpt3_ros.model.finishing.causal import CausalFinish
from mgpt3_ros.model.finishing.continuation import Seams, bridge
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.durations import Duration, stated_duration
from mgpt3_ros.model.language.prompts import clean_text
from mgpt3_ros.model.motion import Motion, MotionInfo, MotionPart
from mgpt3_ros.model.network.sequences import prompt_tokens
from mgpt3_ros.model.network.stream_captions import LONGEST_CHUNKS, ChunkReader
from mgpt3_ros.model.network.stream_drawing import ChunkDrawer, ChunkDrawing, Goal
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.model.pipeline import Pipeline, one_each
from mgpt3_ros.model.sampling import OnProgress, SamplingOptions, ShouldStop, or_default

Noise = list[torch.Generator] | None


class StreamPipeline(Pipeline):
    """A network of the stream form with its tokenizer."""

    network: StreamNetwork  # type: ignore[assignment]

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.network.rest.device

    def drawing(self, sampling: SamplingOptions, observed: bool = False) -> ChunkDrawing:
        """How chunks are drawn: as asked, else as the checkpoint says.

        ``observed``: what was observed decides, and no words do.
        """
        usual = self.config.stream
        scale, warmth = usual.guidance_scale, usual.temperature
        if observed:
            scale = or_default(self.config.observed_guidance_scale, 1.0)
            warmth = or_default(self.config.observed_temperature, warmth)
        return ChunkDrawing(
            or_default(sampling.guidance_scale, scale),
            usual.guidance_rescale,
            or_default(sampling.temperature, warmth),
            or_default(sampling.num_inference_steps, self.network.config.head.num_inference_steps),
        )

    def drawer(self, bodies: int, drawing: ChunkDrawing) -> ChunkDrawer:
        """A drawer of some bodies, with causal finishing where the checkpoint asks for it."""
        finish = CausalFinish(bodies) if self.config.finishing else None
        return ChunkDrawer(self.network, drawing, finish)

    def prompts(self, texts: Sequence[str | None]) -> tuple[Tensor, Tensor]:
        """Words (B, N) and the marker that begins motion, padded on the left, and their mask.

        None stands for no words at all, not even the marker.
        """
        ids, mask = prompt_tokens(self.tokenizer, texts, self.config.stream.most_words)
        return ids.to(self.device), mask.to(self.device)

    def start_frames(self, start: Motion | np.ndarray | None, bodies: int = 1) -> Tensor:
        """Frames (B, T, 22, 3) that ``bodies`` alike go on from: a motion, a pose, or rest.

        Raises:
            MotionError: a pose is not (22, 3).
        """
        if start is None:
            return self.network.rest[None].expand(bodies, -1, -1, -1)
        if isinstance(start, Motion):
            frames = start.resample(FPS, keep='last').joints
        else:
            pose = np.asarray(start, dtype=np.float32)
            if pose.shape != (22, 3) or not np.isfinite(pose).all():
                raise MotionError(
                    f'start must be a Motion or a pose (22, 3) [m], not {pose.shape}'
                )
            frames = np.stack([pose, pose])
        return self._batch(frames, bodies)

    def _batch(self, frames: np.ndarray, bodies: int = 1) -> Tensor:
        return torch.tensor(frames, device=self.device)[None].expand(bodies, -1, -1, -1)

    # What the public calls need

    @torch.inference_mode()
    def generate(
        self,
        texts: Sequence[str],
        duration_s: float | Sequence[float | None] | None,
        sampling: SamplingOptions,
        spare_s: Sequence[float] | None = None,
        start: Motion | np.ndarray | None = None,
    ) -> list[Motion]:
        """A motion for each text, from ``start`` or from rest; see ``MotionGPT3.generate``."""
        texts = [clean_text(text) for text in texts]
        if not texts:
            return []
        drawer = self.drawer(len(texts), self.drawing(sampling))
        prompts = [stated_duration(text)[1] for text in texts]
        drawer.start(self.start_frames(start, len(texts)), *self.prompts(prompts))
        lengths = self._lengths(drawer, texts, duration_s, spare_s)
        frames = max(length.frames for length in lengths)
        drawn = self.draw_frames(drawer, frames, sampling, one_source_each(sampling, len(texts)))
        motions = []
        for joints, text, length in zip(drawn, texts, lengths, strict=True):
            info: MotionInfo = {
                'text': text,
                'duration_from': length.source,
                'duration_limited': length.limited,
            }
            motions.append(Motion(joints[: length.frames], FPS, info))
        return motions

    @torch.inference_mode()
    def sequence(
        self,
        texts: Sequence[str],
        duration_s: float | Sequence[float | None] | None,
        sampling: SamplingOptions,
        start: Motion | np.ndarray | None = None,
    ) -> Motion:
        """One body that does several things in turn; see ``MotionGPT3.generate_sequence``."""
        texts = [clean_text(text) for text in texts]
        drawer, noise = self.drawer(1, self.drawing(sampling)), one_source_each(sampling, 1)
        clips: list[np.ndarray] = []
        parts: list[MotionPart] = []
        for number, (text, asked) in enumerate(
            zip(texts, one_each(duration_s, len(texts)), strict=True)
        ):
            words = self.prompts([stated_duration(text)[1]])
            if number == 0:
                drawer.start(self.start_frames(start), *words)
            else:
                drawer.tell(*words)
            length = self._lengths(drawer, [text], [asked], None)[0]
            begin = sum(map(len, clips))
            parts.append({'text': text, 'start_s': begin / FPS, 'duration_from': length.source})
            # Whole chunks but for the last action: each begins where the one before has ended.
            chunk = self.network.vae.frames
            last = number == len(texts) - 1
            frames = length.frames if last else max(round(length.frames / chunk), 1) * chunk
            clips.append(self.draw_frames(drawer, frames, sampling, noise)[0])
        return Motion(np.concatenate(clips), FPS, {'text': ', then '.join(texts), 'parts': parts})

    @torch.inference_mode()
    def predict(
        self, seen: np.ndarray, frames: int, count: int, sampling: SamplingOptions
    ) -> list[np.ndarray]:
        """What follows on a motion (T, 22, 3), in ``count`` ways."""
        drawer = self.drawer(count, self.drawing(sampling, observed=True))
        words = self.prompts([None] * count)
        drawer.start(self._batch(seen, count), *words, told=False)
        return self.draw_frames(drawer, frames, sampling, one_source_each(sampling, count))

    @torch.inference_mode()
    def inbetween(
        self, before: np.ndarray, after: np.ndarray, frames: int, sampling: SamplingOptions
    ) -> tuple[np.ndarray, Seams]:
        """The gap between two motions (T, 22, 3), and how far its own ends were off."""
        drawer = self.drawer(1, self.drawing(sampling, observed=True))
        drawer.goal = Goal(self._batch(after[:2]), frames + 1)
        drawer.start(self._batch(before), *self.prompts([None]), told=False)
        drawn = self.draw_frames(drawer, frames + 1, sampling, one_source_each(sampling, 1))[0]
        return bridge(before, np.concatenate([before[-1:], drawn]), after, FPS)

    @torch.inference_mode()
    def caption(
        self,
        motions: Sequence[Motion],
        sample: bool = False,
        generator: torch.Generator | None = None,
        should_stop: ShouldStop | None = None,
        on_progress: OnProgress | None = None,
    ) -> list[str]:
        """What the model writes about the last 6 s of motions, also of those that do not move."""
        decoding = replace(self.config.decoding, sample=sample or self.config.decoding.sample)
        chunk, said = self.network.vae.frames, []
        for motion in motions:
            reader = ChunkReader(self.network, self.tokenizer.eos_id)
            joints = motion.resample(FPS).joints
            kept = 2 + chunk * min((len(joints) - 2) // chunk, LONGEST_CHUNKS)
            reader.read(torch.from_numpy(joints[-kept:].copy()).to(self.device))
            words = reader.words(decoding, generator, should_stop, on_progress)
            said.append(self.tokenizer.decode(words).strip())
        return said

    def draw_frames(
        self, drawer: ChunkDrawer, frames: int, sampling: SamplingOptions, noise: Noise
    ) -> list[np.ndarray]:
        """Draw ``frames`` of each body (T, 22, 3), chunk by chunk.

        Raises:
            Cancelled: ``sampling.should_stop`` said so.
            GenerationError: the network gave NaN or infinity.
        """
        drawn: list[Tensor] = []
        chunks = -(-frames // self.network.vae.frames)
        for number in range(chunks):
            if sampling.should_stop is not None and sampling.should_stop():
                raise Cancelled('the motion was cancelled')
            drawn.append(drawer.draw(noise))
            check_finite(drawn[-1])
            if sampling.on_progress is not None:
                sampling.on_progress((number + 1) / chunks)
        return list(torch.cat(drawn, dim=1)[:, :frames].float().cpu().numpy())

    def _lengths(
        self,
        drawer: ChunkDrawer,
        texts: Sequence[str],
        duration_s: float | Sequence[float | None] | None,
        spare_s: Sequence[float] | None,
    ) -> list[Duration]:
        """Durations that were asked for, stated in the texts, or are predicted."""
        predicted = drawer.predicted_frames().tolist()
        if not np.isfinite(predicted).all():
            raise GenerationError('the model predicted a duration that is not a number')
        asked, spare = one_each(duration_s, len(texts)), spare_s or [0.0] * len(texts)
        found = []
        for text, seconds, beyond, frames in zip(texts, asked, spare, predicted, strict=True):
            known = self._known_duration(seconds, stated_duration(text)[0], beyond)
            found.append(known or self._limited(frames, 'predicted'))
        return found


def check_finite(frames: Tensor) -> None:
    """Refuse drawn frames with values that are no numbers.

    Raises:
        GenerationError: there are such.
    """
    if not bool(torch.isfinite(frames).all()):
        raise GenerationError(
            'the model gave values that are not numbers: the motion is discarded; '
            'the checkpoint may be damaged'
        )


def one_source_each(sampling: SamplingOptions, bodies: int) -> Noise:
    """A source of noise for each body, so that it moves alike alone and among others."""
    if sampling.generator is None:
        return None
    source = sampling.generator
    seeds = [
        int(torch.randint(2**62, (1,), generator=source, device=source.device))
        for _ in range(bodies)
    ]
    return [torch.Generator().manual_seed(seed) for seed in seeds]
