# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How large latents are: backbone and head are made for a mean of 0 and a spread of 1.

Few clips, or others than those that a VAE was fitted to, may give latents of hundreds, with which
every loss explodes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.training.data.dataset import MotionDataset
from mgpt3_ros.training.latent_cache import clip_latents
from mgpt3_ros.training.validation import usual_clips

LARGEST_RMS = 10.0  # of clips that were never seen; those of the shipped checkpoint have 1 to 3
LEAST_SPREAD = 0.01  # of a dimension, as a part of the mean spread
_LOOKED_AT = 64  # clips of each kind


@torch.no_grad()
def latent_rms(
    network: MotionGPT3Network, stats: FeatureStats, clips: Sequence[np.ndarray]
) -> float:
    """Root mean square of the whitened latents of clips (T, 263), not normalised."""
    features, lengths = (part.to(network.latent_mean.device) for part in stats.batch(list(clips)))
    mean, _ = network.vae.encode(features, lengths)
    return float(network.whiten(mean).square().mean().sqrt())


def check_latents(network: MotionGPT3Network, dataset: MotionDataset) -> None:
    """Refuse to train with latents that the network is not made for.

    Looked at are clips, their middle halves (predictions and gaps are parts of clips), and clips
    that are kept for validation.

    Raises:
        ConfigError: their root mean square is above ``LARGEST_RMS``.
    """
    whole = dataset.features[:: max(1, len(dataset) // _LOOKED_AT)]
    kinds = {
        'clips': whole,
        'halves of clips': [rows[len(rows) // 4 : len(rows) - len(rows) // 4] for rows in whole],
    }
    unseen = usual_clips(dataset)[:_LOOKED_AT]
    if unseen:
        kinds['validation clips'] = dataset.of_clips(unseen).features
    for name, clips in kinds.items():
        found = latent_rms(network, dataset.stats, clips)
        if not found <= LARGEST_RMS:
            raise ConfigError(
                f'the latents of these {name} have an rms of {found:.3g}, where the network is '
                f'made for 1 and takes {LARGEST_RMS:g}: its VAE was fitted to too few or to other '
                'motions. Train stage vae on this data, with more of it, or start from another '
                'checkpoint, such as the shipped one'
            )


@torch.no_grad()
def whiten(network: MotionGPT3Network, dataset: MotionDataset) -> None:
    """Tell the network the mean and the spread of the latents that it will be trained with.

    These are draws from the posterior: their variance is that of the means, and the mean of the
    posterior's own (the law of total variance). A dimension that the VAE does not use is all noise
    of spread 1; by the means alone that noise would become thousands.
    """
    both = torch.from_numpy(np.array(clip_latents(network, dataset)))  # (N, 2, L, C)
    mean, logvar = (part.to(network.latent_mean.device) for part in both.unbind(dim=1))
    spread = (mean.var(dim=0, unbiased=False) + logvar.exp().mean(dim=0)).sqrt()
    network.latent_mean.copy_(mean.mean(dim=0))
    network.latent_std.copy_(spread.clamp(min=LEAST_SPREAD * float(spread.mean())))
