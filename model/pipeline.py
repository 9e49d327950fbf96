# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the calls of the public model share: prompts to tokens, motions to latents, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from mgpt3_ros.model.errors import Cancelled, GenerationError, MotionError
from mgpt3_ros.model.finishing.body_fit import fit_body
from mgpt3_ros.model.finishing.foot_lock import lock_feet
from mgpt3_ros.model.finishing.foot_slip import steady_root
from mgpt3_ros.model.finishing.grounding import put_on_floor
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.prompts import PromptConfig
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.network.decoding import DecodingConfig
from mgpt3_ros.model.network.network import MotionGPT3Network, MotionInputs, NetworkConfig
from mgpt3_ros.model.network.sequences import TokenBatch, build_sequence, collate

ShouldStop = Callable[[], bool]
OnProgress = Callable[[float], None]
FIRST_PLACE = (0.0, 0.0, 0.0, 1.0)  # of a motion that follows no other: dx, dz, sin, cos


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
    foot_lock: bool = True


@dataclass(frozen=True)
class DrawOptions:
    """How the head draws; None leaves a number to the checkpoint."""

    guidance_scale: float | None = None
    num_inference_steps: int | None = None
    generator: torch.Generator | None = None
    should_stop: ShouldStop | None = None
    on_progress: OnProgress | None = None


class Pipeline:
    """A network with its tokenizer and statistics."""

    def __init__(
        self,
        config: MotionGPT3Config,
        network: MotionGPT3Network,
        tokenizer: MotionTokenizer,
        stats: FeatureStats,
    ) -> None:
        self.config, self.network = config, network
        self.tokenizer, self.stats = tokenizer, stats

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.network.latent_mean.device

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
        lengths = torch.tensor([len(clip) for clip in clips])
        padded = np.zeros((len(clips), int(lengths.max()), 263), dtype=np.float32)
        for row, clip in zip(padded, clips, strict=True):
            row[: len(clip)] = self.stats.normalise(clip)
        latents, logvar = self.network.vae.encode(
            torch.from_numpy(padded).to(self.device), lengths.to(self.device)
        )
        if self.config.sample_latents:
            noise = torch.randn(latents.shape, generator=generator).to(latents)
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
        options: DrawOptions,
        observed: bool = False,
    ) -> list[np.ndarray]:
        """Joints (T, 22, 3) of each row's output motion, at the origin, facing +Z.

        Args:
            batch: tokens.
            motions: what the holders hold.
            frames: of each output motion.
            options: how it is drawn.
            observed: whether observed motion decides it, as the configuration says.

        Raises:
            Cancelled: ``options.should_stop`` said so.
            GenerationError: the network gave NaN, infinity, or no possible body.
        """
        if options.should_stop is not None and options.should_stop():
            raise Cancelled('the motion was cancelled')
        hidden = self.network.hidden(batch.ids, batch.mask, motions)
        guidance, temperature = options.guidance_scale, None
        if observed:
            temperature = self.config.observed_temperature
            guidance = self.config.observed_guidance_scale if guidance is None else guidance
        latents = self.network.head.sample(
            self.network.output_hidden(hidden, batch.ids),
            options.num_inference_steps,
            guidance,
            options.generator,
            options.should_stop,
            options.on_progress,
            temperature,
        )
        lengths = torch.tensor(frames, device=self.device)
        decoded = self.network.vae.decode(self.network.unwhiten(latents.float()), lengths)
        if not bool(torch.isfinite(decoded).all()):
            raise GenerationError(
                'the model gave values that are not numbers: the motion is discarded; '
                'the checkpoint may be damaged'
            )
        features = self.stats.denormalise(decoded.float().cpu().numpy())
        try:
            drawn = [
                Motion.from_features(rows[:count]).joints
                for rows, count in zip(features, frames, strict=True)
            ]
        except MotionError as error:
            raise GenerationError(
                f'the model drew no body ({error}): the motion is discarded; '
                'the checkpoint may be damaged or hardly trained'
            ) from error
        # Decoded bones stretch by centimetres; on a body of fixed bones joint angles are exact.
        if not self.config.foot_lock:
            return drawn
        return [steady_root(put_on_floor(fit_body(joints), FPS), FPS) for joints in drawn]

    def locked(self, joints: np.ndarray, **held: bool) -> np.ndarray:
        """Keep planted feet planted, where the checkpoint asks for it."""
        return lock_feet(joints, FPS, **held) if self.config.foot_lock else joints

    def following(self, joints: np.ndarray) -> np.ndarray:
        """A blended clip (T, 22, 3) on the body's bones with planted feet; frame 0 stays."""
        if self.config.foot_lock:
            joints = np.concatenate([joints[:1], fit_body(joints)[1:]])
        return self.locked(joints, hold_first=True)


def feature_rows(motion: Motion, max_frames: int, head: bool = False) -> np.ndarray:
    """The last (or first) ``max_frames`` feature rows of a motion at the model's rate."""
    features = motion.resample(FPS).features()
    return features[:max_frames] if head else features[-max_frames:]
