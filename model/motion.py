# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Motion: what everything here takes and gives.

The features are imported where they are asked for: they bring torch, which takes seconds and
200 MB, and a node that plays a body, or one that reads a bag, never asks.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import numpy as np

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.kinematics.heading import rotate_about_y
from mgpt3_ros.model.kinematics.skeleton import FPS, MIRRORED
from mgpt3_ros.model.language.confidence import Confidence

if TYPE_CHECKING:
    from mgpt3_ros.model.formats.bvh_names import Skeleton


class MotionPart(TypedDict):
    """One action of a motion that does several things one after the other."""

    text: str
    start_s: float
    duration_from: str


class MotionInfo(TypedDict, total=False):
    """What may be known about a motion. Others may add keys of their own.

    text: what it was drawn from, or what it shows.
    understood_as: the known sentence that it was drawn from in place of ``text``.
    duration_from: where its length comes from: 'asked', 'text', 'predicted' or 'default'.
    duration_limited: the text asked for more or less than the model can make.
    parts: the actions that it is made of.
    confidence: of a generated motion, in two parts; see ``model.confidence``.
    notes: what a command asked for that could not be met, and what was done instead.
    seam_error_m, end_seam_error_m: how far the model's own first and last frame were from the
        motions around it, mean over the joints [m].
    stamp_ns, has_base: of an observed body: the time of its last frame [ns], and whether its path
        is known.
    skeleton, unit, scale: of a BVH file: the mapping of its bones, its unit, and what its path was
        multiplied by.
    up: the axis that pointed up in the file; it was turned to Y.
    remarks: what was odd about the file, a line each.
    """

    text: str
    understood_as: str
    duration_from: str
    duration_limited: bool
    parts: list[MotionPart]
    confidence: Confidence
    notes: tuple[str, ...]
    seam_error_m: float
    end_seam_error_m: float
    stamp_ns: int
    has_base: bool
    skeleton: str
    unit: str
    scale: float
    up: str
    remarks: list[str]


