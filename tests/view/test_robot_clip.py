# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot on the page: its links are where its kinematics has them, beside or in the place."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

pytest.importorskip('viser', reason='the extra view is not installed')

import msgspec
from websockets.sync.client import connect

from mgpt3_ros.model.errors import RobotError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.robots import Robot, retarget, slowed
from mgpt3_ros.view.clip import Clip
from mgpt3_ros.view.page import write_page
from mgpt3_ros.view.panel import Panel
from mgpt3_ros.view.robot_clip import RobotClip, robot_clip
from mgpt3_ros.view.server import address_of, start_server, stop_server
from mgpt3_ros.view.side_by_side import ASIDE_M, ShownRobot, side_by_side
from mgpt3_ros.view.studio import Studio
from tests.support.page_sockets import CAMERA, PAGE, choose
from tests.support.robots import known, tin_man, walking, write_tin_man

PARTS = [{'start_s': 0.0, 'text': 'walk'}, {'start_s': 1.0, 'text': 'stop'}]


@pytest.fixture(scope='module')
def walk_on_the_spot() -> Motion:
    return Motion(walking(40).astype(np.float32), 20.0, {'text': 'walk', 'parts': PARTS})


@pytest.fixture(scope='module')
def tin(tmp_path_factory: pytest.TempPathFactory) -> Robot:
    return tin_man(tmp_path_factory.mktemp('robot'))


def test_links_are_where_the_kinematics_has_them(tin: Robot, walk_on_the_spot: Motion) -> None:
    clip = robot_clip(tin, walk_on_the_spot, aside_m=-2.0)
    moved, _ = slowed(tin, retarget(tin, walk_on_the_spot.joints, 20.0))
    turns = Rotation.from_quat(moved.base_rot).as_matrix()
    poses = tin.kinematics.forward(moved.positions, turns, moved.base_pos)
    pose = clip.pose(10 / 20.0)
    for number, link in enumerate(tin.kinematics.links):
        np.testing.assert_allclose(
            pose.position[number], poses.places[link][10] + [0.0, -2.0, 0.0], atol=1e-9
        )
        turned = Rotation.from_quat(pose.wxyz[number][[1, 2, 3, 0]]).as_matrix()
        np.testing.assert_allclose(turned, poses.rotations[link][10], atol=1e-9)
    assert np.abs(pose.feet[:, 2]).min() < 0.03  # a sole is on the floor
    assert any(any(clip.standing(time)) for time in np.arange(0.0, clip.duration_s, 0.1))
    assert pose.top[2] > pose.position[:, 2].max()


def test_a_slower_robot_says_so_and_its_words_come_later(
    tmp_path: Path, walk_on_the_spot: Motion
) -> None:
    slow = tin_man(tmp_path, velocity=1.5)
    clip = robot_clip(slow, walk_on_the_spot)
    assert clip.slower > 1.5
    assert clip.duration_s == pytest.approx(clip.slower * 39 / 20.0, abs=0.06)
    assert clip.parts[1] == (pytest.approx(clip.slower), 'stop')
    named = robot_clip(slow, walk_on_the_spot, words=False)
    assert named.parts == [(0.0, f'tin ({clip.slower:.1f} times slower)')]


def test_a_prediction_goes_on_from_what_the_robot_did(
    tin: Robot, walk_on_the_spot: Motion
) -> None:
    before, after = walk_on_the_spot.crop(0, 20), walk_on_the_spot.crop(20, 40)
    whole, ghost = robot_clip(tin, walk_on_the_spot), robot_clip(tin, after, before=before)
    np.testing.assert_allclose(ghost.pose(0.25).position, whole.pose(1.25).position, atol=1e-9)


def test_who_stands_where(tin: Robot, walk_on_the_spot: Motion) -> None:
    motions = [walk_on_the_spot] * 2
    human, robot = side_by_side(motions, 1, ShownRobot(tin))
    assert isinstance(human, Clip)
    assert isinstance(robot, RobotClip)
    assert human.path[0, 1] == pytest.approx(-2 * ASIDE_M, abs=0.1)
    assert robot.path[0, 1] == pytest.approx(-3 * ASIDE_M, abs=0.1)
    assert robot.parts == [(0.0, 'tin')]
    (alone,) = side_by_side(motions, 1, ShownRobot(tin, instead=True))
    assert isinstance(alone, RobotClip)
    assert [text for _, text in alone.parts] == ['walk', 'stop']


def test_a_page_to_keep_holds_the_robot_beside_or_instead(
    tin: Robot, walk_on_the_spot: Motion, tmp_path: Path
) -> None:
    sizes = {}
    for name, options in (
        ('human', {}),
        ('both', {'robot': tin}),
        ('robot', {'robot': tin, 'robot_only': True}),
    ):
        path = tmp_path / f'{name}.html'
        write_page(path, walk_on_the_spot, **options)
        sizes[name] = path.stat().st_size
    assert sizes['both'] > max(sizes['human'], sizes['robot']) + 5000


def test_a_robot_is_chosen_on_the_page(
    tmp_path: Path, walk_on_the_spot: Motion, monkeypatch: pytest.MonkeyPatch
) -> None:
    tin = Robot.from_name_or_file(write_tin_man(tmp_path))
    studio = Studio(lambda: pytest.fail('no model is needed'))
    panel = Panel(start_server(), studio, [walk_on_the_spot], ShownRobot(tin))
    try:
        choice, stage = panel._robot, panel._stage
        assert list(stage.actors) == ['body0', 'body0r']
        assert isinstance(stage.actors['body0r'].clip, RobotClip)
        shown, restage = threading.Event(), stage.step_back
        monkeypatch.setattr(stage, 'step_back', lambda *of: (restage(*of), shown.set()))
        with connect(address_of(panel.server).replace('http', 'ws'), **PAGE) as page:
            page.recv(timeout=30)
            page.send(msgspec.msgpack.encode({'type': 'ViewerCameraMessage', **CAMERA}))
            choose(page, choice._place, "in the human's place")
            assert shown.wait(60)
        assert [actor.clip.parts[0][1] for actor in stage.actors.values()] == ['walk']
        assert isinstance(stage.actors['body0'].clip, RobotClip)
        choice.choose('none', False)
        panel._restage()
        assert isinstance(stage.actors['body0'].clip, Clip)
        choice.choose('no_such_robot', False)
        assert choice.shown is None
        assert 'no_such_robot' in choice._said.content
    finally:
        panel.close()
        stop_server(panel.server)


def test_too_long_a_motion_is_said(tin: Robot) -> None:
    long = Motion(np.repeat(walking(2), 700, axis=0).astype(np.float32), 2.0)
    with pytest.raises(RobotError, match='lasts 700 s; a robot is shown up to 600 s: cut it'):
        robot_clip(tin, long)


@pytest.mark.slow
def test_g1_is_shown_with_its_shapes(walk_on_the_spot: Motion, tmp_path: Path) -> None:
    path = tmp_path / 'g1.html'
    write_page(path, walk_on_the_spot.crop(0, 5), robot=known('g1'))
    assert 1_000_000 < path.stat().st_size < 3_000_000
