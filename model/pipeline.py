# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the calls of the public model share: prompts to tokens, motions to latents, and back.

Nodes and evaluation come here for what they alone need: clips that a join will shorten, and what
the model writes about bodies at rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass, field, replace

import numpy as np
import torch

from mgpt3_ros.model.errors import Cancelled, ConfigError, GenerationError, MotionError
from mgpt3_ros.model.finishing.finish import finish
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.durations import (
    Duration,
    DurationSource,
    frames_asked,
    stated_duration,
)
from mgpt3_ros.model.language.prompts import PromptConfig, clean_text
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motion import Motion, MotionInfo
from mgpt3_ros.model.network.decoding import DecodingConfig, write_text
from mgpt3_ros.model.network.network import MotionGPT3Network, MotionInputs, NetworkConfig
from mgpt3_ros.model.network.sequences import TokenBatch, build_sequence, collate
from mgpt3_ros.model.sampling import (
    OnProgress,
    SamplingOptions,
    ShouldStop,
    draw_noise,
    or_default,
)
from mgpt3_ros.model.tasks import FIRST_PLACE, window_features, wording


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
    finishing: bool = True  # bones, floor, root and feet are set right; else as decoded
    stream: StreamConfig = field(default_factory=StreamConfig)
    foot_lock: InitVar[bool | None] = None  # the name that older files have for it

    def __post_init__(self, foot_lock: bool | None) -> None:
        object.__setattr__(self, 'finishing', self.finishing and foot_lock is not False)


