# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Own captures of other kinds, rosbags and skeletons with a mapping file, become data sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from mgpt3_ros.cli import main as cli
from mgpt3_ros.model.formats.bvh_names import load_skeleton
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.training.data.building import build_dataset
from mgpt3_ros.training.data.caption_lines import load_captions, text_lines
from mgpt3_ros.training.data.checking import check_dataset
from mgpt3_ros.training.data.clip import DataError
from mgpt3_ros.training.data.dataset import load_dataset
from mgpt3_ros.training.data.humanml3d import HumanML3DOptions
from mgpt3_ros.training.data.raw import read_takes
from mgpt3_ros.training.data.takes import ReadOptions
from tests.support.bag_maker import BEGAN_NS, joint_state, remark, stream, write_bag
from tests.support.bvh import OWN, foreign
from tests.support.tiny import swinging_motion

SECOND = 10**9


def walk(seed: int = 0, frames: int = 80) -> Motion:
    return Motion(swinging_motion(seed, frames, 0.5))


def captioned(bag: Path, *lines: str) -> Path:
    name = bag.name if bag.is_dir() else bag.stem
    bag.with_name(f'{name}.txt').write_text('\n'.join(lines) + '\n')
    return bag


def test_suffixes_may_be_in_capitals(tmp_path: Path) -> None:
    for name in ('A.NPZ', 'B.BVH', 'C.Npy'):
        walk().save(tmp_path / name)
        (tmp_path / name).with_suffix('.txt').write_text('a person walks.\n')
    assert check_dataset(tmp_path).problems == []
    report = build_dataset(tmp_path, tmp_path / 'out')
    assert sorted(name for split in report.splits.values() for name in split) == ['A', 'B', 'C']


# Rosbags.


@pytest.mark.parametrize('profile', ['human_full', 'ros4hri'])
@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_bag_gives_the_motion_that_it_was_made_of(
    profile: str, storage: str, tmp_path: Path
) -> None:
    motion = walk()
    messages = stream(motion, profile=profile, shuffled=True)
    bag = captioned(write_bag(tmp_path / 'walk', messages, storage), 'a person walks.')
    ((suffix, found, lines),) = read_takes(bag).takes
    assert (suffix, [line.text for line in lines]) == ('', ['a person walks.'])
    assert found.fps == 20
    assert abs(found.num_frames - motion.num_frames) <= 1
    error = np.linalg.norm(found.joints - motion.joints[-found.num_frames :], axis=-1)
    # ros4hri has fewer joints: its body is approximate.
    assert error.mean() < (0.01 if profile == 'human_full' else 0.06)


def test_bags_files_and_folders_become_a_data_set(tmp_path: Path) -> None:
    captures = tmp_path / 'captures'
    (captures / 'day.one').mkdir(parents=True)
    for number in range(2):
        bag = write_bag(captures / 'day.one' / f'take.{number}', stream(walk(number)))
        captioned(bag, f'a person walks, take {number}.')
    loose = write_bag(tmp_path / 'loose', stream(walk(2)))
    (file,) = loose.glob('*.mcap')
    captioned(file.rename(captures / 'loose.mcap'), 'someone walks.')
    walk(3).save(captures / 'd.npz')
    (captures / 'd.txt').write_text('someone glides.\n')
    assert check_dataset(captures).problems == []
    report = build_dataset(captures, tmp_path / 'out')
    names = sorted(name for split in report.splits.values() for name in split)
    assert names == ['d', 'day.one_take.0', 'day.one_take.1', 'loose']
    assert (report.skipped, report.remarks) == ({}, {})
    assert check_dataset(tmp_path / 'out').problems == []
    assert len(load_dataset(tmp_path / 'out').clips) >= 4  # with mirror images


