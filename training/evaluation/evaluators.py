# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluators of text and motion: what the protocols ask of one, and which there are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from mgpt3_ros.model.checkpoints.checkpoint import WEIGHTS
from mgpt3_ros.model.devices import resolve_device
from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.kinematics.skeleton import MAX_FRAMES
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.released.convert import load_stats
from mgpt3_ros.training.evaluation.metrics import MetricError
from mgpt3_ros.training.evaluation.t2m_evaluator import FRAMES_PER_MOVEMENT, T2MEvaluator
from mgpt3_ros.training.evaluation.t2m_words import CaptionTokens, WordVectors
from mgpt3_ros.training.evaluation.tmr import TextMotionEncoder, feature_batch, in_batches

GUO_WIDTH = 512
BATCH = 32  # as in the field; of weight in reference mode alone, where padding has a part
# Of the published tree: its mean and deviation, seen from the weights.
_PUBLISHED_STATS = Path('../../Comp_v6_KLD01/meta')


class Evaluator(Protocol):
    """Embeddings in which texts meet motions; it shares nothing with the model that it judges."""

    name: str

    @property
    def width(self) -> int:
        """D, the numbers of an embedding."""

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """(N, D) of N sentences."""

    def embed_motions(self, motions: Sequence[np.ndarray]) -> np.ndarray:
        """(N, D) of N motions (T, 22, 3) [m], Y up, 20 fps."""


class GuoEvaluator:
    """The T2M evaluator of Guo et al. 2022 with its word vectors and statistics.

    Args:
        networks: with their weights.
        vectors: of words.
        tokens: how captions are read.
        stats: the evaluator's own, which are not HumanML3D's ``Mean.npy`` and ``Std.npy``.
        reference: as the authors' code does it: a motion's padding has a part in its embedding.
    """

    name = 'T2M evaluator (Guo et al. 2022)'
    width = GUO_WIDTH

    def __init__(
        self,
        networks: T2MEvaluator,
        vectors: WordVectors,
        tokens: CaptionTokens,
        stats: FeatureStats,
        reference: bool = False,
    ) -> None:
        self.networks, self.vectors, self.tokens = networks, vectors, tokens
        self.stats, self.reference = stats, reference

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """(N, 512) of N sentences.

        Raises:
            MetricError: a text is empty.
        """
        if not all(text.strip() for text in texts):
            raise MetricError('an empty text cannot be embedded')

        def embed(part: Sequence[str]) -> torch.Tensor:
            words, kinds, counts = zip(*(self.vectors(self.tokens(t)) for t in part), strict=True)
            return self.networks.embed_text(
                torch.from_numpy(np.stack(words)).to(self._device),
                torch.from_numpy(np.stack(kinds)).to(self._device),
                torch.tensor(counts),
            )

        return in_batches(embed, texts, BATCH, self.width)

    def embed_motions(self, motions: Sequence[np.ndarray]) -> np.ndarray:
        """(N, 512) of N motions (T, 22, 3) [m], Y up, 20 fps; of long ones the first 10 s.

        Raises:
            MotionError: joints of another shape, or not finite.
            MetricError: a motion of fewer than 5 frames.
        """

        def embed(part: Sequence[np.ndarray]) -> torch.Tensor:
            rows = [Motion(joints[: MAX_FRAMES + 1]).features() for joints in part]
            rows = [row[: len(row) // FRAMES_PER_MOVEMENT * FRAMES_PER_MOVEMENT] for row in rows]
            features, lengths = feature_batch(rows, self.stats, MAX_FRAMES)
            return self.networks.embed_motion(features.to(self._device), lengths, self.reference)

        return in_batches(embed, motions, BATCH, self.width)

    @property
    def _device(self) -> torch.device:
        return next(self.networks.parameters()).device


def load_evaluator(
    path: str | Path,
    data: str | Path,
    glove: str | Path | None = None,
    stats: str | Path | None = None,
    reference: bool = False,
    device: str = 'auto',
) -> Evaluator:
    """Load a folder of ``mgpt3 train tmr``, or the published T2M evaluator.

    Args:
        path: the folder, or the run folder around it; or a file: ``finest.tar``, or a MotionGPT3
            checkpoint that holds the evaluator.
        data: the data set, whose captions bring their parts of speech for the T2M evaluator.
        glove: folder of its word vectors.
        stats: folder of its ``mean.npy`` and ``std.npy``; None for their place in the published
            tree.
        reference: see :class:`GuoEvaluator`.
        device: 'auto', 'cpu' or 'cuda'.

    Raises:
        CheckpointError: something is missing, damaged or of another kind.
    """
    path = Path(path)
    if path.is_dir():
        inner = path / 'tmr'
        whole = inner if (inner / WEIGHTS).is_file() else path
        return TextMotionEncoder.load(whole, device)
    networks = T2MEvaluator.from_checkpoint(path).to(resolve_device(device))
    if glove is None:
        raise CheckpointError(
            'the T2M evaluator reads word vectors: give --glove FOLDER with our_vab_data.npy, '
            'our_vab_words.pkl and our_vab_idx.pkl'
        )
    folder = Path(stats) if stats is not None else path.parent / _PUBLISHED_STATS
    try:
        published = load_stats(folder / 'mean.npy', folder / 'std.npy')
    except CheckpointError as error:
        raise CheckpointError(
            f"the T2M evaluator's mean.npy and std.npy cannot be read from {folder} ({error}): "
            'give --evaluator-stats FOLDER (Comp_v6_KLD01/meta of the published tree)'
        ) from error
    return GuoEvaluator(
        networks, WordVectors.load(glove), CaptionTokens.read(data), published, reference
    )
