# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A codec of chunks: 0.4 s of motion as one latent, decoded from the two frames before it.

What is coded is how each joint moves on from the last frame, in the frame on the floor under that
last frame: so what is decoded goes on from any body, wherever it stands, without a jump, and needs
no frame that is yet to come. Weighted principal components hold that to a few millimetres; there
is nothing to learn by gradients.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mgpt3_ros.model.kinematics.ground_frame import GroundFrame, bone_lengths, with_bones
from mgpt3_ros.model.kinematics.skeleton import FOOT_JOINTS, FPS, JOINT_NAMES
from mgpt3_ros.model.network.vae.base import CausalCodec

POSE_CHANNELS = 2 * 22 * 3  # positions [m] and velocities [m/s] in the frame under the body
# Heights are told twice: beside the pose on a scale on which the 2 cm of a sinking foot are much.
FLOOR_SCALE = 0.03  # [m]: tanh((height - that when standing) / 0.03)
STANDING_HEIGHTS = (0.0, 0.09, 0.01, 0.09, 0.01)  # [m] of the lowest joint, then of FOOT_JOINTS
SLIP_SCALE = 0.3  # [m/s]: tanh(level speed / 0.3); a planted foot is slower, a swinging one faster
FLOOR_CHANNELS = 1 + 2 * len(FOOT_JOINTS)
LARGEST_STATE = 6.0  # deviations; a fast kick has a velocity of twenty
STATE_FLOOR_STD = 0.02  # added to a channel's spread, so that none that hardly moves is blown up


@dataclass(frozen=True)
class ChunkConfig:
    """Sizes of the codec; the weights say what a metre of a joint is worth in the components.

    frames: of a chunk, at 20 fps.
    latent_dim: components that are kept.
    hands_weight: of elbows, wrists; feet_weight: of ankles and feet. A wave is a few centimetres
        of the hands alone, and a sliding foot is seen.
    """

    frames: int = 8
    latent_dim: int = 64
    hands_weight: float = 1.5
    feet_weight: float = 1.3


class ChunkCodec(CausalCodec):
    """Principal components of how joints move on, whitened."""

    chunk_mean: Tensor
    components: Tensor
    component_std: Tensor
    joint_weights: Tensor
    state_mean: Tensor
    state_std: Tensor

    def __init__(self, config: ChunkConfig) -> None:
        super().__init__()
        self.config = config
        self.frames = config.frames
        self.latent_shape = (1, config.latent_dim)
        self.state_size = POSE_CHANNELS + FLOOR_CHANNELS
        flat = config.frames * 22 * 3
        self.register_buffer('chunk_mean', torch.zeros(flat))
        self.register_buffer('components', torch.zeros(config.latent_dim, flat))
        self.register_buffer('component_std', torch.ones(config.latent_dim))
        self.register_buffer('state_mean', torch.zeros(POSE_CHANNELS))
        self.register_buffer('state_std', torch.ones(POSE_CHANNELS))
        self.register_buffer('joint_weights', joint_weights(config), persistent=False)

    @torch.no_grad()
    def fit(self, chunks: Tensor) -> float:
        """Fit components and statistics to chunks (N, 2 + frames, 22, 3) [m].

        The first two frames of each are those before it.

        Returns:
            The share of the weighted variance that the components hold, 0 to 1.
        """
        moved = self._moved(chunks[:, 2:], chunks[:, :2])
        mean = moved.mean(dim=0)
        weighted = ((moved - mean) * self._weights()).double()
        variances, vectors = torch.linalg.eigh(weighted.T @ weighted / len(weighted))
        kept = torch.arange(len(variances) - 1, len(variances) - 1 - self.config.latent_dim, -1)
        self.chunk_mean.copy_(mean)
        self.components.copy_(vectors[:, kept].T)
        self.component_std.copy_(variances[kept].clamp(min=1e-12).sqrt())
        poses = self._pose_state(chunks[:, :2])
        self.state_mean.copy_(poses.mean(dim=0))
        self.state_std.copy_(poses.std(dim=0) + STATE_FLOOR_STD)
        return float(variances[kept].sum() / variances.sum())

    def latent_importance(self) -> Tensor:
        """Spread of each component over the data (1, C) to the power of 3/4, its mean 1.

        As the trunk has it: with equal weights, what tells one action from another is a small
        part of an error that is mostly noise.
        """
        weight = self.component_std**0.75
        return (weight / weight.mean())[None]

    def encode(self, frames: Tensor, previous: Tensor) -> Tensor:
        """Latents (B, 1, C) of chunks (B, frames, 22, 3) after two frames (B, 2, 22, 3)."""
        weighted = (self._moved(frames, previous) - self.chunk_mean) * self._weights()
        return (weighted @ self.components.T / self.component_std)[:, None]

    def decode(self, latent: Tensor, previous: Tensor) -> Tensor:
        """Frames (B, frames, 22, 3) of latents (B, 1, C), with the bones of ``previous``."""
        weighted = (latent[:, 0] * self.component_std) @ self.components
        moved = (weighted / self._weights() + self.chunk_mean).unflatten(1, (self.frames, 22, 3))
        under = GroundFrame.under(previous[:, 1])
        frames = under.out_of(under.into(previous[:, 1:]) + moved)
        return with_bones(frames, bone_lengths(previous[:, 1:]))

    def state(self, previous: Tensor) -> Tensor:
        """What the next chunk goes on from (B, S), of two frames (B, 2, 22, 3).

        Pose and velocity in the frame under the body, normalised; then what its feet do: height
        of the lowest joint, heights and level speeds of ankles and feet, each squashed.
        """
        poses = (self._pose_state(previous) - self.state_mean) / self.state_std
        poses = poses.clamp(-LARGEST_STATE, LARGEST_STATE)
        height = previous[:, 1, :, 1]
        feet = previous[:, :, FOOT_JOINTS]
        speed = (feet[:, 1] - feet[:, 0])[..., [0, 2]].norm(dim=-1) * FPS
        floor = torch.cat([height.amin(dim=1, keepdim=True), height[:, FOOT_JOINTS]], dim=1)
        floor = (floor - floor.new_tensor(STANDING_HEIGHTS)) / FLOOR_SCALE
        return torch.cat([poses, torch.tanh(floor), torch.tanh(speed / SLIP_SCALE)], dim=1)

    def _moved(self, frames: Tensor, previous: Tensor) -> Tensor:
        """How far joints are from where they were in the last frame before (B, frames * 66)."""
        under = GroundFrame.under(previous[:, 1])
        return (under.into(frames) - under.into(previous[:, 1:])).flatten(1)

    def _pose_state(self, previous: Tensor) -> Tensor:
        local = GroundFrame.under(previous[:, 1]).into(previous)
        velocity = (local[:, 1] - local[:, 0]) * FPS
        return torch.cat([local[:, 1].flatten(1), velocity.flatten(1)], dim=1)

    def _weights(self) -> Tensor:
        return self.joint_weights.repeat_interleave(3).repeat(self.frames)


def joint_weights(config: ChunkConfig) -> Tensor:
    """Weights (22,) of the joints in the components' sum of squares."""
    worth = {'ankle': config.feet_weight, 'foot': config.feet_weight}
    worth |= {'elbow': config.hands_weight, 'wrist': config.hands_weight}
    return torch.tensor([worth.get(name.rpartition('_')[2], 1.0) for name in JOINT_NAMES])
