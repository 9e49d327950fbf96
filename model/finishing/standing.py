# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Somebody who stands, for however long: a chunk that is drawn is led back a little to a stance.

What a model draws goes on from what it drew. Nothing in seconds of motion says where somebody
stood a minute ago, so bodies lean and wander off that are only asked to stand. From when they are
calm, the stance of each is kept where it is, and what differs from it fades, chunk by chunk.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mgpt3_ros.model.kinematics.ground_frame import bone_lengths, turn, with_bones
from mgpt3_ros.model.kinematics.heading import heading
from mgpt3_ros.model.kinematics.skeleton import FPS

CALM = 0.15  # [m/s], mean of all joints over a chunk, of one who has come to rest
NEAR = 0.35  # [m], of the farthest joint: further from the stance somebody sits or lies
PULL = 0.1  # of what differs, per chunk


class Standing:
    """The stances of B bodies, of those that are asked to stand.

    Args:
        stance: (22, 3) [m], Y up, of a person who stands.
        bodies: how many.
    """

    def __init__(self, stance: Tensor, bodies: int) -> None:
        self._stance = stance
        self._places: list[Tensor | None] = [None] * bodies
        self.asked = [False] * bodies

    def ask(self, asked: Sequence[bool]) -> None:
        """From now on these of the bodies shall stand, the others do something else."""
        self.asked = list(asked)
        self.forget()

    def forget(self) -> None:
        """The bodies are somewhere else now."""
        self._places = [None] * len(self._places)

    def __call__(self, drawn: Tensor, previous: Tensor) -> Tensor:
        """Chunks (B, F, 22, 3) [m] led back, given the two frames (B, 2, 22, 3) before them."""
        if not any(self.asked):
            return drawn
        share = PULL * torch.linspace(0, 1, drawn.shape[1] + 1, device=drawn.device)[1:]
        led = drawn.clone()
        for body in (body for body, asked in enumerate(self.asked) if asked):
            place = self._place(body, drawn[body], previous[body])
            if place is not None:
                mixed = drawn[body] + share[:, None, None] * (place - drawn[body])
                led[body] = with_bones(mixed, bone_lengths(drawn[body]))
        return led

    def _place(self, body: int, chunk: Tensor, before: Tensor) -> Tensor | None:
        """The stance (22, 3) of a body, found when it is calm; None where it does not stand."""
        place = self._places[body]
        if place is None:
            steps = torch.cat([before[-1:], chunk]).diff(dim=0)
            if steps.norm(dim=-1).mean() * FPS < CALM:
                place = self._stance_at(chunk[-1])
        if place is not None and (chunk[-1] - place).norm(dim=-1).max() > NEAR:
            place = None
        self._places[body] = place
        return place

    def _stance_at(self, pose: Tensor) -> Tensor:
        """The stance with a pose's bones, where that is and facing as it does, on the floor."""
        yaw = heading(pose[None]) - heading(self._stance[None])
        stance = turn((self._stance - self._stance[0])[None], yaw)
        stance = with_bones(stance, bone_lengths(pose)[None])[0] + pose[0]
        stance[:, 1] -= stance[:, 1].min()
        return stance
