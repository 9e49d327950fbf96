# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every reader of a data set gives: captioned clips, and an error that says what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mgpt3_ros.model.errors import MotionGPT3Error

Side = Literal['left', 'right']


class DataError(MotionGPT3Error):
    """A data set is missing, damaged or unusable."""


@dataclass(frozen=True, eq=False)
class Clip:
    """A captioned clip: joints (T, 22, 3) float32 [m], Y up, 20 fps.

    action: what it shows, by the data set's own naming; None where that is not known.
    style: how, likewise.
    take: the recording that it was cut from, which is never in two splits; None where not known.
    """

    id: str
    joints: np.ndarray
    captions: tuple[str, ...]
    split: str
    source: str
    action: str | None
    style: str | None = None
    take: str | None = None

    @property
    def side(self) -> Side | None:
        """The side that is part of the action's name."""
        return action_side(self.action)


def action_side(action: str | None) -> Side | None:
    """'left' or 'right' where the action has one."""
    named = [] if action is None else action.split('-')
    return 'left' if 'left' in named else 'right' if 'right' in named else None
