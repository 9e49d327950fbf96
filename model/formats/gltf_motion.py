# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the motion of a humanoid out of a glTF file or a VRM animation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.formats.bvh_names import Skeleton
from mgpt3_ros.model.formats.foreign_bodies import motion_of_bones
from mgpt3_ros.model.formats.glb import INFO
from mgpt3_ros.model.formats.gltf_bones import find_bones
from mgpt3_ros.model.formats.gltf_file import Gltf
from mgpt3_ros.model.kinematics.human import JOINT_INDEX
from mgpt3_ros.model.kinematics.skeleton import FPS, REST_OFFSETS
from mgpt3_ros.model.motion import Motion, MotionInfo

Array = NDArray[np.float64]

MAX_FPS, MIN_FPS = 240.0, 5.0  # keys that lie closer or farther than that are no frame rate
MAX_FRAMES = 200_000  # of what is read: hours of motion


def read_glb(path: str | Path, skeletons: Sequence[Skeleton] = ()) -> Motion:
    """Read the first animation of a humanoid in a ``.glb`` or ``.vrma``.

    Bones are found by a VRM's own table or by their names, as those of BVH files. Unit and body
    become the model's as :func:`~mgpt3_ros.model.formats.bvh.read_bvh` says; heights count from
    the joints of the feet, which at rest stand on the floor of the file.

    Args:
        path: the file.
        skeletons: mappings of bones to joints, tried before those in ``skeletons/``.

    Returns:
        The motion; ``info`` as of :func:`~mgpt3_ros.model.formats.bvh.read_bvh`, and what a file
        of ours says.

    Raises:
        MotionError: the file is damaged or huge, has no animation, or joints are not found.
    """
    gltf = Gltf.load(Path(path))
    try:
        skeleton, places = find_bones(gltf, skeletons)
        tracks, fps, info = _tracks(gltf)
        posed = pose_nodes(gltf, tracks)
        found = {name: posed.positions[:, node] for name, node in places.items()}
        resting = pose_nodes(gltf, {})
        at_rest = {name: resting.positions[:, node] for name, node in places.items()}
        for side in ('left', 'right'):
            _put_in_toes(side, places, found, posed)
            _put_in_toes(side, places, at_rest, resting)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise MotionError(f'the file is damaged: {error!r}') from error
    _lower(found, at_rest)
    bones = [gltf.node_name(number) for number in range(len(gltf.nodes))]
    motion = motion_of_bones(found, skeleton, fps, bones, skeletons, up='y')
    return Motion(motion.joints, motion.fps, {**info, **motion.info})


@dataclass(frozen=True)
class PosedNodes:
    """Where nodes are: positions (T, N, 3), rotations (T, N, 3, 3), scales (N, 3), in the world.

    Scales are those along the axes of a node, as if no parent were skewed.
    """

    positions: Array
    rotations: Array
    scales: Array


def pose_nodes(gltf: Gltf, tracks: dict[tuple[int, str], Array]) -> PosedNodes:
    """Forward kinematics of all nodes.

    Args:
        gltf: the file.
        tracks: by node and path, ``translation`` (T, 3) or ``rotation`` (T, 4); a node without
            one stays as it is at rest. Empty: one frame, at rest.
    """
    frames = max((len(track) for track in tracks.values()), default=1)
    count = len(gltf.nodes)
    positions, rotations = np.zeros((frames, count, 3)), np.zeros((frames, count, 3, 3))
    scales = np.ones((count, 3))
    parents = gltf.parents()
    for node in gltf.order():
        place, turn, scale = gltf.rest(node)
        offset = tracks.get((node, 'translation'), place)
        given = tracks.get((node, 'rotation'))
        local = (turn if given is None else Rotation.from_quat(given)).as_matrix()
        parent = parents[node]
        if parent < 0:
            positions[:, node], rotations[:, node], scales[node] = offset, local, scale
            continue
        reach = np.broadcast_to(scales[parent] * offset, (frames, 3))
        positions[:, node] = positions[:, parent] + np.einsum(
            'tij,tj->ti', rotations[:, parent], reach
        )
        rotations[:, node] = rotations[:, parent] @ local
        scales[node] = scales[parent] * scale
    return PosedNodes(positions, rotations, scales)