def test_times_of_captions_count_from_the_beginning_of_the_bag(tmp_path: Path) -> None:
    # The recorder was started 3 s before the body was there.
    messages = [remark(BEGAN_NS - 3 * SECOND, 'hello'), *stream(walk(frames=120))]
    bag = captioned(write_bag(tmp_path / 'late', messages), 'walks.##4.0#6.0', 'waits.##0.0#2.5')
    found = read_takes(bag)
    (take,) = found.takes
    ((text, start, end),) = [(line.text, line.start_s, line.end_s) for line in take.lines]
    assert text == 'walks.'
    assert (start, end) == pytest.approx((1.0, 3.0), abs=0.02)
    assert found.remarks == ["'waits.' (0 to 2.5 s) lies in no piece of the stream"]


def test_a_stream_that_breaks_off_gives_a_take_for_each_piece(tmp_path: Path) -> None:
    second = stream(walk(1), began_ns=BEGAN_NS + 10 * SECOND)
    blink = stream(walk(2, 10), began_ns=BEGAN_NS + 20 * SECOND)
    bag = write_bag(tmp_path / 'pieces', [*stream(walk(0)), *second, *blink])
    captioned(bag, 'walks first.##0.5#3.0', 'walks then.##11.0#13.5', 'both.##2.0#12.0')
    found = read_takes(bag)
    assert [(t.suffix, [line.text for line in t.lines]) for t in found.takes] == [
        ('_1', ['walks first.']),
        ('_2', ['walks then.']),
    ]
    line = found.takes[1].lines[0]
    assert (line.start_s, line.end_s) == pytest.approx((1.0, 3.5), abs=0.02)
    assert found.remarks == [
        '1 pieces shorter than 1 s left out',
        "'both.' (2 to 12 s) lies in no piece of the stream",
    ]
    problems = check_dataset(tmp_path).problems
    assert [(p.file, p.what) for p in problems] == [('pieces', what) for what in found.remarks]
    captioned(bag, 'a person walks.')
    with pytest.raises(DataError, match=r"breaks off 1 times, so that 'a person walks\.' may"):
        read_takes(bag)


def test_messages_that_are_left_out_are_counted(tmp_path: Path) -> None:
    messages = stream(walk())
    bad = joint_state(BEGAN_NS + 2 * SECOND, ['nose'], np.zeros(1))
    messages.append((BEGAN_NS + 2 * SECOND, messages[0][1], messages[0][2], bad))
    messages.sort()
    bag = captioned(write_bag(tmp_path / 'bad', messages), 'a person walks.')
    assert read_takes(bag).remarks == ['1 messages left out (coverage)']


def test_odometry_of_another_clock_is_told_of_and_once_a_second_is_used(tmp_path: Path) -> None:
    slow = captioned(write_bag(tmp_path / 'slow', stream(walk(), odom_every=50)), 'walks.')
    (take,) = read_takes(slow).takes
    moved = take.motion.joints[-1, 0] - take.motion.joints[0, 0]
    assert np.linalg.norm(moved[[0, 2]]) == pytest.approx(0.5 * take.motion.duration_s, abs=0.05)
    assert read_takes(slow).remarks == []
    apart = captioned(write_bag(tmp_path / 'apart', stream(walk(), odom_ahead_s=9.0)), 'walks.')
    counted, still = read_takes(apart).remarks
    assert counted.endswith('messages left out (apart)')
    assert still == (
        'odometry does not fit in 1 of 1 pieces: the body is taken to stay in place there'
    )


def test_a_bag_without_odometry_is_used_and_told_of(tmp_path: Path) -> None:
    messages = [message for message in stream(walk()) if message[1] == '/joint_states']
    bag = captioned(write_bag(tmp_path / 'still', messages), 'a person swings the arms.')
    said = 'no odometry: the body is taken to stay in place'
    assert read_takes(bag).remarks == [said]
    assert [p.what for p in check_dataset(tmp_path).problems] == [said]


