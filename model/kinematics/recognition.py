# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which action a body does in the last two seconds, as a label with a probability.

A sentence of the model describes a whole clip and changes its words with every window; a program
needs one of a list of labels. A small network on statistics of the window gives it; it comes with
a checkpoint (``actions.npz``), and ``training.recogniser`` fits it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mgpt3_ros.model.errors import CheckpointError
from mgpt3_ros.model.kinematics.at_rest import resting_caption
from mgpt3_ros.model.kinematics.skeleton import FPS, JOINT_NAMES
from mgpt3_ros.model.kinematics.summary import summary

FILE = 'actions.npz'
STAND = 'stand'
_SURE = 0.95  # of one who plainly stands
WINDOW_S = 2.0  # what is looked at: long enough for a wave, short enough to follow a change


@dataclass(frozen=True)
class ActionRecogniser:
    """A network with one hidden layer, ReLU, on :func:`summary` of a window.

    labels: (A,) of the actions. sentences: (A,) one for each. mean, spread: (F,) of the features.
    hidden: (F, D), hidden_bias (D,), output (D, A), output_bias (A,).
    """

    labels: tuple[str, ...]
    sentences: tuple[str, ...]
    mean: np.ndarray
    spread: np.ndarray
    hidden: np.ndarray
    hidden_bias: np.ndarray
    output: np.ndarray
    output_bias: np.ndarray

    def probabilities(self, joints: np.ndarray) -> np.ndarray:
        """Return the probability of each label (A,) of joints (T, 22, 3) [m], Y up, 20 fps.

        The last ``WINDOW_S`` count. One who does not move and whose hands are down stands, as
        captions have it (``at_rest``): the network saw too few of them.
        """
        joints = joints[-round(WINDOW_S * FPS) :]
        if STAND in self.labels and _stands(joints):
            sure = np.full(len(self.labels), (1 - _SURE) / max(len(self.labels) - 1, 1))
            sure[self.labels.index(STAND)] = _SURE
            return sure
        features = (summary(joints) - self.mean) / self.spread
        layer = np.maximum(np.clip(features, -10, 10) @ self.hidden + self.hidden_bias, 0.0)
        scores = layer @ self.output + self.output_bias
        weights = np.exp(scores - scores.max())
        return np.asarray(weights / weights.sum())

    def sentence(self, label: str) -> str:
        """Return the sentence that stands for a label."""
        return self.sentences[self.labels.index(label)]

    def save(self, folder: str | Path) -> None:
        """Write ``actions.npz`` into a checkpoint's folder, in half precision."""
        arrays: dict[str, Any] = {
            name: getattr(self, name).astype(np.float16 if name in _WEIGHTS else np.float32)
            for name in (*_WEIGHTS, *_VECTORS)
        }
        arrays |= {'labels': np.array(self.labels), 'sentences': np.array(self.sentences)}
        np.savez_compressed(Path(folder) / FILE, **arrays)

    @classmethod
    def load(cls, folder: str | Path) -> ActionRecogniser | None:
        """Read a checkpoint's recogniser; None where it has none.

        Raises:
            CheckpointError: the file is damaged.
        """
        path = Path(folder) / FILE
        if not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as found:
                given: dict[str, Any] = {
                    n: found[n].astype(np.float64) for n in (*_WEIGHTS, *_VECTORS)
                }
                given |= {n: tuple(map(str, found[n])) for n in ('labels', 'sentences')}
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f'{path} cannot be read: {error}') from error
        return cls(**given)


def _stands(joints: np.ndarray) -> bool:
    hands = [JOINT_NAMES.index(name) for name in ('left_wrist', 'right_wrist')]
    chest = joints[:, JOINT_NAMES.index('spine3'), None, 1]
    down = bool((joints[:, hands, 1] < chest).all())
    return down and resting_caption(joints, FPS) == 'a person stands still.'


_WEIGHTS = ('hidden', 'output')
_VECTORS = ('mean', 'spread', 'hidden_bias', 'output_bias')
