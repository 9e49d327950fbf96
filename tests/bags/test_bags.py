# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags without ROS: every storage and compression, broken ones, captions and forecasts."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.bags import (
    Windows,
    body_windows,
    find_body,
    open_bag,
)
from mgpt3_ros.bags.messages import (
    BASE_TRAJECTORY,
    JOINT_TRAJECTORY,
    decode,
)
from mgpt3_ros.cli import main as cli
from mgpt3_ros.model.language.caption_actions import read_action
from mgpt3_ros.model.motion import Motion
from tests.support.bag_maker import (
    BEGAN_NS,
    DELAY_NS,
    SECOND,
    STORED,
    Messages,
    run_cli,
    stream,
    swinging,
    write_bag,
)
from tests.support.robots import known, write_tin_man
from tests.support.tiny import swinging_motion


def captions_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(('storage', 'compression'), STORED)
def test_captions_name_the_actions(
    storage: str, compression: str, messages: Messages, tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / 'bag', messages, storage, compression)
    out = tmp_path / 'captions.jsonl'
    assert run_cli('caption-bag', bag, '-o', out, '--window', '6') == 0
    wave, run = captions_of(out)
    assert read_action(wave['caption']) == 'wave-both-hands'
    assert read_action(run['caption']) == 'run'
    delay = DELAY_NS / SECOND
    assert (wave['start_s'], wave['end_s']) == pytest.approx((delay, delay + 5.94), abs=2e-3)
    assert (run['start_s'], run['end_s']) == pytest.approx((10 + delay, 15.95 + delay), abs=2e-3)
    assert wave['start_stamp_ns'] == BEGAN_NS
    assert run['start_stamp_ns'] == BEGAN_NS + 10 * SECOND


