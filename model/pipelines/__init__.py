# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What serves the public model's calls, a module for each form of motion, and the tasks asked."""

from __future__ import annotations

from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.network import AnyNetwork
from mgpt3_ros.model.network.code_network import CodeNetwork
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.model.pipelines.base import Pipeline
from mgpt3_ros.model.pipelines.clip import ClipPipeline
from mgpt3_ros.model.pipelines.codes import CodePipeline
from mgpt3_ros.model.pipelines.config import MotionGPT3Config
from mgpt3_ros.model.pipelines.stream import StreamPipeline


def build_pipeline(
    config: MotionGPT3Config, network: AnyNetwork, tokenizer: MotionTokenizer, stats: FeatureStats
) -> Pipeline:
    """What serves the calls of a network, by its form."""
    if isinstance(network, StreamNetwork):
        return StreamPipeline(config, network, tokenizer, stats)
    if isinstance(network, CodeNetwork):
        return CodePipeline(config, network, tokenizer, stats)
    return ClipPipeline(config, network, tokenizer, stats)
