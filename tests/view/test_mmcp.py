# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`mgpt3 serve`, asked over HTTP by the protocol's own client."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip('motionmcp', reason='the extra serve is not installed')
pytest.importorskip('fastapi', reason='the extra serve is not installed')

from motionmcp import PoseKeyframeConstraint, ProtocolError
from motionmcp.client import http as client
from motionmcp.client.gltf_parser import parse_gltf_samples

from mgpt3_ros.model.kinematics.human import JOINT_INDEX
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES, PARENTS, REST_OFFSETS
from mgpt3_ros.view.mmcp import keyframe_pose, skeleton
from tests.support.tiny import swinging_motion

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
QUARTER = [0.0, 0.0, 0.70710678, 0.70710678]  # about Z


@pytest.fixture(scope='module')
def address() -> Iterator[str]:
    """A server as `mgpt3 serve` starts it, with the shipped model."""
    import socket

    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, '-m', 'mgpt3_ros.cli.main', 'serve', '--port', str(port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    seen = ''
    while 'licence' not in seen:  # the model is loaded: the server listens at once
        line = process.stdout.readline()
        assert line, seen
        seen += line
    url = re.search(r'http://\S+', seen)
    assert url
    while not client.probe_server(url[0]).ok:
        assert process.poll() is None, seen
    yield url[0]
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=30)[0]
    assert 'Traceback' not in seen + rest


def body(**changes: Any) -> dict[str, Any]:
    asked = {
        'protocol_version': '1.4',
        'model': 'mgpt3',
        'skeleton': skeleton().model_dump(),
        'segments': [{'type': 'text', 'prompt': 'wave with both hands', 'duration_frames': 60}],
        'options': {'seed': 3},
    }
    return asked | changes


def joints_of(sample: dict[str, Any]) -> np.ndarray:
    """Places (T, 22, 3) by forward kinematics of what the client read."""
    local, root = sample['local_rot_mats'], sample['posed_joints'][:, 0]
    assert tuple(sample['joint_names']) == JOINT_NAMES
    world = local.copy()
    places = np.empty((*local.shape[:2], 3))
    places[:, 0] = root
    for joint, parent in enumerate(PARENTS[1:], start=1):
        places[:, joint] = places[:, parent] + world[:, parent] @ REST_OFFSETS[joint]
        world[:, joint] = world[:, parent] @ local[:, joint]
    return places


def answer(address: str, **changes: Any) -> list[dict[str, Any]]:
    return parse_gltf_samples(client.generate(address, body(**changes), timeout=60))


def test_it_says_what_it_can(address: str) -> None:
    (told,) = client.get_capabilities(address)['models']
    assert told['id'] == 'mgpt3'
    assert told['fps'] == 20.0
    assert told['supports_segment_seed']
    assert told['supported_constraints'] == ['pose_keyframe']
    assert [j['name'] for j in told['canonical_skeleton']['joints']] == list(JOINT_NAMES)


def test_a_sentence_becomes_that_motion(address: str, model: Any) -> None:
    import torch

    (sample,) = answer(address)
    generator = torch.Generator().manual_seed(3)
    alone = model.generate('wave with both hands', 3.0, generator=generator)
    assert np.abs(joints_of(sample) - alone.joints).max() < 0.01
    contacts = sample['foot_contacts'][:, JOINT_INDEX['left_foot']]
    assert contacts.mean() > 0.5  # who waves mostly stands


def test_segments_follow_on_one_another_each_with_its_seed(address: str) -> None:
    segments = [
        {'type': 'text', 'prompt': 'walk forward', 'duration_frames': 50, 'seed': 1},
        {'type': 'text', 'prompt': 'take a deep bow', 'duration_frames': 60, 'seed': 2},
    ]
    first, again = (joints_of(answer(address, segments=segments)[0]) for _ in range(2))
    assert first.shape == (110, 22, 3)
    np.testing.assert_allclose(first, again, atol=1e-5)
    assert np.linalg.norm(np.diff(first, axis=0), axis=-1).max() < 0.3  # no jump
    segments[1]['seed'] = 5
    other = joints_of(answer(address, segments=segments)[0])
    np.testing.assert_allclose(first[:40], other[:40], atol=1e-4)
    assert np.abs(first[80:] - other[80:]).max() > 0.02


