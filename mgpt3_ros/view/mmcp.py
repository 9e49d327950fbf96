# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A motion server for the Motion Model Context Protocol (MMCP), by which animation programs ask.

Protocol 1.4 (https://animatica.ai/mmcp/), by its own SDK, which is young: its version is pinned.
Here: text segments that follow on one another, seeds of requests and segments, several samples,
any frame rate, foot contacts, and pose keyframes, which are reached and left by in-betweening.
Not: other skeletons than the model's own, paths, effector targets, loops.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.errors import MotionGPT3Error
from mgpt3_ros.model.extras import extra
from mgpt3_ros.model.finishing.foot_lock import BALL_HEIGHT, contacts
from mgpt3_ros.model.finishing.joining import JOIN_TAKES_S
from mgpt3_ros.model.kinematics.human import JOINT_INDEX
from mgpt3_ros.model.kinematics.joint_angles import positions
from mgpt3_ros.model.kinematics.skeleton import FPS, JOINT_NAMES, PARENTS, REST_OFFSETS
from mgpt3_ros.model.kinematics.t_pose import REST_JOINTS, to_t_pose_motion
from mgpt3_ros.model.motion import Motion

with extra('serve'):
    from motionmcp import (
        Backbone,
        GenerateRequest,
        Joint,
        ModelSpec,
        MotionResult,
        PoseKeyframeConstraint,
        ProtocolError,
        Skeleton,
        TextSegment,
    )

if TYPE_CHECKING:
    from mgpt3_ros.model.motiongpt3 import MotionGPT3

Array = NDArray[np.float64]

FEET = ('left_foot', 'right_foot')
NEAR = 12  # frames before and after a keyframe that lead to it and away
LONGEST_S = 60.0  # of an answer, however many segments


class MotionServer(Backbone):
    """What the SDK serves: the model's capabilities and its answers."""

    def __init__(self, load: Callable[[], MotionGPT3]) -> None:
        """Begin; the model is loaded by ``load`` when the server starts."""
        self._load = load
        self._lock = threading.Lock()  # requests come in threads, the model is one

    def setup(self) -> None:
        """Load the model."""
        self._model = self._load()

    def capabilities(self) -> ModelSpec:
        """What is served at ``/capabilities``."""
        spec = ModelSpec(
            id='mgpt3',
            fps=FPS,
            canonical_skeleton=skeleton(),
            supports_segment_seed=True,
            supported_segments=['text'],
            supported_constraints=['pose_keyframe'],
            predicted_contact_joints=list(FEET),
            chunking='stitched',
        )
        spec.limits.max_duration_seconds = LONGEST_S
        return spec

    def generate(self, request: GenerateRequest) -> MotionResult:
        """Answer a request.

        Raises:
            ProtocolError: the model cannot make what is asked for; its message says why.
        """
        rate = request.fps(FPS)
        samples = request.options.num_samples if request.options else 1
        given = request.options.seed if request.options else None
        first = secrets.randbelow(10_000) if given is None else given
        try:
            with self._lock:
                motions = [self._drawn(request, rate, first, s) for s in range(samples)]
        except MotionGPT3Error as error:
            raise ProtocolError('invalid_request', str(error)) from error
        posed = [to_t_pose_motion(motion.joints) for motion in motions]
        shape = (samples, request.total_frames, len(JOINT_NAMES), 4)
        quats = [Rotation.from_matrix(each.local.reshape(-1, 3, 3)).as_quat() for each in posed]
        return MotionResult(
            rotations=np.stack(quats).reshape(shape).astype(np.float32),
            root_translations=np.stack([each.root_pos for each in posed]).astype(np.float32),
            foot_contacts=_foot_contacts(motions),
        )

    def _drawn(self, request: GenerateRequest, rate: float, seed: int, sample: int) -> Motion:
        """One sample, of as many frames as were asked for at ``rate``."""
        frames = max(round(request.total_frames / rate * FPS), 2)
        said = bool(request.segments)
        joints = self._said(request, rate, seed, sample) if said else _standing(frames)
        joints = _of_length(joints, frames)
        keyframes = sorted(request.constraints, key=lambda each: each.frame)
        for keyframe in keyframes:
            joints = self._through(joints, keyframe, rate, seed + sample)
        motion = Motion(joints, FPS).resample(rate)
        return Motion(_of_length(motion.joints, request.total_frames), rate)

    def _said(self, request: GenerateRequest, rate: float, seed: int, sample: int) -> Array:
        """The text segments, one going over into the next, (T, 22, 3) [m]."""
        from mgpt3_ros.model.sampling import noise_source

        whole: Array | None = None
        for number, segment in enumerate(request.segments):
            assert isinstance(segment, TextSegment)  # others are refused before
            own = seed + number if segment.seed is None else segment.seed
            last = number == len(request.segments) - 1
            duration_s = segment.duration_frames / rate + (0.0 if last else JOIN_TAKES_S)
            clip = self._model.generate(
                segment.prompt, duration_s, generator=noise_source(own + 7919 * sample)
            ).joints.astype(np.float64)
            if whole is None:
                whole = clip
            else:
                cut, joined = self._model.join(whole, clip)
                whole = np.concatenate([whole[:cut], joined])
        assert whole is not None
        return whole

    def _through(
        self, joints: Array, keyframe: PoseKeyframeConstraint, rate: float, seed: int
    ) -> Array:
        """Lead a motion (T, 22, 3) through a keyframe's pose, in ``NEAR`` frames on both sides."""
        from mgpt3_ros.model.sampling import noise_source

        at = min(round(keyframe.frame / rate * FPS), len(joints) - 1)
        pose = keyframe_pose(keyframe, joints[at])
        held = Motion(np.repeat(pose[None], 2, axis=0), FPS)
        before, after = max(at - NEAR, 0), min(at + NEAR, len(joints) - 1)
        parts = [joints[: before + 1] if at - before > 2 else np.repeat(pose[None], at, axis=0)]
        if at - before > 2:
            start = Motion(joints[max(before - 20, 0) : before + 1][-21:], FPS) if before else None
            start = start or Motion(np.repeat(joints[:1], 2, axis=0), FPS)
            gap = (at - before - 1) / FPS
            way = self._model.inbetween(start, held, gap, generator=noise_source(seed))
            parts.append(way.joints)
        parts.append(pose[None])
        if after - at > 2:
            end = joints[after : after + 21]
            end = end if len(end) > 1 else np.repeat(end, 2, axis=0)
            gap = (after - at - 1) / FPS
            way = self._model.inbetween(held, Motion(end, FPS), gap, generator=noise_source(seed))
            parts += [way.joints, joints[after:]]
        else:
            parts.append(np.repeat(pose[None], len(joints) - 1 - at, axis=0))
        return np.concatenate(parts).astype(np.float64)


def skeleton() -> Skeleton:
    """The model's skeleton in T pose, the feet on the floor."""
    height = -float(REST_JOINTS[:, 1].min())
    joints = []
    for name, parent, offset in zip(JOINT_NAMES, PARENTS, REST_OFFSETS, strict=True):
        place = (0.0, height, 0.0) if parent < 0 else tuple(map(float, offset))
        joints.append(
            Joint(
                name=name,
                parent=None if parent < 0 else JOINT_NAMES[parent],
                rest_translation=place,
                rest_rotation=(0.0, 0.0, 0.0, 1.0),
            )
        )
    return Skeleton(joints=joints)


def keyframe_pose(keyframe: PoseKeyframeConstraint, around: Array) -> Array:
    """The joints (22, 3) [m] of a keyframe; what it leaves open is as in the pose ``around``.

    With ``fill_mode`` rest, joints without a rotation are as in T pose.

    Raises:
        ProtocolError: it names a joint that is not there.
    """
    unknown = [name for name in keyframe.joint_rotations if name not in JOINT_INDEX]
    if unknown:
        raise ProtocolError('unknown_joint', f'there is no joint {unknown[0]!r}')
    posed = to_t_pose_motion(around[None])
    local = posed.local[0]
    if keyframe.fill_mode == 'rest':
        local[:] = np.eye(3)
    for name, quaternion in keyframe.joint_rotations.items():
        if not np.linalg.norm(quaternion) > 1e-6:
            raise ProtocolError('invalid_request', f'the rotation of {name!r} is zero')
        local[JOINT_INDEX[name]] = Rotation.from_quat(quaternion).as_matrix()
    world = local.copy()
    for joint, parent in enumerate(PARENTS[1:], start=1):
        world[joint] = world[parent] @ local[joint]
    root = posed.root_pos[0] if keyframe.root_position is None else keyframe.root_position
    return positions(world[None], np.asarray(root, dtype=np.float64), posed.offsets)[0]


def _standing(frames: int) -> Array:
    """A T pose on the floor, for requests of keyframes alone."""
    pose = REST_JOINTS - [0.0, REST_JOINTS[:, 1].min(), 0.0]
    return np.repeat(pose[None], frames, axis=0)


def _of_length(joints: Array, frames: int) -> Array:
    """Exactly ``frames`` of joints (T, 22, 3): cut, or its last frame held."""
    missing = max(frames - len(joints), 0)
    return np.concatenate([joints[:frames], np.repeat(joints[-1:], missing, axis=0)])


def _foot_contacts(motions: list[Motion]) -> dict[str, NDArray[np.bool_]]:
    """Which frames of which sample (B, T) each foot stands in."""
    masks = {name: np.zeros((len(motions), motions[0].num_frames), bool) for name in FEET}
    for sample, motion in enumerate(motions):
        for name, mask in masks.items():
            place = motion.joints[:, JOINT_INDEX[name]].astype(np.float64)
            for run in contacts(place, BALL_HEIGHT, motion.fps):
                mask[sample, run] = True
    return masks