@pytest.mark.parametrize(
    ('kind', 'message'),
    [
        ('no caption', 'no caption: write a line or more into robot.txt'),
        ('no body', 'has no topic of sensor_msgs/msg/JointState'),
        ('robot', 'no joints of human_full, ros4hri'),
        ('damaged', 'robot.mcap breaks off after byte 0 of 6'),
        ('short', 'holds no 1 s of motion on end'),
    ],
)
def test_a_bag_that_cannot_be_used_is_left_out_with_the_reason(
    kind: str, message: str, tmp_path: Path
) -> None:
    captures = tmp_path / 'captures'
    captures.mkdir()
    for number in range(2):
        walk(number).save(captures / f'{number}.npz')
        (captures / f'{number}.txt').write_text('a person walks.\n')
    messages = stream(walk(frames=15 if kind == 'short' else 60))
    if kind == 'no body':
        messages = [remark(BEGAN_NS, 'hello')]
    if kind == 'robot':
        data = joint_state(BEGAN_NS, ['wheel_1', 'wheel_2'], np.zeros(2))
        messages = [(BEGAN_NS, '/joint_states', messages[0][2], data)]
    bag = write_bag(captures / 'robot', messages)
    if kind != 'no caption':
        captioned(bag, 'a person walks.')
    if kind == 'damaged':
        for file in bag.glob('*.mcap'):
            file.write_bytes(b'no bag')
    problems = check_dataset(captures).problems
    assert {p.file for p in problems} == {'robot'}
    assert message in '; '.join(p.what for p in problems)
    report = build_dataset(captures, tmp_path / 'out')
    assert sum(map(len, report.splits.values())) == 2
    ((reason, names),) = report.skipped.items()
    assert names == ['robot']
    assert message in reason


def test_the_command_takes_bags_of_a_body_that_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    captures = tmp_path / 'captures'
    captures.mkdir()
    for number in range(2):
        both = [*stream(walk(0), namespace='/ann'), *stream(walk(1), namespace='/bob', seed=1)]
        captioned(write_bag(captures / f'{number}', sorted(both)), 'a person walks.')
    out = str(tmp_path / 'out')
    assert cli.main(['data', 'build', str(captures), '-o', out]) == 2
    assert 'several topics of joint states: --topic /ann/joint_states' in capsys.readouterr().err
    named = ['--topic', '/bob/joint_states', '--odom', 'none']
    assert cli.main(['data', 'build', str(captures), '-o', out, *named]) == 0
    said = capsys.readouterr()
    assert said.out == f'{out}: 1 train, 1 val, 0 test; 0 left out\n'
    assert said.err.count('no odometry: the body is taken to stay in place') == 2


# Skeletons with a mapping file.


def write_own_skeleton(folder: Path, names: dict[str, str] = OWN) -> Path:
    path = folder / 'studio.yaml'
    path.write_text(yaml.safe_dump({'bones': {bone: joint for joint, bone in names.items()}}))
    return path