def test_several_samples_at_another_rate(address: str) -> None:
    options = {'seed': 1, 'num_samples': 2}
    samples = answer(address, options=options, timing={'fps': 30.0})
    assert [sample['num_frames'] for sample in samples] == [60, 60]
    assert samples[0]['fps'] == pytest.approx(30.0)
    one, two = (joints_of(sample) for sample in samples)
    assert np.abs(one - two).max() > 0.02


@pytest.mark.parametrize('frame', [0, 2, 30, 59])
def test_a_keyframe_is_reached_and_left(address: str, frame: int) -> None:
    rotations = {'left_shoulder': QUARTER}  # the arm straight up
    keyframe = {'type': 'pose_keyframe', 'frame': frame, 'joint_rotations': rotations}
    segments = [{'type': 'text', 'prompt': 'walk forward', 'duration_frames': 60}]
    places = joints_of(answer(address, segments=segments, constraints=[keyframe])[0])
    assert places.shape == (60, 22, 3)
    free = joints_of(answer(address, segments=segments)[0])
    around = free[frame]
    goal = keyframe_pose(PoseKeyframeConstraint(**keyframe), around)
    assert np.abs(places[frame] - goal).max() < 0.02
    if frame == 30:
        assert np.abs(places[:15] - free[:15]).max() < 0.02
        assert np.linalg.norm(np.diff(places, axis=0), axis=-1).max() < 0.35


def test_keyframes_alone_are_joined(address: str) -> None:
    constraints = [
        {
            'type': 'pose_keyframe',
            'frame': frame,
            'joint_rotations': {'pelvis': [0.0, 0.0, 0.0, 1.0]},
            'root_position': [0.0, 0.98, z],
        }
        for frame, z in ((0, 0.0), (40, 0.5))
    ]
    sample = answer(address, segments=[], constraints=constraints, duration_frames=60)[0]
    places = joints_of(sample)
    assert places[0, 0, 2] == pytest.approx(0.0, abs=0.02)
    assert places[40, 0, 2] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'model': 'other'}, 'other'),
        ({'segments': [{'type': 'unconditioned', 'duration_frames': 10}]}, 'unconditioned'),
        ({'segments': [{'type': 'text', 'prompt': 'x', 'duration_frames': 9999}]}, '60'),
        (
            {'segments': [{'type': 'text', 'prompt': 'walk', 'duration_frames': 400}]},
            'duration|longest|at most|10',
        ),
        (
            {'constraints': [
                {'type': 'pose_keyframe', 'frame': 3, 'joint_rotations': {'tail': QUARTER}}
            ]},
            'tail',
        ),
    ],
    ids=['model', 'segment', 'long', 'longer than a clip', 'joint'],
)  # fmt: skip
def test_what_it_cannot_do_is_said(address: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(client.MmcpError, match=said) as caught:
        client.generate(address, body(**changes), timeout=60)
    assert caught.value.code != 'internal_error'


def test_a_keyframe_at_rest_and_one_around_a_pose() -> None:
    around = swinging_motion(0)[20].astype(np.float64)
    for mode, expected in (('rest', False), ('generate', True)):
        keyframe = PoseKeyframeConstraint(
            type='pose_keyframe', frame=0, joint_rotations={'head': (0, 0, 0, 1)}, fill_mode=mode
        )
        pose = keyframe_pose(keyframe, around)
        assert bool(np.abs(pose - around).max() < 0.02) is expected
    with pytest.raises(ProtocolError, match='is zero'):
        keyframe_pose(
            PoseKeyframeConstraint(
                type='pose_keyframe', frame=0, joint_rotations={'head': (0, 0, 0, 0)}
            ),
            around,
        )
