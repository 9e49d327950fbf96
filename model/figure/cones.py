# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The figure: a mannequin of round cones around the 22 joints.

A round cone is what a ball sweeps that moves from one point to another and changes its radius.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgpt3_ros.model.kinematics.human import JOINT_INDEX

# sRGB. Left and right differ in hue and lightness, so that they are told apart in print and by
# people who see few colours.
LEFT_COLOUR = (38, 118, 214)
RIGHT_COLOUR = (240, 112, 44)
TRUNK_COLOUR = (226, 229, 234)
JOINT_COLOUR = (74, 82, 96)
VISOR_COLOUR = (34, 40, 52)
PALETTE = np.array([TRUNK_COLOUR, LEFT_COLOUR, RIGHT_COLOUR, JOINT_COLOUR, VISOR_COLOUR])
TRUNK, LEFT, RIGHT, JOINT, VISOR = range(len(PALETTE))

SOLE = 0.035  # m: the foot joints lie this much above the ground that the feet stand on
_MODEL_LEG = 0.82  # m: hip to ankle along the bones, of the body that the radii are made for


@dataclass(frozen=True)
class Figure:
    """P round cones: ends (..., P, 3) [m], radii at both ends (..., P, 2) [m], colours (P,).

    ``bones`` (P, 2) are the joints whose rotations carry both ends.
    """

    start: np.ndarray
    end: np.ndarray
    radius: np.ndarray
    colour: np.ndarray
    bones: np.ndarray

    def at(self, frame: int) -> Figure:
        """Return one frame of a figure that has several."""
        return Figure(
            self.start[frame], self.end[frame], self.radius[frame], self.colour, self.bones
        )


def build_figure(joints: np.ndarray) -> Figure:
    """Return the figure around ``joints`` (..., 22, 3) [m], Y up."""
    builder = _Builder(joints)
    builder.trunk()
    builder.head()
    for side, colour in (('left', LEFT), ('right', RIGHT)):
        builder.arm(side, colour)
        builder.leg(side, colour)
    start, end, radius, colours, bones = zip(*builder.cones, strict=True)
    return Figure(
        np.stack(start, axis=-2),
        np.stack(end, axis=-2),
        builder.scale[..., None] * np.array(radius),
        np.array(colours),
        np.array([[JOINT_INDEX[name] for name in names] for names in bones]),
    )


