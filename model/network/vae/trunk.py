# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion autoencoder for small data: a linear trunk under a transformer residual.

A few hours of motion are too little for the paper's VAE to learn where a body goes. Principal
components of time-normalised motion hold that exactly, at once; a small transformer then adds what
is not linear (joint rotations, foot contacts, detail of the pose) and leaves the root alone.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.kinematics.features import CONTACTS, FEATURES, POSITIONS, ROOT, ROTATIONS
from mgpt3_ros.model.kinematics.heading import rotate_about_y, turn
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.network.vae.base import MotionVae, frame_mask

_LOG = logging.getLogger(__name__)
# Channels of the trunk per frame: root x and z [m], root height [m], yaw [rad], 21 positions [m].
TRUNK_CHANNELS = 4 + 63
# The least spread of a component, as an even shift of one coordinate of weight 1 [m]. Latents are
# divided by it. Beyond the rank of few clips it would be nothing, and any other motion's latents
# hundreds. The weakest of 256 components over 4.3 hours of motion has 0.0205; fitted to 9 clips,
# latents of 3 others have an rms of 1.0 to 3.0 with this floor, and of 450 to 1140 without it.
LEAST_SPREAD = 0.02


@dataclass(frozen=True)
class TrunkConfig:
    """Sizes of the trunk; the weights say what a metre of each channel is worth.

    The weights of the root are those of its worth to the whole body: a root that is 1 cm too low
    moves 22 joints by 1 cm (sqrt(22) = 4.7). Feet count three times, since their sliding is seen;
    hands (elbows and wrists) can count more, since a wave is a few centimetres of them alone.
    """

    latent_dim: int = 128
    steps: int = 48
    root_weight: float = 4.7
    yaw_weight: float = 1.2
    feet_weight: float = 3.0
    hands_weight: float = 1.0
    latent_std: float = 0.05  # of the posterior, where a component's spread over the data is 1
    width: int = 128
    layers: int = 4
    heads: int = 4
    max_frames: int = 200


