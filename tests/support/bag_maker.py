# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags for tests: motions as joint states and odometry, written through rosbags."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from mgpt3_ros.bags.messages import JOINT_STATE, ODOMETRY, STRING, text_message, typestore
from mgpt3_ros.body.frames import quaternions_to_ros, vectors_to_ros
from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.cli import main as cli
from mgpt3_ros.model.kinematics.joint_angles import joints_to_angles
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.robots import RobotProfile, robot_profile
from tests.support.tiny import swinging_motion

SECOND = 10**9
Messages = list[tuple[int, str, str, bytes]]
BEGAN_NS = 1_790_000_000_000_000_000
DELAY_NS = 3_000_000  # from a stamp to its recording
# Every storage and compression: what bags are written with.
STORED = [
    ('mcap', 'none'),
    ('mcap', 'storage'),
    ('mcap', 'message'),
    ('mcap', 'file'),
    ('sqlite3', 'none'),
    ('sqlite3', 'message'),
    ('sqlite3', 'file'),
]


def made(kind: str, **fields: object) -> object:
    return typestore().types[kind](**fields)


def header(stamp_ns: int, frame: str = 'map') -> object:
    stamp = made('builtin_interfaces/msg/Time', sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return made('std_msgs/msg/Header', stamp=stamp, frame_id=frame)


def joint_state(stamp_ns: int, names: Sequence[str], positions: np.ndarray) -> bytes:
    nothing = np.zeros(0)
    message = made(
        JOINT_STATE,
        header=header(stamp_ns),
        name=list(names),
        position=np.asarray(positions, dtype=np.float64),
        velocity=nothing,
        effort=nothing,
    )
    return bytes(typestore().serialize_cdr(message, JOINT_STATE))


def odometry(stamp_ns: int, pos: np.ndarray, rot: np.ndarray) -> bytes:
    def vector(values: np.ndarray, kind: str = 'Vector3') -> object:
        return made(f'geometry_msgs/msg/{kind}', **dict(zip('xyzw', values.tolist())))  # noqa: B905

    pose = made(
        'geometry_msgs/msg/Pose',
        position=vector(pos, 'Point'),
        orientation=vector(rot, 'Quaternion'),
    )
    still = made('geometry_msgs/msg/Twist', linear=vector(0 * pos), angular=vector(0 * pos))
    spread = np.zeros(36)
    message = made(
        ODOMETRY,
        header=header(stamp_ns),
        child_frame_id='base_link',
        pose=made('geometry_msgs/msg/PoseWithCovariance', pose=pose, covariance=spread),
        twist=made('geometry_msgs/msg/TwistWithCovariance', twist=still, covariance=spread),
    )
    return bytes(typestore().serialize_cdr(message, ODOMETRY))


def stream(
    motion: Motion,
    began_ns: int = BEGAN_NS,
    rate: float = 50.0,
    profile: str = 'human_full',
    seed: int = 0,
    namespace: str = '',
    shuffled: bool = False,
    odom_every: int = 1,
    odom_ahead_s: float = 0.0,
) -> list[tuple[int, str, str, bytes]]:
    """Messages (recorded [ns], topic, type, bytes) of a motion; a third of a step of jitter."""
    known = make_profile(profile, 'ann', robot_profile)
    rng = np.random.default_rng(seed)
    count = int((motion.num_frames - 1) / motion.fps * rate) + 1
    at = np.arange(count) / rate
    at[1:-1] += rng.uniform(-0.33, 0.33, count - 2) / rate
    frames = np.arange(motion.num_frames) / motion.fps

    def sampled(values: np.ndarray) -> np.ndarray:
        return np.stack([np.interp(at, frames, column) for column in values.T], axis=1)

    if isinstance(known, RobotProfile):
        rows = known.from_joints(motion.joints, motion.fps)
    else:
        body = joints_to_angles(motion.joints)
        base = vectors_to_ros(body.root_pos), quaternions_to_ros(body.root_rot)
        rows = known.from_angles(body.angles), *base
    positions, pos, rot = (sampled(values) for values in rows)
    order = rng.permutation(len(known.names)) if shuffled else np.arange(len(known.names))
    names = [known.names[i] for i in order]
    messages = []
    for k in range(count):
        stamp = began_ns + round(at[k] * 1e9)
        data = joint_state(stamp, names, positions[k, order])
        messages.append((stamp + DELAY_NS, f'{namespace}/joint_states', JOINT_STATE, data))
        if k % odom_every:
            continue
        data = odometry(stamp + round(odom_ahead_s * 1e9), pos[k], rot[k])
        messages.append((stamp + DELAY_NS + 1, f'{namespace}/odom', ODOMETRY, data))
    return messages


def write_bag(
    path: Path,
    messages: Sequence[tuple[int, str, str, bytes]],
    storage: str = 'mcap',
    compression: str = 'none',
) -> Path:
    """Write a rosbag2; ``compression`` is none, message, file or storage (mcap's chunks)."""
    writer = Writer(path, version=9, storage_plugin=StoragePlugin[storage.upper()])
    writer.set_compression(CompressionMode[compression.upper()], CompressionFormat.ZSTD)
    with writer:
        connections = {
            (topic, kind): writer.add_connection(topic, kind, typestore=typestore())
            for topic, kind in sorted({(topic, kind) for _, topic, kind, _ in messages})
        }
        for recorded_ns, topic, kind, data in messages:
            writer.write(connections[topic, kind], recorded_ns, data)
    return path


def remark(recorded_ns: int, text: str) -> tuple[int, str, str, bytes]:
    """A message of another topic."""
    return recorded_ns, '/remarks', STRING, text_message(text)


def swinging(seconds: float, **options: object) -> Messages:
    joints = swinging_motion(1, frames=round(seconds * 20) + 1)
    return stream(Motion(joints, 20.0), **options)  # type: ignore[arg-type]


SWING = swinging(2.95)


def run_cli(*words: object) -> int:
    return cli.main([str(word) for word in words])


def cut(path: Path, share: float) -> Path:
    """Keep only the beginning of the one file of messages in a bag's folder."""
    (file,) = (file for file in path.iterdir() if file.name != 'metadata.yaml')
    with file.open('r+b') as opened:
        opened.truncate(int(file.stat().st_size * share))
    return file
