# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The field's measures: exact by default, ``reference=True`` for the authors' own figures."""

from mgpt3_ros.training.evaluation.metrics.ape_ave import ape_ave
from mgpt3_ros.training.evaluation.metrics.bert_score import bert_score
from mgpt3_ros.training.evaluation.metrics.bleu import bleu
from mgpt3_ros.training.evaluation.metrics.checks import MetricError
from mgpt3_ros.training.evaluation.metrics.cider import cider
from mgpt3_ros.training.evaluation.metrics.displacement import Displacement, displacement
from mgpt3_ros.training.evaluation.metrics.distribution import diversity, fid, multimodality
from mgpt3_ros.training.evaluation.metrics.joints import pad
from mgpt3_ros.training.evaluation.metrics.pose_errors import PoseErrors, pose_errors
from mgpt3_ros.training.evaluation.metrics.retrieval import (
    Retrieval,
    ranks,
    ranks_in_groups,
    retrieval,
)
from mgpt3_ros.training.evaluation.metrics.rouge import rouge_l

__all__ = [
    'Displacement',
    'MetricError',
    'PoseErrors',
    'Retrieval',
    'ape_ave',
    'bert_score',
    'bleu',
    'cider',
    'displacement',
    'diversity',
    'fid',
    'multimodality',
    'pad',
    'pose_errors',
    'ranks',
    'ranks_in_groups',
    'retrieval',
    'rouge_l',
]
