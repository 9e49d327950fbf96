# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the protocols of text and motion ask of an evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np


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
