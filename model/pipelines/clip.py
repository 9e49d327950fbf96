# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The calls of the public model, served by the clip form: one latent for a whole motion."""

from __future__ import annotations

import numpy as np
import torch

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.durations import Duration
from mgpt3_ros.model.network.network import MotionGPT3Network, MotionInputs
from mgpt3_ros.model.network.sequences import TokenBatch, build_sequence, collate
from mgpt3_ros.model.pipelines.base import Known
from mgpt3_ros.model.pipelines.tasks import FIRST_PLACE, TASKS
from mgpt3_ros.model.pipelines.whole_clips import WholeClips
from mgpt3_ros.model.sampling import SamplingOptions, draw_noise


class ClipPipeline(WholeClips):
    """A network of the clip form with its tokenizer and statistics."""

    network: MotionGPT3Network

    def _check_sizes(self) -> None:
        longest = self.network.vae.max_frames
        if longest is not None and self.config.max_frames > longest:
            raise ConfigError(
                f'max_frames of the model is {self.config.max_frames}, max_frames of its VAE '
                f'{longest}: set the model to {longest} at most, or take a VAE of longer clips'
            )

    # What is asked

    def _draw_asked(
        self, texts: list[str], known: Known, sampling: SamplingOptions
    ) -> tuple[list[np.ndarray], list[Duration]]:
        batch = self.asked('generate', texts)
        lengths = self._lengths(batch, known)
        frames = [length.frames for length in lengths]
        return self.draw(batch, self.no_motions(frames), frames, sampling), lengths

    def _lengths(self, batch: TokenBatch, known: Known) -> list[Duration]:
        if all(known):
            return [d for d in known if d is not None]
        if not self.config.network.motion_context:
            usual = [self.config.default_duration_s * FPS] * len(known)
            return self.predicted_durations(known, usual, 'default')
        none = self.no_motions([0] * len(known))
        hidden = self.network.hidden(
            batch.ids, batch.mask, none, layout=batch.layout, words_wanted=False
        )
        output = self.network.output_hidden(hidden, batch.ids)
        frames = self.network.predicted_frames(output).tolist()
        return self.predicted_durations(known, frames, 'predicted')

    def _draw_observed(
        self,
        task: str,
        shown: list[np.ndarray],
        placed: list[np.ndarray],
        lengths: list[int],
        sampling: SamplingOptions,
    ) -> list[np.ndarray]:
        # Hypotheses differ by the head's noise alone: what was seen is read once. But where a
        # latent of it is drawn for each.
        rows = len(lengths) if self.config.sample_latents else 1
        motions = self.motions(shown * rows, placed * rows, lengths[:rows], sampling.generator)
        return self.draw(self.asked(task, [''] * rows), motions, lengths, sampling)

    def _read(
        self, shown: list[np.ndarray], placed: list[np.ndarray], generator: torch.Generator | None
    ) -> tuple[TokenBatch, MotionInputs]:
        motions = self.motions(shown, placed, [], generator)
        return self.asked('caption', [''] * len(shown)), motions

    def _read_prompt(
        self, prompt: str, shown: list[np.ndarray]
    ) -> tuple[TokenBatch, MotionInputs | None]:
        network, limit = self.config.network, self.config.network.backbone.n_positions
        most = limit - self.config.decoding.max_tokens
        sequence = build_sequence(self.tokenizer, network.holders, prompt, None, most)
        motions = self.motions(shown, [FIRST_PLACE] * len(shown), []) if shown else None
        return collate([sequence], self.tokenizer.eos_id).to(self.device), motions

    # Parts

    def asked(self, task: str, texts: list[str]) -> TokenBatch:
        """Token batch of a task (see `tasks`), asked once for each text."""
        network = self.config.network
        limit = network.backbone.n_positions
        sequences = self._sequences(task, texts, network.holders, limit)
        if TASKS[task].draws:  # holders do not see what follows them
            sequences = [each.up_to(self.tokenizer.output_holder) for each in sequences]
        return self.network.laid_out(collate(sequences, self.tokenizer.eos_id)).to(self.device)

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
        features, lengths = self.stats.batch(clips)
        latents, logvar = self.network.vae.encode(features.to(self.device), lengths)
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
    ) -> list[np.ndarray]:
        """Joints (T, 22, 3) of each row's output motion as decoded, at the origin, facing +Z.

        Args:
            batch: tokens.
            motions: what the holders hold.
            frames: of each output motion; of several times as many as rows, to draw each row's as
                often.
            sampling: how it is drawn.

        Raises:
            Cancelled: ``sampling.should_stop`` said so.
            GenerationError: the network gave NaN, infinity, or no possible body.
        """
        sampling.check_stop('the motion was cancelled')
        hidden = self.network.hidden(
            batch.ids, batch.mask, motions, layout=batch.layout, words_wanted=False
        )
        output = self.network.output_hidden(hidden, batch.ids)
        output = output.repeat(len(frames) // len(output), 1, 1)
        latents = self.network.head.sample(output, sampling)
        lengths = torch.tensor(frames)  # here, where looking at them does not wait
        decoded = self.network.vae.decode(self.network.unwhiten(latents.float()), lengths)
        return self._bodies(decoded, frames)