@dataclass(frozen=True, eq=False)
class Motion:
    """A body in motion; immutable.

    joints: (T, 22, 3) float32 [m], Y up, in the order of ``skeleton.JOINT_NAMES``; read-only.
    fps: frames per second.
    info: what is known about it, such as the text that it was drawn from; a copy, read-only.

    Raises:
        MotionError: the shape is another, fewer than 2 frames, values that are not finite, or
            sizes that no body in metres has.
    """

    joints: np.ndarray
    fps: float = FPS
    info: MotionInfo = field(default_factory=MotionInfo)

    def __post_init__(self) -> None:
        try:
            joints = np.array(self.joints, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise MotionError(f'joints must be numbers in an array (T, 22, 3): {error}') from error
        if joints.ndim != 3 or joints.shape[1:] != (22, 3):
            raise MotionError(f'joints must be (T, 22, 3), got an array of shape {joints.shape}')
        if len(joints) < 2:
            raise MotionError(f'a motion needs 2 frames at least, got {len(joints)}')
        if not np.isfinite(joints).all():
            frame = int(np.argmax(~np.isfinite(joints).all(axis=(1, 2))))
            raise MotionError(f'frame {frame} holds values that are not finite')
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise MotionError(f'fps must be positive, got {self.fps}')
        size = float(np.ptp(joints[0], axis=0).max())
        if not 0.3 < size < 10.0:
            hint = 'millimetres or centimetres' if size >= 10 else 'another unit'
            raise MotionError(
                f'the body is {size:.3g} m tall in frame 0: joints are in metres, yours may be in '
                f'{hint}; scale them first'
            )
        joints.setflags(write=False)
        object.__setattr__(self, 'joints', joints)
        object.__setattr__(self, 'fps', float(self.fps))
        object.__setattr__(self, 'info', MappingProxyType(copy.deepcopy(dict(self.info))))

    def __reduce__(self) -> tuple[Any, ...]:
        """Say how it is made again, for pickle and copy: neither knows read-only mappings."""
        return Motion, (self.joints, self.fps, dict(self.info))

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.joints)

    @property
    def duration_s(self) -> float:
        """Frames over frames per second [s]; a frame lasts until the next one would come."""
        return self.num_frames / self.fps

    def features(self) -> np.ndarray:
        """HumanML3D's features (T - 1, 263) float32, of the canonical motion.

        The last frame gives none, since it has no velocity.
        """
        from mgpt3_ros.model.kinematics.features import joints_to_features

        return joints_to_features(self.joints.astype(np.float64)).astype(np.float32)

    @classmethod
    def from_features(
        cls, features: np.ndarray, fps: float = FPS, info: MotionInfo | None = None
    ) -> Motion:
        """Motion of features (T, 263), not normalised; it begins at the origin, facing +Z."""
        from mgpt3_ros.model.kinematics.features import features_to_joints

        features = np.asarray(features)
        if features.ndim != 2:
            raise MotionError(f'features must be (T, 263), got an array of shape {features.shape}')
        return cls(features_to_joints(features.astype(np.float32)), fps, info or {})

    def with_info(self, **info: Unpack[MotionInfo]) -> Motion:
        """The same motion with more said about it."""
        return Motion(self.joints, self.fps, {**self.info, **info})

    def resample(self, fps: float, keep: Literal['first', 'last'] = 'first') -> Motion:
        """The motion at another rate, its first frame kept, or its last.

        Positions are interpolated linearly: at the rates of motion capture the error is below a
        millimetre, and nothing overshoots.

        Raises:
            MotionError: ``fps`` is not positive.
        """
        if not (np.isfinite(fps) and fps > 0):
            raise MotionError(f'fps must be positive, got {fps}')
        if fps == self.fps:
            return self
        count = max(int((self.num_frames - 1) * fps / self.fps + 1e-6) + 1, 2)
        at = np.minimum(np.arange(count) * self.fps / fps, self.num_frames - 1)
        if keep == 'last':
            at = (self.num_frames - 1 - at)[::-1]
        before = np.minimum(at.astype(int), self.num_frames - 2)
        share = (at - before)[:, None, None]
        joints = self.joints[before] * (1 - share) + self.joints[before + 1] * share
        return Motion(joints, fps, self.info)

    def mirror(self) -> Motion:
        """The motion as a mirror shows it: left is right."""
        return Motion(self.joints[:, MIRRORED] * (-1, 1, 1), self.fps, self.info)

    def crop(self, start: int, stop: int | None = None) -> Motion:
        """Frames ``start`` to ``stop`` (not included), as a slice counts them."""
        return Motion(self.joints[start:stop], self.fps, self.info)

    def canonical(self) -> Motion:
        """The motion on the floor, at the origin, its first frame facing +Z."""
        from mgpt3_ros.model.kinematics.features import canonicalise

        return Motion(canonicalise(self.joints.astype(np.float64)), self.fps, self.info)

    def transform(self, yaw: float = 0.0, translation: Any = (0.0, 0.0, 0.0)) -> Motion:
        """Turn by ``yaw`` [rad] about the world's Y (+Z towards +X), then move [m]."""
        turned = rotate_about_y(self.joints, yaw)
        return Motion(turned + np.asarray(translation), self.fps, self.info)

    def save(self, path: str | Path) -> None:
        """Write the motion; see :func:`mgpt3_ros.model.formats.save`."""
        from mgpt3_ros.model.formats import save  # the formats stand above Motion

        save(self, path)

    @classmethod
    def load(
        cls,
        path: str | Path,
        fps: float | None = None,
        skeletons: Sequence[Skeleton] = (),
        up: str | None = None,
    ) -> Motion:
        """Read a motion; see :func:`mgpt3_ros.model.formats.load`."""
        from mgpt3_ros.model.formats import load

        return load(path, fps, skeletons, up)
