# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The calls of the public model, served by the clip form: one latent for a whole motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from mgpt3_ros.model.errors import ConfigError, GenerationError, MotionError
from mgpt3_ros.model.finishing.continuation import Seams
from mgpt3_ros.model.finishing.finish import finish
from mgpt3_ros.model.finishing.joining import JOIN_TAKES_S
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.durations import Duration, stated_duration
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motion import Motion, MotionPart
from mgpt3_ros.model.network.decoding import write_text
from mgpt3_ros.model.network.network import MotionGPT3Network, MotionInputs
from mgpt3_ros.model.network.sequences import TokenBatch, build_sequence, collate
from mgpt3_ros.model.pipeline import (
    NEEDS_STREAM,
    DurationsAsked,
    Known,
    MotionGPT3Config,
    Pipeline,
    Start,
    check_finite,
)
from mgpt3_ros.model.sampling import (
    SamplingOptions,
    draw_noise,
    or_default,
)
from mgpt3_ros.model.tasks import (
    FIRST_PLACE,
    gap,
    places,
    prediction,
    window_features,
    wording,
)


class ClipPipeline(Pipeline):
    """A network of the clip form with its tokenizer and statistics."""

    def __init__(
        self,
        config: MotionGPT3Config,
        network: MotionGPT3Network,
        tokenizer: MotionTokenizer,
        stats: FeatureStats,
    ) -> None:
        super().__init__(config, tokenizer, stats)
        longest = network.vae.max_frames
        if longest is not None and config.max_frames > longest:
            raise ConfigError(
                f'max_frames of the model is {config.max_frames}, max_frames of its VAE '
                f'{longest}: set the model to {longest} at most, or take a VAE of longer clips'
            )
        self.network = network

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.network.latent_mean.device

    # What the public calls need

    def _draw_texts(
        self, texts: list[str], known: Known, sampling: SamplingOptions, start: Start
    ) -> tuple[list[np.ndarray], list[Duration]]:
        if start is not None:
            raise MotionError(NEEDS_STREAM)
        # A model that is told durations has never read them; one that is not has only that.
        if self.config.network.motion_context:
            texts = [stated_duration(text)[1] for text in texts]
        batch = self.asked('generate', texts)
        lengths = self._lengths(batch, known)
        frames = [length.frames for length in lengths]
        drawn = self.draw(batch, self.no_motions(frames), frames, sampling)
        return [finish(clip, FPS, corrected=self.config.finishing)[0] for clip in drawn], lengths

    def _lengths(self, batch: TokenBatch, known: Known) -> list[Duration]:
        if all(known):
            return [d for d in known if d is not None]
        if not self.config.network.motion_context:
            usual = [self.config.default_duration_s * FPS] * len(known)
            return self.predicted_durations(known, usual, 'default')
        hidden = self.network.hidden(batch.ids, batch.mask, self.no_motions([0] * len(known)))
        output = self.network.output_hidden(hidden, batch.ids)
        frames = self.network.predicted_frames(output).tolist()
        return self.predicted_durations(known, frames, 'predicted')

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
                start, joints = self.join(whole, clip.joints)
                whole = np.concatenate([whole[:start], joints])
            source = clip.info['duration_from']
            parts.append({'text': words, 'start_s': start / FPS, 'duration_from': source})
        return whole, parts

    @property
    def _most_observed(self) -> int:
        """Frames of a motion that is continued, at most."""
        return round(self.config.max_observed_s * FPS) + 1

    @torch.inference_mode()
    def predict(
        self, seen: np.ndarray, frames: int, count: int, sampling: SamplingOptions
    ) -> list[tuple[np.ndarray, Seams]]:
        """What follows on a motion, drawn as a clip and put behind it."""
        windows = prediction(len(seen), len(seen) + frames, self._most_observed)
        shown = [seen[window] for window in windows.shown]
        # A clip that is too short for the model is drawn longer and cut.
        lengths = [max(windows.num_drawn, self.config.min_frames)] * count
        motions = self.motions(
            window_features(shown) * count, places(shown) * count, lengths, sampling.generator
        )
        asked = self.asked('predict', [''] * count)
        drawn = self.draw(asked, motions, lengths, sampling, observed=True)
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
        lengths = [windows.num_drawn]
        motions = self.motions(window_features(shown), places(shown), lengths, sampling.generator)
        asked = self.asked('inbetween', [''])
        drawn = self.draw(asked, motions, lengths, sampling, observed=True)
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
        inputs = self.motions(clips, [FIRST_PLACE] * len(clips), [], sampling.generator)
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
            sampling,
        )
        return [self.tokenizer.decode(ids).strip() for ids in written]

    # Parts

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
        sampling.check_stop('the motion was cancelled')
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