def test_a_mapping_file_brings_a_skeleton_to_the_22_joints(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    captures, out = tmp_path / 'captures', tmp_path / 'out'
    captures.mkdir()
    for number in range(2):
        (captures / f'{number}.bvh').write_text(foreign(walk(number), OWN, 110.0))
        (captures / f'{number}.txt').write_text('a person walks.\n')
    walk(2).save(captures / 'smpl.bvh')  # of another skeleton, in the same folder
    (captures / 'smpl.txt').write_text('a person glides.\n')
    assert cli.main(['data', 'check', str(captures)]) == 1
    said = capsys.readouterr().out
    assert said.count('joints not found: pelvis, left_hip') == 2
    assert 'smpl.bvh' not in said
    mapping = ['--skeleton', str(write_own_skeleton(tmp_path))]
    assert cli.main(['data', 'check', str(captures), *mapping]) == 0
    assert cli.main(['data', 'build', str(captures), '-o', str(out), *mapping]) == 0
    built = np.load(out / 'new_joints' / '0.npy')
    given = walk(0).canonical().joints[:-1]
    assert np.abs(built - given).max() < 0.01
    record = yaml.safe_load((out / 'build.json').read_text())
    assert record['skeletons'][0]['bones']['Kopf'] == 'head'


def test_mistakes_in_a_bvh_are_found(tmp_path: Path) -> None:
    swapped = {**OWN}
    for joint in JOINT_NAMES:
        if joint.startswith('left_') and 'foot' not in joint:
            other = joint.replace('left', 'right')
            swapped[joint], swapped[other] = OWN[other], OWN[joint]
    file = tmp_path / 'walk.bvh'
    file.write_text(foreign(walk(), OWN, 100.0))
    file.with_suffix('.txt').write_text('a person walks.\n')
    options = ReadOptions(skeletons=(load_skeleton(write_own_skeleton(tmp_path, swapped)),))
    found = [problem.what for problem in check_dataset(tmp_path, options).problems]
    assert any('left and right are swapped' in what for what in found), found
    file.with_suffix('.txt').write_text('a person walks.##0#3\nwaits.##20#25\n')
    options = ReadOptions(skeletons=(load_skeleton(write_own_skeleton(tmp_path)),))
    found = [problem.what for problem in check_dataset(tmp_path, options).problems]
    assert found == ['has 3.95 s, but a caption speaks of what comes later']


@pytest.mark.parametrize(
    ('frames', 'lines', 'message'),
    [
        (20, 'walks.', '19 frames, fewer than 20'),
        (300, 'walks.', '299 frames, more than 199, and no caption of a part'),
    ],
)
def test_lengths_of_own_motions_are_checked(
    frames: int, lines: str, message: str, tmp_path: Path
) -> None:
    walk(frames=frames).save(tmp_path / 'walk.npz')
    (tmp_path / 'walk.txt').write_text(lines)
    assert check_dataset(tmp_path).problems == [('walk.npz', message)]


# Names and texts as people and their systems write them.


@pytest.mark.parametrize(
    'name',
    ['Walk Left Turn (1)', 'two  blanks', 'wide\u3000blank', 'no\u00a0break', ' blank ends '],
)
def test_names_with_blanks_lose_no_clip(name: str, tmp_path: Path) -> None:
    captures = tmp_path / 'captures'
    (captures / 'day one').mkdir(parents=True)
    for number, stem in enumerate([name, f'day one/{name}', 'plain']):
        walk(number).save(captures / f'{stem}.npz')
        (captures / f'{stem}.txt').write_text('a person walks.\n', encoding='utf-8')
    report = build_dataset(captures, tmp_path / 'out')
    names = sorted(found for split in report.splits.values() for found in split)
    assert names == sorted([name.strip(), f'day one_{name}'.strip(), 'plain'])
    assert check_dataset(tmp_path / 'out').problems == []
    data = load_dataset(tmp_path / 'out', options=HumanML3DOptions(mirror=False))
    known = {clip.id for clip in [*data.clips, *data.val]}
    assert known == set(report.splits['train'] + report.splits['val'])


def test_a_byte_order_mark_is_part_of_no_text(tmp_path: Path) -> None:
    captures = tmp_path / 'captures'
    captures.mkdir()
    said = 'left arm up.'
    written = {'a': said, 'b': f'{said}#left/ADJ#0.0#0.0\r\n', 'c': f'{said}\r'}
    for number, (stem, text) in enumerate(written.items()):
        walk(number).save(captures / f'{stem}.npz')
        (captures / f'{stem}.txt').write_bytes(b'\xef\xbb\xbf' + text.encode())
        assert [line.text for line in load_captions(captures / f'{stem}.npz')] == [said]
    build_dataset(captures, tmp_path / 'out')
    for file in (tmp_path / 'out').rglob('*.txt'):
        file.write_bytes(b'\xef\xbb\xbf' + file.read_bytes().removeprefix(b'\xef\xbb\xbf'))
    assert check_dataset(tmp_path / 'out').problems == []
    data = load_dataset(tmp_path / 'out', options=HumanML3DOptions(mirror=False))
    assert {clip.captions for clip in [*data.clips, *data.val]} == {(said,)}


def test_only_line_ends_part_lines() -> None:
    assert text_lines(b'a\r\nb\rc\nd') == ['a', 'b', 'c', 'd']
    assert text_lines('a\x0bb\u2028c\x85d'.encode()) == ['a\x0bb\u2028c\x85d']
    with pytest.raises(UnicodeDecodeError):
        text_lines('a person'.encode('utf-16'))