class TrunkVae(MotionVae):
    """Principal components of time-normalised motion, with a transformer residual.

    The latent is one token of ``latent_dim`` whitened coefficients. It does not hold the duration:
    decoding stretches the motion over the frames that are asked for.
    """

    whitened = True
    feature_mean: Tensor
    feature_std: Tensor
    trunk_mean: Tensor
    components: Tensor
    component_std: Tensor
    channel_weights: Tensor

    def __init__(self, config: TrunkConfig) -> None:
        super().__init__()
        self.config = config
        self.latent_shape = (1, config.latent_dim)
        self.max_frames = config.max_frames
        flat = config.steps * TRUNK_CHANNELS
        self.register_buffer('feature_mean', torch.zeros(FEATURES))
        self.register_buffer('feature_std', torch.ones(FEATURES))
        self.register_buffer('trunk_mean', torch.zeros(flat))
        self.register_buffer('components', torch.zeros(config.latent_dim, flat))
        self.register_buffer('component_std', torch.ones(config.latent_dim))
        self.register_buffer('channel_weights', channel_weights(config), persistent=False)
        self.residual = TrunkResidual(config)
        self._resamplers: dict[tuple[int, bool, torch.device, torch.dtype], Tensor] = {}

    @torch.no_grad()
    def fit(self, features: Sequence[np.ndarray], stats: FeatureStats) -> float:
        """Fit the principal components to a data set.

        Args:
            features: clips of (T, 263) features as HumanML3D defines them, not normalised.
            stats: mean and standard deviation that features are normalised with.

        Returns:
            The share of the weighted variance that the components hold, 0 to 1.

        Raises:
            ConfigError: the clips do not differ.
        """
        self.feature_mean.copy_(torch.from_numpy(stats.mean))
        self.feature_std.copy_(torch.from_numpy(stats.std))
        rows = np.empty((len(features), self.trunk_mean.numel()), dtype=np.float32)
        for row, clip in zip(rows, features, strict=True):
            channels = trunk_channels(torch.tensor(clip)[None].float())[0]
            steps = self._resampler(len(clip), down=True) @ (channels * self.channel_weights)
            row[:] = steps.flatten().numpy()
        mean = rows.mean(axis=0)
        rows -= mean
        # eigh on the covariance: 20 s for 3,216 channels, where an SVD of the rows takes minutes.
        covariance = rows.T @ rows / len(rows)
        variances, vectors = np.linalg.eigh(covariance.astype(np.float64))
        kept = slice(-1, -1 - self.config.latent_dim, -1)
        self.trunk_mean.copy_(torch.from_numpy(mean))
        self.components.copy_(torch.from_numpy(vectors[:, kept].T.copy()))
        spread = np.sqrt(variances[kept].clip(0)).clip(self._least_std)
        self.component_std.copy_(torch.from_numpy(spread))
        found, wanted = self.components_of_data(), self.config.latent_dim
        if not found:
            raise ConfigError(
                f'these {len(features)} clips and parts of clips do not differ: nothing can be '
                'fitted to them. Add motions, or fine-tune a trained checkpoint instead'
            )
        if found < wanted:
            _LOG.warning(
                'these %d clips, parts of clips and mirror images vary along %d of the %d '
                'components of the VAE: too little data for so many. Fine-tune a trained '
                'checkpoint instead, add data, or set latent_dim to %d',
                *(len(features), found, wanted, found),
            )
        return float(variances[kept].sum() / variances.sum())

    @property
    def _least_std(self) -> float:
        return LEAST_SPREAD * math.sqrt(self.config.steps)

    def components_of_data(self) -> int:
        """How many components vary over the data that they were fitted to.

        Fewer than ``latent_dim``: the data were too few for so many.
        """
        return int((self.component_std > 1.0001 * self._least_std).sum())

    def latent_importance(self) -> Tensor:
        """Spread of each component over the data (1, C) to the power of 3/4, its mean 1.

        With equal weights, what tells a left from a right hand is one part in sixty of the error;
        with the spread itself, the first component (the distance travelled) is half of it.
        """
        weight = self.component_std**0.75
        return (weight / weight.mean())[None]

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, each (B, 1, latent_dim), of normalised features."""
        features = features * self.feature_std + self.feature_mean
        down = self._stack(lengths, features.shape[1], down=True)
        steps = down @ (trunk_channels(features) * self.channel_weights)
        coefficients = (steps.flatten(1) - self.trunk_mean) @ self.components.T
        mean = (coefficients / self.component_std)[:, None]
        return mean, torch.full_like(mean, 2 * float(np.log(self.config.latent_std)))

    def decode(self, latent: Tensor, lengths: Tensor) -> Tensor:
        """Return normalised features (B, T, 263), zero after each length."""
        trunk = self.decode_trunk(latent, lengths)
        mask = frame_mask(lengths, trunk.shape[1]).to(trunk.device)
        return self.residual(trunk, latent, mask) * mask[..., None]

    def decode_trunk(self, latent: Tensor, lengths: Tensor) -> Tensor:
        """Decode without the residual; rotations and contacts are at their means."""
        coefficients = latent[:, 0] * self.component_std
        steps = (coefficients @ self.components + self.trunk_mean).unflatten(
            1, (self.config.steps, TRUNK_CHANNELS)
        )
        # One frame more than asked for, so that the last frame has a velocity too.
        up = self._stack(lengths, int(lengths.max()), down=False)
        features = features_of_trunk(up @ (steps / self.channel_weights))
        features = (features - self.feature_mean) / self.feature_std
        features[..., ROTATIONS] = features[..., CONTACTS] = 0.0
        return features

    def _stack(self, lengths: Tensor, frames: int, down: bool) -> Tensor:
        """Resampling matrices of a batch: (B, steps, frames), or (B, frames + 1, steps)."""
        steps, like = self.config.steps, self.trunk_mean
        shape = (steps, frames) if down else (frames + 1, steps)
        stack = like.new_zeros(len(lengths), *shape)
        for row, length in zip(stack, lengths.tolist(), strict=True):
            matrix = self._resampler(int(length), down)
            row[: matrix.shape[0], : matrix.shape[1]] = matrix
        return stack

    def _resampler(self, length: int, down: bool) -> Tensor:
        """Linear map between ``length`` frames and the trunk's steps, along cubic splines."""
        like = self.trunk_mean  # as it is now: the module may have moved since
        key = (length, down, like.device, like.dtype)
        if key not in self._resamplers:
            steps = self.config.steps
            matrix = np.linalg.pinv(spline_matrix(steps, length))
            if not down:
                matrix = spline_matrix(steps, length)
                beyond = 2 * matrix[-1] - matrix[-2]
                matrix = np.concatenate([matrix, beyond[None]])
            elif length < steps:
                matrix = spline_matrix(length, steps)
            self._resamplers[key] = torch.from_numpy(matrix).float().to(like)
        return self._resamplers[key]


