# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a live body does now, and from which pose it began to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mgpt3_ros.body.body_trajectory import BodyState
from mgpt3_ros.body.bounds import Timing
from mgpt3_ros.body.commands.meaning import Action
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.model.language.durations import stated_duration
from mgpt3_ros.model.language.splitting import means_rest
from mgpt3_ros.nodes.chunks import Chunk
from mgpt3_ros.nodes.commands import Step, counts

ACTION_S = 4.0  # [s] of an action that others wait for, where the model expects no number
JUDGED_CHUNKS = 15  # that are looked at once it is over: 6 s, which is as far as captions see
ACTIONS_S = (1.0, 10.0)  # [s] that such an action takes at least and at most


@dataclass
class Doing:
    """What the body does now. step: None while it comes to rest after the last one.

    said: whether the model knows. begun_s, ends_s: by the body's clock; ends_s None: it goes on.
    expected_s: how long the model expects it to take.
    last: nothing follows it, not even of its command. drawn: its last chunks (F, 22, 3) [m].
    """

    step: Step | None
    said: bool = False
    begun_s: float = 0.0
    expected_s: float = 0.0
    ends_s: float | None = None
    last: bool = False
    drawn: list[Array] = field(default_factory=list)

    @property
    def following(self) -> Step | None:
        """The next action of the same command."""
        return None if self.step is None or self.last else self.step.following

    @property
    def text(self) -> str | None:
        """What the model is told; None: to stand."""
        if self.step is None or means_rest(stated_duration(self.step.asked)[1]):
            return None
        return stated_duration(self.step.asked)[1] or self.step.asked

    @property
    def action(self) -> Action | None:
        """What is asked for with numbers, which is drawn as a whole; None: it is streamed."""
        part = self.step.part if self.step is not None else None
        return part if isinstance(part, Action) and counts(part) else None


def bounded_s(expected_s: float) -> float:
    """What the model expects an action to take, within what one may take [s]."""
    return float(np.clip(np.nan_to_num(expected_s, nan=ACTION_S), *ACTIONS_S))


def first_pose(chunk: Chunk) -> BodyState:
    """The pose from which a chunk goes on."""
    clip, at = chunk.clip, len(chunk.clip.positions) - len(chunk.joints) - 1
    still = np.zeros(3)
    return BodyState(
        clip.positions[at],
        np.zeros(len(clip.names)),
        clip.base_pos[at],
        clip.base_rot[at],
        still,
        still,
    )


def from_standing_s(pose: BodyState, timing: Timing, standing: Array) -> float:
    """How long the way from the joints ``standing`` (J,) to a pose takes within the bounds [s].

    A cubic that begins and ends at rest has 1.5 times its mean speed, and 6 / T^2 of its way as
    acceleration.
    """
    way = np.abs(pose.positions - standing)
    fast = float((1.5 * way / timing.max_velocity).max())
    return max(fast, float(np.sqrt(6 * way / timing.max_acceleration).max()))