def test_ros4hri_is_known_by_its_names(
    motions: tuple[Motion, Motion], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace = '/humans/bodies/ann'
    heard = stream(motions[0], profile='ros4hri', namespace=namespace)
    bag = write_bag(tmp_path / 'bag', heard, 'sqlite3')
    assert run_cli('caption-bag', bag, '--write-bag', tmp_path / 'out', '--window', '6') == 0
    assert f'{namespace}/joint_states (ros4hri), {namespace}/odom' in capsys.readouterr().err
    with open_bag(tmp_path / 'out') as copy:
        (said,) = copy.messages([f'{namespace}/caption'])
    assert read_action(decode(said).data) == 'wave-both-hands'
    assert run_cli('caption-bag', bag, '--profile', 'human_full') == cli.MISUSED
    assert 'no joints of human_full' in capsys.readouterr().err


def test_a_robot_is_known_by_its_names_and_captioned(
    motions: tuple[Motion, Motion], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known('icub')
    bag = write_bag(tmp_path / 'bag', stream(motions[0], profile='icub'))
    assert run_cli('bag-info', bag) == 0
    assert '(a body: icub, /odom)' in capsys.readouterr().out
    assert run_cli('caption-bag', bag, '--write-bag', tmp_path / 'out', '--window', '6') == 0
    assert '/joint_states (icub), /odom' in capsys.readouterr().err
    with open_bag(tmp_path / 'out') as copy:
        (said,) = copy.messages(['/caption'])
    assert read_action(decode(said).data) == 'wave-both-hands'


def test_a_robot_of_a_file_is_captioned(
    motions: tuple[Motion, Motion], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = str(write_tin_man(tmp_path))
    bag = write_bag(tmp_path / 'bag', stream(motions[0], profile=mine))
    assert run_cli('caption-bag', bag) == cli.MISUSED  # its names are nobody's who is known
    assert 'docs/robots.md' in capsys.readouterr().err
    command = ('caption-bag', bag, '--profile', mine, '--window', '6')
    assert run_cli(*command, '--write-bag', tmp_path / 'out') == 0
    with open_bag(tmp_path / 'out') as copy:
        (said,) = copy.messages(['/caption'])
    assert read_action(decode(said).data) == 'wave-both-hands'


def test_motion_in_a_bag_comes_back(motions: tuple[Motion, Motion], tmp_path: Path) -> None:
    bag_path = write_bag(tmp_path / 'bag', stream(motions[1], rate=100.0, shuffled=True))
    with open_bag(bag_path) as bag:
        body = find_body(bag)
        windows = Windows(body.profile, 4.0, 4.0)
        cut_out = [w for _, done in body_windows(body, bag.messages(), windows) for w in done]
    assert len(cut_out) == 2
    first = cut_out[0]
    frame = round((first.end_ns - BEGAN_NS) / SECOND * 20)
    there = motions[1].joints[: frame + 1]
    here = first.motion.joints[-len(there) :]
    error = np.linalg.norm(here - there[-len(here) :], axis=-1).mean()
    assert error < 0.012  # m; a runner covers 3 mm in the millisecond that stamps are off


def test_without_odometry_the_body_stays(
    messages: Messages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = write_bag(tmp_path / 'bag', [m for m in messages if m[1] != '/odom'])
    assert run_cli('caption-bag', bag, '--window', '4') == 0
    said, noted = capsys.readouterr()
    assert 'no odometry' in noted
    assert read_action(said.splitlines()[0][20:]) == 'wave-both-hands'
    whole = write_bag(tmp_path / 'whole', messages)
    assert run_cli('caption-bag', whole, '--odom', 'none', '--window', '4') == 0
    assert capsys.readouterr().out == said


def test_odometry_once_a_second_is_used(tmp_path: Path) -> None:
    walk = Motion(swinging_motion(0, 121, 1.0))
    bag_path = write_bag(tmp_path / 'bag', stream(walk, odom_every=50))
    with open_bag(bag_path) as bag:
        body = find_body(bag)
        windows = Windows(body.profile, 5.0, 5.0)
        cut_out = [w for _, done in body_windows(body, bag.messages(), windows) for w in done]
    assert (windows.apart, windows.buffer.dropped, windows.buffer.gaps) == (0, {}, 0)
    for window in cut_out:
        seconds = (window.end_ns - window.start_ns) * 1e-9
        moved = window.observed.base_pos[-1] - window.observed.base_pos[0]
        assert moved[0] == pytest.approx(seconds, abs=0.06)  # 1 m/s


def test_odometry_of_another_clock_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    messages = swinging(5.0, odom_ahead_s=-1.7e9)
    bag = write_bag(tmp_path / 'bag', messages)
    assert run_cli('caption-bag', bag, '--window', '6') == 0
    noted = capsys.readouterr().err
    count = sum(message[1] == '/odom' for message in messages)
    assert f'{count} messages of odometry with stamps far from those of the joint' in noted
    assert 'odometry does not fit in 1 of 1 windows' in noted


def test_sliding_windows_cover_the_stream(tmp_path: Path) -> None:
    bag_path = write_bag(tmp_path / 'bag', swinging(13.0))
    with open_bag(bag_path) as bag:
        body = find_body(bag)
        windows = Windows(body.profile, 6.0, 3.0)
        cut_out = [w for _, done in body_windows(body, bag.messages(), windows) for w in done]
    spans = [((w.start_ns - BEGAN_NS) / SECOND, (w.end_ns - BEGAN_NS) / SECOND) for w in cut_out]
    expected = [(0, 6), (3, 9), (6, 12), (7, 13)]  # the last reaches to the end
    assert np.abs(np.array(spans) - expected).max() < 0.05
    assert {w.motion.num_frames for w in cut_out} <= {120, 121}


def test_forecasts_go_on_from_what_was_observed(
    motions: tuple[Motion, Motion], tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / 'bag', stream(motions[1], rate=100.0))
    out = tmp_path / 'out'
    call = ('predict-bag', bag, '--horizon', '1', '--stride', '2', '--seed', '0')
    assert run_cli(*call, '--write-bag', out) == 0
    with open_bag(out) as copy:
        kinds = {topic.name: topic.type for topic in copy.topics}
        heard = {
            decode(m).header.stamp.nanosec + decode(m).header.stamp.sec * SECOND: decode(m)
            for m in copy.messages(['/joint_states'])
        }
        joints = [decode(m) for m in copy.messages(['/predicted_trajectory'])]
        bases = [decode(m) for m in copy.messages(['/predicted_base_trajectory'])]
    assert kinds['/predicted_trajectory'] == JOINT_TRAJECTORY
    assert kinds['/predicted_base_trajectory'] == BASE_TRAJECTORY
    assert len(joints) == len(bases) == 3  # at 1, 3 and 5 s
    for forecast, base in zip(joints, bases, strict=True):
        stamp = forecast.header.stamp.sec * SECOND + forecast.header.stamp.nanosec
        last = heard[stamp]  # the very stamp of a joint state
        assert forecast.joint_names == last.name
        assert len(forecast.points) == len(base.points) == 20
        assert forecast.points[0].time_from_start.nanosec == 50_000_000
        step = forecast.points[0].positions - last.position
        assert np.abs(step).max() < 0.05 * 20  # no joint faster than 20 rad/s
        assert np.isfinite([point.velocities for point in forecast.points]).all()
        assert base.joint_names == ['base_link']


def test_what_follows_a_moment(motions: tuple[Motion, Motion], tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', stream(motions[1]))
    out = tmp_path / 'next.npz'
    call = ('predict-bag', bag, '--horizon', '1', '-o', out, '--seed', '0')
    for at, frame in ((['--at', '3'], 60), ([], 119)):
        assert run_cli(*call, *at) == 0
        following = Motion.load(out)
        assert following.num_frames == 20
        gap = np.linalg.norm(following.joints[0] - motions[1].joints[frame], axis=-1).mean()
        assert gap < 0.35  # m: a frame of a run, and no more
    page = tmp_path / 'next.html'
    assert run_cli(*call, '-o', page, '-o', tmp_path / 'next.glb') == 0
    assert b'__VISER_EMBED_DATA__' in page.read_bytes()
    assert Motion.load(tmp_path / 'next.glb').num_frames == 20
    assert run_cli(*call, '--at', '0.5') == cli.MISUSED


def test_info_tells_of_topics_and_bodies(
    messages: Messages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = write_bag(tmp_path / 'bag', messages, 'sqlite3', 'message')
    assert run_cli('bag-info', bag) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f'{bag}: sqlite3, compressed by message, {len(messages)} messages'
    assert lines[1].startswith('15.95 s from 2026-09-21 ')
    assert lines[2].split() == (
        [
            '/joint_states',
            '894',
            'sensor_msgs/msg/JointState',
            '(a',
            'body:',
            'human_full,',
            '/odom)',
        ]
    )
    assert lines[4].split() == ['/remarks', '1', 'std_msgs/msg/String']


def test_without_a_window_a_bag_falls_into_segments_of_one_action(
    messages: Messages, tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / 'bag', messages)
    out = tmp_path / 'captions.jsonl'
    assert run_cli('caption-bag', bag, '-o', out, '-o', tmp_path / 'captions.srt') == 0
    rows = captions_of(out)
    for one, other in pairwise(rows):
        assert one['end_s'] <= other['start_s'] + 1e-3
        apart = other['start_s'] - one['end_s'] > 1
        assert one['label'] != other['label'] or apart  # equal ones are merged
    for middle, label in ((3.0, 'wave-both-hands'), (13.0, 'run')):
        (row,) = (row for row in rows if row['start_s'] <= middle < row['end_s'])
        assert row['label'] == label == read_action(row['caption'])
        assert 0.5 < row['confidence'] <= 1.0
    assert not any(row['start_s'] < 8.0 < row['end_s'] for row in rows)  # silence
    assert (tmp_path / 'captions.srt').read_text().count('-->') == len(rows)
