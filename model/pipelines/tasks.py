# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Each task once: what is asked in words, which frames are shown and drawn, where they stand.

Training makes its rows by this and `MotionGPT3` its requests, so that a model is asked what it was
taught. Frames are poses at 20 fps. The features of a window are those of its own joints: HumanML3D
smooths the heading over 4 s to either side, and rows that are cut out of a longer motion's know
what came before and what comes after.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mgpt3_ros.model.finishing.continuation import placement
from mgpt3_ros.model.kinematics.features import joints_to_features
from mgpt3_ros.model.language.normalisation import normalised
from mgpt3_ros.model.language.prompts import PromptConfig
from mgpt3_ros.model.language.vocabulary import MOTION

FIRST_PLACE = np.array([0.0, 0.0, 0.0, 1.0], dtype=np.float32)  # of a motion that follows no other
_TOGETHER = 16  # windows whose features are computed at once


@dataclass(frozen=True)
class Task:
    """motions: those of the prompt, in reading order; draws: whether the answer is a motion."""

    motions: tuple[str, ...] = ()
    draws: bool = True


TASKS = {
    'generate': Task(),
    'caption': Task(('motion',), draws=False),
    'predict': Task(('motion',)),
    'inbetween': Task(('start', 'end')),
    'text': Task(draws=False),
    # Put in words alone: a user's instructions say what is asked of two motions.
    'compare': Task(('first', 'second'), draws=False),
}


@dataclass(frozen=True)
class Windows:
    """Frames of one motion: those that each motion of the prompt shows, and those to be drawn."""

    shown: tuple[slice, ...]
    drawn: slice

    @property
    def num_drawn(self) -> int:
        """Frames of the motion to be drawn."""
        return int(self.drawn.stop - self.drawn.start)


def wording(task: str, prompts: PromptConfig, text: str = '') -> tuple[str, str | None]:
    """The bare prompt of a task, and its answer: ``MOTION``, or None where it is words.

    Args:
        task: generate, caption, predict or inbetween.
        prompts: of the model's configuration.
        text: what the motion should show, for generate.
    """
    said = (normalised(text) or text) if prompts.normalise else text
    prompt = str(getattr(prompts, task)).format(text=said)
    return prompt, MOTION if TASKS[task].draws else None


def prediction(begin: int, end: int, most: int) -> Windows:
    """Frames before ``begin`` are seen, ``most`` of them; what comes before ``end`` is predicted.

    The drawn motion begins at the last frame that was seen, by which it is put in place.
    """
    return Windows((slice(max(begin - most, 0), begin),), slice(begin - 1, end))


def gap(begin: int, end: int, total: int, most: int, whole: bool = False) -> Windows:
    """Of ``total`` frames those from ``begin`` to before ``end`` are missing.

    The drawn motion holds the last frame before the gap and the first after it too.

    Args:
        begin: first frame of the gap.
        end: first frame after it.
        total: frames of the whole.
        most: frames that are shown on either side.
        whole: draw the motions around it too (as the authors do), but for their outermost frames.
    """
    before, after = slice(max(begin - most, 0), begin), slice(end, min(end + most, total))
    drawn = slice(before.start + 1, after.stop - 1) if whole else slice(begin - 1, end + 1)
    return Windows((before, after), drawn)


def places(windows: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Where each motion (T, 22, 3) [m] of a prompt stands, see ``network.MotionInputs``."""
    follow = [placement(one[-1], other[0]) for one, other in itertools.pairwise(windows)]
    return [FIRST_PLACE, *follow][: len(windows)]


def window_features(
    windows: Sequence[np.ndarray], device: torch.device | str = 'cpu'
) -> list[np.ndarray]:
    """Features (T - 1, 263) float32, not normalised, of windows of joints (T, 22, 3) [m].

    Each is that of its window alone. Many are computed at once, on ``device``: a pose that is held
    at the end changes nothing before it.
    """
    found: list[np.ndarray] = [np.empty(0)] * len(windows)
    order = sorted(range(len(windows)), key=lambda number: len(windows[number]))
    for first in range(0, len(order), _TOGETHER):
        chosen = order[first : first + _TOGETHER]  # of about one length
        held = np.stack([_held(windows[n], len(windows[chosen[-1]])) for n in chosen])
        rows = joints_to_features(torch.from_numpy(held).to(device, torch.float64))
        for number, own in zip(chosen, rows.float().cpu().numpy(), strict=True):
            found[number] = own[: len(windows[number]) - 1]
    return found


def _held(joints: np.ndarray, frames: int) -> np.ndarray:
    return np.pad(joints, ((0, frames - len(joints)), (0, 0), (0, 0)), mode='edge')
