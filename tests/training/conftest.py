# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Data that many tests of training read."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mgpt3_ros.model.language.prompts import PromptConfig
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network.network import MotionGPT3Network
from mgpt3_ros.training.data.dataset import MotionDataset, load_dataset
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.tasks import TaskBatcher
from tests.support.batches import MIXED, QUIET
from tests.support.tiny import SENTENCES, tiny_config
from tests.support.tiny_pack import write_tiny_pack


@pytest.fixture(scope='session')
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny data set. Read it only: a test that changes one writes its own."""
    return write_tiny_pack(tmp_path_factory.mktemp('pack'))


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> MotionDataset:
    """A tiny data set."""
    folder = tmp_path_factory.mktemp('data')
    return load_dataset(write_tiny_pack(folder / 'pack'), folder / 'cache')


@pytest.fixture(scope='module')
def tokenizer() -> MotionTokenizer:
    """Of a few sentences."""
    return MotionTokenizer.train(SENTENCES, vocab_size=300)


@pytest.fixture(scope='module')
def network(data: MotionDataset, tokenizer: MotionTokenizer) -> MotionGPT3Network:
    """An untrained network with a fitted VAE."""
    torch.manual_seed(0)
    network = MotionGPT3Network(tiny_config(tokenizer.vocab_size).network)
    network.vae.fit(data.fit_clips(), data.stats)  # type: ignore[operator]
    return network


@pytest.fixture
def batcher(
    data: MotionDataset, network: MotionGPT3Network, tokenizer: MotionTokenizer
) -> TaskBatcher:
    """Batches of all tasks."""
    return TaskBatcher(data, network, tokenizer, PromptConfig(), MIXED, QUIET, Split(16, 5))