class TrunkResidual(nn.Module):
    """Adds to the trunk's features what principal components cannot hold; never to the root."""

    def __init__(self, config: TrunkConfig) -> None:
        super().__init__()
        width = config.width
        self.frame_in = nn.Linear(FEATURES, width)
        self.latent_in = nn.Linear(config.latent_dim, width)
        self.positions = nn.Parameter(0.02 * torch.randn(config.max_frames, width))
        layer = nn.TransformerEncoderLayer(
            width, config.heads, 4 * width, 0.0, 'gelu', batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(
            layer, config.layers, nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.out = nn.Linear(width, FEATURES - ROOT.stop)
        # Zero at first: training starts from the trunk as it is, and can only improve on it.
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, trunk: Tensor, latent: Tensor, mask: Tensor) -> Tensor:
        """Correct trunk features (B, T, 263) of latents (B, 1, C); mask (B, T): True on frames."""
        hidden = self.frame_in(trunk) + self.latent_in(latent) + self.positions[: trunk.shape[1]]
        change = self.out(self.layers(hidden, src_key_padding_mask=~mask))
        return torch.cat([trunk[..., ROOT], trunk[..., ROOT.stop :] + change], dim=-1)


def channel_weights(config: TrunkConfig) -> Tensor:
    """Weights (67,) of the trunk's channels in its sum of squares."""
    worth = {'ankle': config.feet_weight, 'foot': config.feet_weight}
    worth |= {'elbow': config.hands_weight, 'wrist': config.hands_weight}
    joints = [worth.get(name.rpartition('_')[2], 1.0) for name in JOINT_NAMES[1:]]
    root = [config.root_weight] * 3 + [config.yaw_weight]
    return torch.tensor(root + [weight for weight in joints for _ in range(3)])


def spline_matrix(knots: int, samples: int) -> np.ndarray:
    """Linear map (samples, knots) from values at even knots to a cubic spline's even samples."""
    if knots == 1:
        return np.ones((samples, 1))
    from scipy.interpolate import CubicSpline  # brings scipy.optimize along: .3 s

    boundary = 'not-a-knot' if knots > 3 else 'natural'
    spline = CubicSpline(np.linspace(0, 1, knots), np.eye(knots), bc_type=boundary)
    return spline(np.linspace(0, 1, samples))


def trunk_channels(features: Tensor) -> Tensor:
    """Features (B, T, 263), not normalised -> trunk channels (B, T, 67)."""
    # HumanML3D stores half of the turn per frame, with the sign of the inverse rotation.
    turned = -2.0 * features[..., 0]
    yaw = torch.cumsum(turned, dim=-1) - turned
    step_x, step_z = turn(features[..., 1], features[..., 2], yaw + turned)
    x, z = torch.cumsum(step_x, dim=-1) - step_x, torch.cumsum(step_z, dim=-1) - step_z
    positions = features[..., POSITIONS]
    if features.shape[1] > 2:
        # HumanML3D holds frame 0 at heading zero while the next ones follow a smoothed heading.
        # Components of smooth curves cannot hold that jump, so frame 0 follows the others here.
        first = 2 * yaw[:, 1:2] - yaw[:, 2:3]
        yaw = torch.cat([first, yaw[:, 1:]], dim=1)
        positions = torch.cat([_turn_positions(positions[:, :1], -first), positions[:, 1:]], dim=1)
    root = torch.stack([x, z, features[..., 3], yaw], dim=-1)
    return torch.cat([root, positions], dim=-1)


def features_of_trunk(channels: Tensor) -> Tensor:
    """Trunk channels (B, T + 1, 67) -> features (B, T, 263), rotations and contacts zero."""
    x, z, height, yaw = channels[..., :4].unbind(-1)
    positions = channels[..., 4:]
    positions = torch.cat([_turn_positions(positions[:, :1], yaw[:, :1]), positions[:, 1:]], dim=1)
    yaw = torch.cat([torch.zeros_like(yaw[:, :1]), yaw[:, 1:]], dim=1)
    step = turn(x.diff(dim=-1), z.diff(dim=-1), -yaw[:, 1:])
    joints = rotate_about_y(positions.unflatten(-1, (21, 3)), yaw[..., None])
    joints = joints + torch.stack([x, torch.zeros_like(x), z], dim=-1)[..., None, :]
    joints = torch.cat([torch.stack([x, height, z], dim=-1)[..., None, :], joints], dim=-2)
    velocities = rotate_about_y(joints.diff(dim=1), -yaw[:, :-1, None])
    root = torch.stack([-0.5 * yaw.diff(dim=-1), *step, height[:, :-1]], dim=-1)
    rotations = root.new_zeros(*root.shape[:2], 126)
    contacts = root.new_zeros(*root.shape[:2], 4)
    return torch.cat(
        [root, positions[:, :-1], rotations, velocities.flatten(-2), contacts], dim=-1
    )


def _turn_positions(positions: Tensor, yaw: Tensor) -> Tensor:
    """Rotate positions (B, T, 63) about Y by yaw (B, T)."""
    return rotate_about_y(positions.unflatten(-1, (21, 3)), yaw[..., None]).flatten(-2)
