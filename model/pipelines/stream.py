# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The calls of the public model, served by the stream form; see :mod:`mgpt3_ros.model.stream`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.finishing.causal import CausalFinish
from mgpt3_ros.model.finishing.continuation import Seams, bridge
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.durations import Duration, stated_duration
from mgpt3_ros.model.language.prompts import clean_text
from mgpt3_ros.model.language.splitting import means_rest
from mgpt3_ros.model.motion import Motion, MotionPart
from mgpt3_ros.model.network.sequences import prompt_tokens
from mgpt3_ros.model.network.stream_captions import LONGEST_CHUNKS, ChunkReader
from mgpt3_ros.model.network.stream_drawing import ChunkDrawer, ChunkDrawing, Goal
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.model.pipelines.base import (
    DurationsAsked,
    Known,
    Pipeline,
    Start,
    check_finite,
)
from mgpt3_ros.model.sampling import SamplingOptions, or_default

Noise = list[torch.Generator] | None


class StreamPipeline(Pipeline):
    """A network of the stream form with its tokenizer."""

    network: StreamNetwork

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
        finish = CausalFinish(bodies, self.network.rest[-1]) if self.config.finishing else None
        return ChunkDrawer(self.network, drawing, finish)

    def prompts(self, texts: Sequence[str | None]) -> tuple[Tensor, Tensor]:
        """Words (B, N) and the marker that begins motion, padded on the left, and their mask.

        None stands for no words at all, not even the marker.
        """
        ids, mask = prompt_tokens(self.tokenizer, texts, self.config.stream.most_words)
        return ids.to(self.device), mask.to(self.device)

    def start_frames(self, start: Start, bodies: int = 1) -> Tensor:
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

    def _draw_texts(
        self, texts: list[str], known: Known, sampling: SamplingOptions, start: Start
    ) -> tuple[list[np.ndarray], list[Duration]]:
        drawer = self.drawer(len(texts), self.drawing(sampling))
        words = self.prompts([stated_duration(text)[1] for text in texts])
        drawer.start(self.start_frames(start, len(texts)), *words)
        stand(drawer, texts)
        lengths = self._lengths(drawer, known)
        noise = one_source_each(sampling, len(texts))
        drawn = self.draw_frames(drawer, max(d.frames for d in lengths), sampling, noise)
        return [clip[: d.frames] for clip, d in zip(drawn, lengths, strict=True)], lengths

    @torch.inference_mode()
    def sequence(
        self, texts: Sequence[str], duration_s: DurationsAsked, sampling: SamplingOptions
    ) -> tuple[np.ndarray, list[MotionPart]]:
        """One body that is told one thing after the other."""
        texts = [clean_text(text) for text in texts]
        drawer, noise = self.drawer(1, self.drawing(sampling)), one_source_each(sampling, 1)
        clips: list[np.ndarray] = []
        parts: list[MotionPart] = []
        for number, (text, known) in enumerate(
            zip(texts, self.known_durations(texts, duration_s), strict=True)
        ):
            words = self.prompts([stated_duration(text)[1]])
            if number == 0:
                drawer.start(self.start_frames(None), *words)
            else:
                drawer.tell(*words)
            stand(drawer, [text])
            length = self._lengths(drawer, [known])[0]
            begin = sum(map(len, clips))
            parts.append({'text': text, 'start_s': begin / FPS, 'duration_from': length.source})
            # Whole chunks but for the last action: each begins where the one before has ended.
            chunk = self.network.vae.frames
            last = number == len(texts) - 1
            frames = length.frames if last else max(round(length.frames / chunk), 1) * chunk
            clips.append(self.draw_frames(drawer, frames, sampling, noise)[0])
        return np.concatenate(clips), parts

    @torch.inference_mode()
    def predict(
        self, seen: np.ndarray, frames: int, count: int, sampling: SamplingOptions
    ) -> list[tuple[np.ndarray, Seams]]:
        """What follows on a motion, chunk by chunk: nothing has to be set right at the seam."""
        drawer = self.drawer(count, self.drawing(sampling, observed=True))
        words = self.prompts([None] * count)
        drawer.start(self._batch(seen, count), *words, told=False)
        ways = self.draw_frames(drawer, frames, sampling, one_source_each(sampling, count))
        return [(way, {'seam_error_m': 0.0}) for way in ways]

    @torch.inference_mode()
    def inbetween(
        self, before: np.ndarray, after: np.ndarray, frames: int, sampling: SamplingOptions
    ) -> tuple[np.ndarray, Seams]:
        """The gap between two motions, its chunks told where to be in the end, and when."""
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
        sampling: SamplingOptions | None = None,
    ) -> list[str]:
        """What the model writes about the last 6 s of motions, also of those that do not move."""
        decoding = replace(self.config.decoding, sample=sample or self.config.decoding.sample)
        chunk, said = self.network.vae.frames, []
        for motion in motions:
            reader = ChunkReader(self.network, self.tokenizer.eos_id)
            joints = motion.resample(FPS).joints
            kept = 2 + chunk * min((len(joints) - 2) // chunk, LONGEST_CHUNKS)
            reader.read(torch.from_numpy(joints[-kept:].copy()).to(self.device))
            words = reader.words(decoding, sampling)
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
            sampling.check_stop('the motion was cancelled')
            drawn.append(drawer.draw(noise))
            check_finite(drawn[-1])
            if sampling.on_progress is not None:
                sampling.on_progress((number + 1) / chunks)
        return list(torch.cat(drawn, dim=1)[:, :frames].float().cpu().numpy())

    def _lengths(self, drawer: ChunkDrawer, known: Known) -> list[Duration]:
        """Durations of what the bodies were told last."""
        return self.predicted_durations(known, drawer.predicted_frames().tolist(), 'predicted')


def stand(drawer: ChunkDrawer, texts: Sequence[str | None]) -> None:
    """Keep bodies standing where they come to rest whose text asks for nothing else."""
    if isinstance(drawer.finish, CausalFinish):
        drawer.finish.stand(
            [text is None or means_rest(stated_duration(text)[1]) for text in texts]
        )


def one_source_each(sampling: SamplingOptions, bodies: int) -> Noise:
    """A source of noise for each body, so that it moves alike alone and among others."""
    if sampling.generators is not None:
        sources = list(sampling.generators)
    elif sampling.generator is not None:
        sources = [sampling.generator] * bodies
    else:
        return None
    seeds = [
        int(torch.randint(2**62, (1,), generator=source, device=source.device))
        for source in sources
    ]
    return [torch.Generator().manual_seed(seed) for seed in seeds]