class Pipeline:
    """A network with its tokenizer and statistics."""

    def __init__(
        self,
        config: MotionGPT3Config,
        network: MotionGPT3Network,
        tokenizer: MotionTokenizer,
        stats: FeatureStats,
    ) -> None:
        longest = network.vae.max_frames
        if longest is not None and config.max_frames > longest:
            raise ConfigError(
                f'max_frames of the model is {config.max_frames}, max_frames of its VAE '
                f'{longest}: set the model to {longest} at most, or take a VAE of longer clips'
            )
        self.config, self.network = config, network
        self.tokenizer, self.stats = tokenizer, stats

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.network.latent_mean.device

    @torch.inference_mode()
    def generate(
        self,
        texts: Sequence[str],
        duration_s: float | Sequence[float | None] | None,
        sampling: SamplingOptions,
        spare_s: Sequence[float] | None = None,
    ) -> list[Motion]:
        """A motion for each text; see :meth:`MotionGPT3.generate`.

        Args:
            texts: what they do.
            duration_s: of all, or of each.
            sampling: how they are drawn.
            spare_s: what is drawn beyond a length of each that is asked for or stated, since
                :meth:`MotionGPT3.join` will take it away. Never beyond the longest motion.
        """
        texts = [clean_text(text) for text in texts]
        if not texts:
            return []
        asked = one_each(duration_s, len(texts))
        stated = [stated_duration(text) for text in texts]
        # A model that is told durations has never read them; one that is not has only that.
        told = self.config.network.motion_context
        prompts = [rest if told else text for text, (_, rest) in zip(texts, stated, strict=True)]
        batch = self.asked('generate', prompts)
        found = [
            self._known_duration(seconds, said, beyond)
            for seconds, (said, _), beyond in zip(
                asked, stated, spare_s or [0.0] * len(texts), strict=True
            )
        ]
        lengths = self._predict_durations(batch, found)
        frames = [length.frames for length in lengths]
        drawn = self.draw(batch, self.no_motions(frames), frames, sampling)
        motions = []
        for joints, text, length in zip(drawn, texts, lengths, strict=True):
            info: MotionInfo = {
                'text': text,
                'duration_from': length.source,
                'duration_limited': length.limited,
            }
            joints, _ = finish(joints, FPS, corrected=self.config.finishing)
            motions.append(Motion(joints, FPS, info))
        return motions

    def _known_duration(
        self, asked: float | None, stated: float | None, spare_s: float
    ) -> Duration | None:
        """The duration that is asked for or stated; None where it must be predicted."""
        config = self.config
        if asked is not None:
            frames = frames_asked(asked, FPS, config.min_frames, config.max_frames)
            found = Duration(frames, 'asked')
        elif stated is not None:
            found = self._limited(stated * FPS, 'text')
        else:
            return None
        return replace(found, frames=min(found.frames + round(spare_s * FPS), config.max_frames))

    def _limited(self, frames: float, source: DurationSource) -> Duration:
        kept = int(min(max(round(frames), self.config.min_frames), self.config.max_frames))
        return Duration(kept, source, limited=kept != round(frames))

    def _predict_durations(
        self, batch: TokenBatch, durations: list[Duration | None]
    ) -> list[Duration]:
        if all(durations):
            return [d for d in durations if d is not None]
        source: DurationSource = 'default'
        if not self.config.network.motion_context:
            frames = [self.config.default_duration_s * FPS] * len(durations)
        else:
            hidden = self.network.hidden(
                batch.ids, batch.mask, self.no_motions([0] * len(durations))
            )
            output = self.network.output_hidden(hidden, batch.ids)
            frames, source = self.network.predicted_frames(output).tolist(), 'predicted'
            if not np.isfinite(frames).all():
                raise GenerationError('the model predicted a duration that is not a number')
        return [d or self._limited(f, source) for d, f in zip(durations, frames, strict=True)]

    @torch.inference_mode()
    def caption(
        self,
        motions: Sequence[Motion],
        sample: bool = False,
        generator: torch.Generator | None = None,
        should_stop: ShouldStop | None = None,
        on_progress: OnProgress | None = None,
    ) -> list[str]:
        """What the model writes about motions, also of those that do not move."""
        if not motions:
            return []
        limit = self.config.max_frames + 1
        clips = window_features([motion.resample(FPS).joints[-limit:] for motion in motions])
        inputs = self.motions(clips, [FIRST_PLACE] * len(clips), [], generator)
        batch = self.asked('caption', [''] * len(clips))
        decoding = self.config.decoding
        if sample:
            decoding = replace(decoding, sample=True)
        written = write_text(
            self.network,
            batch.ids,
            batch.mask,
            inputs,
            decoding,
            (self.tokenizer.start_of_motion, self.tokenizer.end_of_motion),
            self.tokenizer.eos_id,
            generator,
            should_stop,
            on_progress,
        )
        return [self.tokenizer.decode(ids).strip() for ids in written]

    def asked(self, task: str, texts: list[str]) -> TokenBatch:
        """Token batch of a task (see `tasks`), asked once for each text."""
        words = [wording(task, self.config.prompts, text) for text in texts]
        return self.tokens([prompt for prompt, _ in words], words[0][1])

    def tokens(self, prompts: list[str], answer: str | None) -> TokenBatch:
        """Token batch of prompts with an answer; without one it leaves room for a caption."""
        limit = self.config.network.backbone.n_positions
        if answer is None:
            limit -= self.config.decoding.max_tokens
        holders = self.config.network.holders
        sequences = [build_sequence(self.tokenizer, holders, p, answer, limit) for p in prompts]
        return collate(sequences, self.tokenizer.eos_id).to(self.device)

    def no_motions(self, output_frames: list[int]) -> MotionInputs:
        """No input motions; frames of the output motions, 0 where the model is not told."""
        return MotionInputs(
            torch.zeros(0, *self.network.vae.latent_shape),
            torch.zeros(0),
            torch.zeros(0, 4),
            torch.tensor(output_frames, dtype=torch.float32),
        ).to(self.device)

    def motions(
        self,
        clips: list[np.ndarray],
        places: list[np.ndarray],
        output_frames: list[int],
        generator: torch.Generator | None = None,
    ) -> MotionInputs:
        """Input motions of a batch, in reading order.

        Args:
            clips: P arrays of features (T, 263), not normalised.
            places: P arrays (4,): where each begins, see ``network.MotionInputs``.
            output_frames: frames of the Q output motions.
            generator: of the samples, where the checkpoint's ``sample_latents`` asks for them.
        """
        features, lengths = (part.to(self.device) for part in self.stats.batch(clips))
        latents, logvar = self.network.vae.encode(features, lengths)
        if self.config.sample_latents:
            noise = draw_noise(latents.shape, generator, self.device)
            latents = latents + noise * torch.exp(0.5 * logvar)
        return MotionInputs(
            self.network.whiten(latents),
            lengths.float(),
            torch.from_numpy(np.array(places, dtype=np.float32)),
            torch.tensor(output_frames, dtype=torch.float32),
        ).to(self.device)

    def draw(
        self,
        batch: TokenBatch,
        motions: MotionInputs,
        frames: list[int],
        sampling: SamplingOptions,
        observed: bool = False,
    ) -> list[np.ndarray]:
        """Joints (T, 22, 3) of each row's output motion as decoded, at the origin, facing +Z.

        Args:
            batch: tokens.
            motions: what the holders hold.
            frames: of each output motion.
            sampling: how it is drawn.
            observed: whether observed motion decides it, as the configuration says.

        Raises:
            Cancelled: ``sampling.should_stop`` said so.
            GenerationError: the network gave NaN, infinity, or no possible body.
        """
        if sampling.should_stop is not None and sampling.should_stop():
            raise Cancelled('the motion was cancelled')
        hidden = self.network.hidden(batch.ids, batch.mask, motions)
        if observed:
            config = self.config
            sampling = replace(
                sampling,
                guidance_scale=or_default(sampling.guidance_scale, config.observed_guidance_scale),
                temperature=or_default(sampling.temperature, config.observed_temperature),
            )
        latents = self.network.head.sample(self.network.output_hidden(hidden, batch.ids), sampling)
        lengths = torch.tensor(frames, device=self.device)
        decoded = self.network.vae.decode(self.network.unwhiten(latents.float()), lengths)
        if not bool(torch.isfinite(decoded).all()):
            raise GenerationError(
                'the model gave values that are not numbers: the motion is discarded; '
                'the checkpoint may be damaged'
            )
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


def one_each(
    duration_s: float | Sequence[float | None] | None, count: int
) -> Sequence[float | None]:
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
