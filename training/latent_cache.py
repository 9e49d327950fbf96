# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latents of whole clips, encoded once: the VAE is frozen while the later stages train.

Parts of clips (predictions, gaps, cropped clips) are too many to be kept; they are encoded when
they are drawn.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from mgpt3_ros.model.atomic_files import save_array, whole_files
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.training.data.dataset import MotionDataset
from mgpt3_ros.training.data.motion_store import cache_folder

_VERSION = 1  # raise it when what is stored changes
_BATCH = 64


def clip_latents(
    network: MotionGPT3Network, dataset: MotionDataset, cache: Path | None = None
) -> np.ndarray:
    """Mean and log-variance (N, 2, tokens, C) float32 of all clips, memory-mapped.

    Args:
        network: its VAE encodes, where it is.
        dataset: N clips.
        cache: folder of the file; None for one in the user's cache folder. Its name is a hash of
            the clips and of the VAE's weights.

    Raises:
        OSError: the file cannot be written; nothing is left of it.
    """
    cache = cache_folder() if cache is None else cache
    file = cache / f'latents-{_key(network.vae, dataset)}.npy'
    shape = (len(dataset), 2, *network.vae.latent_shape)
    # A cache that is damaged is made anew.
    with contextlib.suppress(OSError, ValueError, EOFError):
        found = np.load(file, mmap_mode='r')
        if found.shape == shape and found.dtype == np.float32:
            return found
    latents = _encode(network, dataset, shape)
    with whole_files(cache) as partial:
        save_array(partial / file.name, latents)
    return np.load(file, mmap_mode='r')


@torch.no_grad()
def _encode(
    network: MotionGPT3Network, dataset: MotionDataset, shape: tuple[int, ...]
) -> np.ndarray:
    latents = np.empty(shape, dtype=np.float32)
    order = np.argsort([len(clip) for clip in dataset.features])  # little padding
    device = network.latent_mean.device
    training = network.vae.training
    network.vae.eval()  # no dropout
    with tqdm(total=len(order), desc='latents', unit='clip', disable=None) as bar:
        for begin in range(0, len(order), _BATCH):
            chosen = order[begin : begin + _BATCH]
            features, lengths = dataset.stats.batch([dataset.features[i] for i in chosen])
            both = network.vae.encode(features.to(device), lengths.to(device))
            latents[chosen] = torch.stack(both, dim=1).float().cpu().numpy()
            bar.update(len(chosen))
    network.vae.train(training)
    return latents


def _key(vae: nn.Module, dataset: MotionDataset) -> str:
    key = hashlib.sha256(f'{_VERSION} {dataset.digest}'.encode())
    for clip, rows in zip(dataset.clips, dataset.features, strict=True):
        key.update(f'{clip.id} {len(rows)}\n'.encode())
    key.update(dataset.stats.mean.tobytes() + dataset.stats.std.tobytes())
    for name, value in vae.state_dict().items():
        key.update(name.encode() + value.cpu().numpy().tobytes())
    return key.hexdigest()[:16]
