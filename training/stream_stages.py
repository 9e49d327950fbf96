# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stages of a model of the stream form, over the same trainer as those of the clip form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.model.network.vae.chunk import ChunkCodec
from mgpt3_ros.training.data.chats import load_chats
from mgpt3_ros.training.data.dataset import MotionDataset
from mgpt3_ros.training.data.resting import rest_pose
from mgpt3_ros.training.data.stream_windows import WindowCutter, WindowOptions
from mgpt3_ros.training.own_answers import answered
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.stream_batches import StreamBatcher
from mgpt3_ros.training.stream_task import StreamTask
from mgpt3_ros.training.text_cache import TextCache

if TYPE_CHECKING:
    from mgpt3_ros.training.run_config import StageConfig

CHUNKS_TO_FIT = 60_000  # a chunk has 528 numbers: more of them change no component


def fit_codec(network: StreamNetwork, dataset: MotionDataset, seed: int = 0) -> float:
    """Fit the codec's components to chunks of all clips, and choose the pose of rest.

    Returns:
        The share of the weighted variance that the components hold.
    """
    codec = network.vae
    assert isinstance(codec, ChunkCodec)
    rng = np.random.default_rng(seed)
    cutter = WindowCutter(dataset.clips, codec.frames, WindowOptions())
    lengths = cutter.lengths.astype(float)
    clips = rng.choice(len(lengths), CHUNKS_TO_FIT, p=lengths / lengths.sum())
    latest = np.maximum(cutter.lengths[clips] - 2 - codec.frames, 0)
    begin = rng.integers(0, latest + 1)
    chunks = cutter.at(clips, begin[:, None] + np.arange(2 + codec.frames))
    device = network.rest.device
    network.rest.copy_(torch.from_numpy(rest_pose(dataset.clips)).to(device))
    return codec.cpu().fit(chunks)


def stream_task(
    stage: StageConfig, model: MotionGPT3
) -> tuple[StreamTask, Callable[[MotionDataset, Split], StreamBatcher]]:
    """What any stage but ``vae`` minimises, and what makes its batches of a data set."""
    network = model.network
    assert isinstance(network, StreamNetwork)
    network.head.importance.copy_(network.vae.latent_importance().flatten())
    tasks = stage.tasks
    shares = {
        name: getattr(tasks, name)
        for name in ('generate', 'predict', 'inbetween', 'caption', 'text')
    }

    asked = stage.stream.chats if tasks.text else None

    def batcher(dataset: MotionDataset, split: Split) -> StreamBatcher:
        chunk, steps = network.vae.frames, stage.optim.steps
        known = None
        if asked is not None:
            captions = sorted(set(dataset.all_texts()))
            known = answered(network, model.tokenizer, load_chats(asked, captions))
        return StreamBatcher(
            dataset, model.tokenizer, chunk, shares, stage.stream, split, steps, known
        )

    kind = stage.stream.cache_text
    texts = None if kind is None else TextCache(network, kind)
    return StreamTask(network, stage.stream, texts), batcher