class _Builder:
    """Collects round cones; lengths are those of a body with legs of 0.82 m, times ``scale``."""

    def __init__(self, joints: np.ndarray) -> None:
        joints = np.asarray(joints, np.float64)
        self.at = {name: joints[..., index, :] for name, index in JOINT_INDEX.items()}
        thigh = np.linalg.norm(self.at['left_hip'] - self.at['left_knee'], axis=-1)
        shin = np.linalg.norm(self.at['left_knee'] - self.at['left_ankle'], axis=-1)
        self.scale = np.clip((thigh + shin) / _MODEL_LEG, 0.3, 3.0)[..., None]  # (..., 1)
        self.cones: list[
            tuple[np.ndarray, np.ndarray, tuple[float, float], int, tuple[str, str]]
        ] = []

    def add(
        self,
        start: np.ndarray,
        end: np.ndarray,
        radii: tuple[float, float],
        colour: int,
        *bones: str,
    ) -> None:
        """Add a cone; of one bone, or of one at its start and one at its end."""
        self.cones.append((start, end, radii, colour, (bones[0], bones[-1])))

    def ball(self, centre: np.ndarray, radius: float, colour: int, bone: str) -> None:
        self.add(centre, centre, (radius, radius), colour, bone)

    def trunk(self) -> None:
        at = self.at
        self.add(at['left_hip'], at['right_hip'], (0.088, 0.088), TRUNK, 'pelvis')
        self.add(at['pelvis'], at['spine1'], (0.105, 0.098), TRUNK, 'pelvis', 'spine1')
        self.add(at['spine1'], at['spine2'], (0.098, 0.104), TRUNK, 'spine1', 'spine2')
        for side in ('left', 'right'):
            shoulder, hip = at[f'{side}_shoulder'], at[f'{side}_hip']
            chest = _mix(at['spine3'], shoulder, 0.42)
            waist = _mix(at['spine1'], hip, 0.35)
            collar = f'{side}_collar'
            self.add(waist, chest, (0.082, 0.098), TRUNK, 'pelvis', 'spine3')  # the flank
            self.add(chest, shoulder, (0.092, 0.058), TRUNK, 'spine3', collar)
            # the slope to the shoulder
            self.add(at['neck'], shoulder, (0.052, 0.05), TRUNK, 'spine3', collar)
        self.add(at['spine2'], at['spine3'], (0.104, 0.108), TRUNK, 'spine2', 'spine3')
        self.add(at['spine3'], at['neck'], (0.1, 0.05), TRUNK, 'spine3')

    def head(self) -> None:
        at, scale = self.at, self.scale
        up = unit(at['head'] - at['neck'])
        left = at['left_shoulder'] - at['right_shoulder']
        forward = unit(np.cross(left, up))
        left = np.cross(up, forward)
        self.add(at['neck'], at['head'], (0.046, 0.044), JOINT, 'neck')
        crown = at['head'] + scale * 0.125 * up
        chin = at['head'] + scale * (0.025 * up + 0.03 * forward)
        self.add(chin, crown, (0.068, 0.098), TRUNK, 'head')
        eyes = at['head'] + scale * (0.105 * up + 0.068 * forward)
        aside = scale * 0.042 * left
        self.add(eyes - aside, eyes + aside, (0.037, 0.037), VISOR, 'head')

    def arm(self, side: str, colour: int) -> None:
        upper, lower, hand = (f'{side}_{j}' for j in ('shoulder', 'elbow', 'wrist'))
        shoulder, elbow, wrist = (self.at[name] for name in (upper, lower, hand))
        self.ball(shoulder, 0.062, colour, upper)
        self.add(shoulder, elbow, (0.055, 0.04), colour, upper)
        self.ball(elbow, 0.0425, JOINT, lower)
        self.ball(_mix(elbow, wrist, 0.25), 0.0435, colour, lower)
        self.add(elbow, wrist, (0.038, 0.028), colour, lower)
        along = unit(wrist - elbow)
        palm, tips = wrist + self.scale * 0.03 * along, wrist + self.scale * 0.115 * along
        self.ball(wrist, 0.03, JOINT, lower)
        self.add(palm, tips, (0.036, 0.024), colour, hand)

    def leg(self, side: str, colour: int) -> None:
        names = tuple(f'{side}_{j}' for j in ('hip', 'knee', 'ankle', 'foot'))
        thigh, calf, sole, toes = names
        hip, knee, ankle, toe = (self.at[name] for name in names)
        self.add(hip, knee, (0.082, 0.054), colour, thigh)
        self.ball(knee, 0.06, JOINT, calf)
        self.add(knee, _mix(knee, ankle, 0.3), (0.05, 0.054), colour, calf)
        self.add(_mix(knee, ankle, 0.3), ankle, (0.054, 0.036), colour, calf)
        self.ball(ankle, 0.039, JOINT, calf)
        # The sole is parallel to the line from below the ankle to the toe joint.
        along = unit(toe - ankle)
        shin = unit(ankle - knee)
        flat = unit(along - 0.35 * shin)
        heel = ankle + self.scale * (0.035 * shin - 0.03 * flat)
        tip = toe + self.scale * 0.065 * flat
        self.add(heel, toe, (0.036, SOLE), colour, sole)
        self.add(ankle, toe, (0.036, SOLE), colour, sole)
        self.add(toe, tip, (SOLE, 0.026), colour, toes)


def _mix(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    return (1 - share) * a + share * b


def unit(vectors: np.ndarray) -> np.ndarray:
    """The directions of vectors (..., 3)."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