def _tracks(gltf: Gltf) -> tuple[dict[tuple[int, str], Array], float, MotionInfo]:
    """Tracks of the first animation at even times, its frame rate, and what it says of itself."""
    animations = gltf.json.get('animations', [])
    if not animations:
        raise MotionError('it holds no animation, only a body at rest')
    animation = animations[0]
    samplers = animation['samplers']
    channels = [
        channel
        for channel in animation['channels']
        if channel['target'].get('path') in ('translation', 'rotation')
        and 'node' in channel['target']
    ]
    clocks = {n: gltf.array(n)[:, 0] for n in {samplers[c['sampler']]['input'] for c in channels}}
    if not clocks:
        raise MotionError('its animation moves no bone')
    times = _even_times(list(clocks.values()))
    tracks = {}
    for channel in channels:
        sampler, target = samplers[channel['sampler']], channel['target']
        values = gltf.array(sampler['output'])
        tracks[target['node'], target['path']] = _sampled(
            clocks[sampler['input']], values, sampler.get('interpolation', 'LINEAR'), times
        )
    extras = animation.get('extras')
    info = extras.get(INFO) if isinstance(extras, dict) else None
    fps = 1.0 / (times[1] - times[0])
    whole = round(fps, 2)
    fps = whole if abs(fps - whole) < 1e-3 else fps
    return tracks, float(fps), info if isinstance(info, dict) else {}  # type: ignore[return-value]


def _even_times(clocks: list[Array]) -> Array:
    """Times [s] of frames: as close as the keys of the densest track mostly are."""
    if not all(np.isfinite(clock).all() and (np.diff(clock) > 0).all() for clock in clocks):
        raise MotionError('the times of its keys do not rise')
    first = min(float(clock[0]) for clock in clocks)
    last = max(float(clock[-1]) for clock in clocks)
    dense = max(clocks, key=len)
    step = float(np.median(np.diff(dense))) if len(dense) > 2 else 1.0 / FPS
    step = float(np.clip(step, 1.0 / MAX_FPS, 1.0 / MIN_FPS))
    count = round((last - first) / step) + 1
    if count > MAX_FRAMES:
        raise MotionError(f'it has {count} frames; up to {MAX_FRAMES} are read: cut it')
    if count < 2:
        raise MotionError('its animation is a single pose')
    return first + step * np.arange(count, dtype=np.float64)


def _sampled(clock: Array, values: Array, interpolation: str, times: Array) -> Array:
    """A track (K, C) of keys at other times, (T, C); beyond its ends it stays."""
    if interpolation == 'CUBICSPLINE':  # tangent, value, tangent; between frames a line will do
        values = values.reshape(len(clock), 3, -1)[:, 1]
    if len(values) != len(clock):
        raise MotionError(f'a track has {len(clock)} times and {len(values)} values')
    at = np.clip(times, clock[0], clock[-1])
    if interpolation == 'STEP':
        return values[np.searchsorted(clock, at + 1e-9, side='right') - 1]
    if len(clock) == 1:
        return np.repeat(values, len(times), axis=0)
    if values.shape[1] == 4:
        return Slerp(clock, Rotation.from_quat(values))(at).as_quat()
    return np.stack([np.interp(at, clock, column) for column in values.T], axis=1)


def _put_in_toes(
    side: str, places: dict[str, int], found: dict[str, Array], posed: PosedNodes
) -> None:
    """Where an avatar has no toes, put the joint where the T pose has it from the ankle."""
    name, ankle = f'{side}_foot', f'{side}_ankle'
    if name in found or ankle not in found or f'{side}_knee' not in found:
        return
    shin = np.linalg.norm(found[ankle] - found[f'{side}_knee'], axis=1).mean()
    rest = REST_OFFSETS[JOINT_INDEX[name]]
    size = float(shin) / float(np.linalg.norm(REST_OFFSETS[JOINT_INDEX[ankle]]))
    found[name] = found[ankle] + size * (posed.rotations[:, places[ankle]] @ rest)


def _lower(found: dict[str, Array], at_rest: dict[str, Array]) -> None:
    """Count heights from the joints of the feet, if at rest these stand a little over y = 0."""
    feet = [float(at_rest[n][0, 1]) for n in at_rest if n.endswith(('_foot', '_ankle'))]
    if not feet or 'pelvis' not in at_rest:
        return
    lowest, hips = min(feet), float(at_rest['pelvis'][0, 1])
    if 0.0 < lowest < 0.15 * hips:
        for name, track in found.items():
            found[name] = track - [0.0, lowest, 0.0]
