# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The field's measures: exact by default, ``reference=True`` for the authors' own figures."""

from mgpt3_ros.training.evaluation.metrics.captions import (
    bert_options,
    bert_score,
    bleu,
    cider,
    rouge_l,
)
from mgpt3_ros.training.evaluation.metrics.checks import MetricError
from mgpt3_ros.training.evaluation.metrics.distribution import diversity, fid, multimodality
from mgpt3_ros.training.evaluation.metrics.poses import (
    Displacement,
    PoseErrors,
    ape_ave,
    displacement,
    pad,
    pose_errors,
)
from mgpt3_ros.training.evaluation.metrics.retrieval import Retrieval, retrieval

__all__ = [
    'Displacement',
    'MetricError',
    'PoseErrors',
    'Retrieval',
    'ape_ave',
    'bert_options',
    'bert_score',
    'bleu',
    'cider',
    'displacement',
    'diversity',
    'fid',
    'multimodality',
    'pad',
    'pose_errors',
    'retrieval',
    'rouge_l',
]
