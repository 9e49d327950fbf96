# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags without ROS: every storage and compression, broken ones, captions and forecasts."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter

from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training import cli
from mgpt3_ros.training.bags import (
    BagCopy,
    BagError,
    Recorded,
    Windows,
    body_windows,
    find_body,
    open_bag,
)
from mgpt3_ros.training.bags.caption_files import Caption, caption_file
from mgpt3_ros.training.bags.messages import (
    BASE_TRAJECTORY,
    JOINT_STATE,
    JOINT_TRAJECTORY,
    STRING,
    decode,
    text_message,
    typestore,
)
from mgpt3_ros.training.commands import caption_bag, predict_bag
from mgpt3_ros.training.evaluation.reading import read_action
from tests.bag_maker import BEGAN_NS, DELAY_NS, joint_state, remark, stream, write_bag
from tests.tiny import swinging_motion

STORED = [
    ('mcap', 'none'),
    ('mcap', 'storage'),
    ('mcap', 'message'),
    ('mcap', 'file'),
    ('sqlite3', 'none'),
    ('sqlite3', 'message'),
    ('sqlite3', 'file'),
]
SECOND = 10**9
Messages = list[tuple[int, str, str, bytes]]


@pytest.fixture(scope='module')
def model() -> MotionGPT3:
    """The shipped checkpoint."""
    torch.set_num_threads(1)
    return MotionGPT3.from_pretrained(device='cpu')


@pytest.fixture(autouse=True)
def loaded_once(model: MotionGPT3, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (caption_bag, predict_bag):
        monkeypatch.setattr(command, 'load_model', lambda _: model)


@pytest.fixture(scope='module')
def motions(model: MotionGPT3) -> tuple[Motion, Motion]:
    """A person who waves, and one who runs: 6 s each, drawn by the shipped checkpoint."""
    texts = ['a person waves with both hands', 'a person runs fast']
    drawn = model.generate(texts, [6.0, 6.0], generator=torch.Generator().manual_seed(0))
    return drawn[0], drawn[1]


@pytest.fixture(scope='module')
def messages(motions: tuple[Motion, Motion]) -> Messages:
    """The one at 50 Hz, four seconds of silence, the other at 100 Hz and in another order."""
    wave, run = motions
    later = BEGAN_NS + 10 * SECOND
    return [
        *(remark(BEGAN_NS, 'hello'), *stream(wave)),
        *stream(run, later, rate=100.0, shuffled=True),
    ]


def swinging(seconds: float, **options: object) -> Messages:
    joints = swinging_motion(1, frames=round(seconds * 20) + 1)
    return stream(Motion(joints, 20.0), **options)  # type: ignore[arg-type]


SWING = swinging(2.95)


def captions_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def run_cli(*words: object) -> int:
    return cli.main([str(word) for word in words])


def cut(path: Path, share: float) -> Path:
    """Keep only the beginning of the one file of messages in a bag's folder."""
    (file,) = (file for file in path.iterdir() if file.name != 'metadata.yaml')
    with file.open('r+b') as opened:
        opened.truncate(int(file.stat().st_size * share))
    return file


# ---------------------------------------------------------------------- whole bags


@pytest.mark.parametrize(('storage', 'compression'), STORED)
def test_captions_name_the_actions(
    storage: str, compression: str, messages: Messages, tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / 'bag', messages, storage, compression)
    out = tmp_path / 'captions.jsonl'
    assert run_cli('caption-bag', bag, '-o', out) == 0
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
    assert run_cli('caption-bag', bag, '--write-bag', tmp_path / 'out') == 0
    assert f'{namespace}/joint_states (ros4hri), {namespace}/odom' in capsys.readouterr().err
    with open_bag(tmp_path / 'out') as copy:
        (said,) = copy.messages([f'{namespace}/caption'])
    assert read_action(decode(said).data) == 'wave-both-hands'
    assert run_cli('caption-bag', bag, '--profile', 'human_full') == cli.MISUSED
    assert 'no joints of human_full' in capsys.readouterr().err


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


# ---------------------------------------------------------------------- outputs


def test_formats_are_exact(tmp_path: Path) -> None:
    shown = [
        Caption(0.003, 6.003, 10, 20, 'a person walks, then "stops".'),
        Caption(3.003, 9.003, 13, 23, 'eine Person läuft.'),
        Caption(3725.5, 3731.25, 30, 40, 'a person bows.'),
    ]
    for suffix in ('.jsonl', '.csv', '.srt'):
        with caption_file(tmp_path / f'a{suffix}') as file:
            for caption in shown:
                file.add(caption)
    assert (tmp_path / 'a.jsonl').read_text('utf-8').splitlines()[1] == (
        '{"start_s": 3.003, "end_s": 9.003, "start_stamp_ns": 13, "end_stamp_ns": 23, '
        '"caption": "eine Person läuft."}'
    )
    assert (tmp_path / 'a.csv').read_bytes().decode() == (
        'start_s,end_s,start_stamp_ns,end_stamp_ns,caption\n'
        '0.003,6.003,10,20,"a person walks, then ""stops""."\n'
        '3.003,9.003,13,23,eine Person läuft.\n'
        '3725.5,3731.25,30,40,a person bows.\n'
    )
    assert (tmp_path / 'a.srt').read_bytes().decode() == (
        '1\n00:00:00,003 --> 00:00:03,003\na person walks, then "stops".\n\n'
        '2\n00:00:03,003 --> 00:00:09,003\neine Person läuft.\n\n'
        '3\n01:02:05,500 --> 01:02:11,250\na person bows.\n\n'
    )
    with (tmp_path / 'a.csv').open(newline='') as file:
        assert [row['caption'] for row in csv.DictReader(file)] == [c.caption for c in shown]
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a.csv', 'a.jsonl', 'a.srt']


def test_a_file_of_captions_is_whole_or_not_there(tmp_path: Path) -> None:
    def fail() -> None:
        with caption_file(tmp_path / 'a.srt') as file:
            file.add(Caption(0, 1, 0, 1, 'a'))
            raise BagError('the bag broke')

    with pytest.raises(BagError):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(('storage', 'compression'), STORED)
def test_a_copy_holds_the_input_and_the_captions(
    storage: str, compression: str, messages: Messages, tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / 'bag', messages, storage, compression)
    out = tmp_path / 'out'
    assert run_cli('caption-bag', bag, '--write-bag', out, '--caption-topic', '/said') == 0
    with open_bag(bag) as before, open_bag(out) as after:
        assert after.storage == storage
        kept = list(after.messages(['/joint_states', '/odom', '/remarks']))
        assert kept == list(before.messages())
        said = list(after.messages(['/said']))
        assert [topic.name for topic in after.topics] == [
            *('/joint_states', '/odom', '/remarks'),
            '/said',
        ]
        order = [message.recorded_ns for message in after.messages()]
    assert order == sorted(order)
    assert [read_action(decode(message).data) for message in said] == ['wave-both-hands', 'run']
    ends = [5.94, 15.95]
    assert [(m.recorded_ns - BEGAN_NS) / SECOND for m in said] == pytest.approx(ends, abs=0.01)


def test_a_type_that_nobody_knows_is_copied(tmp_path: Path) -> None:
    bag_path = write_bag(tmp_path / 'bag', [remark(BEGAN_NS, 'hello')])
    with open_bag(bag_path) as bag:
        strange = Recorded('/strange', 'my_msgs/msg/Thing', BEGAN_NS, b'\0\1\0\0abc\0')
        bag.topics = (*bag.topics, type(bag.topics[0])('/strange', 'my_msgs/msg/Thing', 1))
        with BagCopy(tmp_path / 'out', bag, {'/caption': STRING}) as copy:
            copy.copy(strange)
    with open_bag(tmp_path / 'out') as bag:
        assert list(bag.messages(['/strange'])) == [strange]


def test_a_copy_that_fails_leaves_nothing_and_overwrites_nothing(tmp_path: Path) -> None:
    bag_path = write_bag(tmp_path / 'bag', [remark(BEGAN_NS, 'hello')])
    with open_bag(bag_path) as bag:

        def fail() -> None:
            with BagCopy(tmp_path / 'out', bag, {'/caption': STRING}) as copy:
                copy.add('/caption', BEGAN_NS, text_message('a'))
                raise BagError('the disk is full')

        with pytest.raises(BagError):
            fail()
        assert not (tmp_path / 'out').exists()
        with pytest.raises(BagError, match='exists already'):
            BagCopy(bag_path, bag, {'/caption': STRING})
        with pytest.raises(BagError, match='has a topic /remarks already'):
            BagCopy(tmp_path / 'out', bag, {'/remarks': STRING})


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


# ---------------------------------------------------------------------- faults


@pytest.mark.parametrize('compression', ['none', 'storage', 'message', 'file'])
@pytest.mark.parametrize('share', [0.75, 0.93])
def test_a_broken_mcap_gives_what_is_readable(
    compression: str,
    share: float,
    messages: Messages,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bag = write_bag(tmp_path / 'bag', messages, 'mcap', compression)
    with open_bag(bag) as whole:
        before = list(whole.messages())
    file = cut(bag, share)
    for given in (bag, file) if compression != 'message' else (bag,):
        with open_bag(given) as broken:
            after = list(broken.messages())
            (where,) = broken.broken
            assert sum(topic.count for topic in broken.topics) == len(after)
        assert 0.45 * len(before) < len(after) < len(before)
        assert after == before[: len(after)]
        assert f'{len(after)} messages could be read' in where
        assert f'of {file.stat().st_size} ' in where
    assert run_cli('caption-bag', bag, '--write-bag', tmp_path / 'mended') == 0
    noted = capsys.readouterr().err
    assert f'warning: {file.name} breaks off after byte ' in noted
    with open_bag(tmp_path / 'mended') as mended:
        assert mended.broken == []
        assert list(mended.messages(['/joint_states', '/odom', '/remarks'])) == after
        first = next(iter(mended.messages(['/caption'])))
    assert read_action(decode(first).data) == 'wave-both-hands'


def test_a_torn_chunk_is_read_up_to_the_tear(messages: Messages, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', messages[:200])  # one chunk
    cut(bag, 0.5)
    with open_bag(bag) as broken:
        assert 80 < sum(topic.count for topic in broken.topics) < 110


@pytest.mark.parametrize('compression', ['NONE', 'LZ4', 'ZSTD'])
@pytest.mark.parametrize('chunks', [True, False])
def test_mcap_of_other_writers(
    compression: str, chunks: bool, messages: Messages, tmp_path: Path
) -> None:
    """Such as foxglove's: other chunks, lz4, or none at all; whole and broken off."""
    path = tmp_path / 'a.mcap'
    kind = CompressionType[compression]
    writer = McapWriter(str(path), chunk_size=2**18, compression=kind, use_chunking=chunks)
    writer.start('ros2')
    channels = {}
    for at, topic, name, data in messages:
        if topic not in channels:
            text = typestore().generate_msgdef(name, ros_version=2)[0].encode()
            schema = writer.register_schema(name, 'ros2msg', text)
            channels[topic] = writer.register_channel(topic, 'cdr', schema)
        writer.add_message(channels[topic], at, data, at)
    writer.finish()
    with open_bag(path) as bag:
        before = list(bag.messages())
        assert bag.broken == []
    assert [message.data for message in before] == [data for *_, data in messages]
    with path.open('r+b') as file:
        file.truncate(path.stat().st_size // 2)
    with open_bag(path) as bag:
        after = list(bag.messages())
        assert len(bag.broken) == 1
    assert 0.4 * len(before) < len(after) < len(before)
    assert after == before[: len(after)]


@pytest.mark.parametrize('compression', ['none', 'message', 'file'])
@pytest.mark.parametrize('share', [0.0, 0.4, 0.95])
def test_a_broken_database_is_one_line_of_advice(
    compression: str,
    share: float,
    messages: Messages,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bag = write_bag(tmp_path / 'bag', messages[:400], 'sqlite3', compression)
    cut(bag, share)
    assert run_cli('caption-bag', bag, '-o', tmp_path / 'a.srt') == cli.MISUSED
    noted = capsys.readouterr().err
    assert noted.count('\n') == 1
    assert f'{bag} is damaged or breaks off' in noted
    assert '.dump | sed ' in noted
    assert ('zstd -dc' in noted) == (compression == 'file')
    assert not (tmp_path / 'a.srt').exists()


@pytest.mark.skipif(shutil.which('sqlite3') is None, reason='there is no sqlite3 command')
def test_the_advice_for_a_broken_database_works(
    messages: Messages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = write_bag(tmp_path / 'bag', messages, 'sqlite3')
    cut(bag, 0.8)
    assert run_cli('bag-info', bag) == cli.MISUSED
    advice = capsys.readouterr().err.split('`')[1]
    subprocess.run(['bash', '-c', advice], cwd=tmp_path, check=True, capture_output=True)
    with open_bag(tmp_path / 'NEW.db3') as mended:
        count = len(list(mended.messages()))
    assert 0.6 * len(messages) < count < 0.9 * len(messages)


def split(path: Path, storage: str) -> Path:
    """A bag in 11 files, as `ros2 bag record --max-bag-duration` writes."""
    path.mkdir()
    whole: dict = {}
    for k in range(11):
        part = write_bag(path.with_name(f'{path.name}_{k}'), SWING[25 * k : 25 * (k + 1)], storage)
        said = yaml.safe_load((part / 'metadata.yaml').read_text())
        about = said['rosbag2_bagfile_information']
        for name in about['relative_file_paths']:
            (part / name).rename(path / name)
        if k:
            for key in ('files', 'relative_file_paths'):
                whole[key] += about[key]
            whole['message_count'] += about['message_count']
            end = about['starting_time']['nanoseconds_since_epoch']
            end += about['duration']['nanoseconds']
            begin = whole['starting_time']['nanoseconds_since_epoch']
            whole['duration']['nanoseconds'] = end - begin
        else:
            whole = about
    said = yaml.safe_dump({'rosbag2_bagfile_information': whole})
    (path / 'metadata.yaml').write_text(said)
    return path


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_bag_of_several_files(
    storage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = split(tmp_path / 'bag', storage)
    with open_bag(bag) as whole:
        assert [message.data for message in whole.messages()] == [m[3] for m in SWING[:275]]
    last = next(bag.glob('bag_10.*'))
    with last.open('r+b') as opened:
        opened.truncate(last.stat().st_size * 3 // 4)
    code = run_cli('bag-info', bag)
    noted = capsys.readouterr().err
    assert last.name in noted  # the one that is broken, not the first
    assert 'breaks off' in noted
    assert code == (0 if storage == 'mcap' else cli.MISUSED)
    next(bag.glob('bag_4.*')).unlink()
    code = run_cli('bag-info', bag)
    noted = capsys.readouterr().err
    assert next(iter(bag.glob('bag_3.*'))).name.replace('3', '4', 1) in noted
    assert code == (0 if storage == 'mcap' else cli.MISUSED)
    if storage == 'mcap':
        with open_bag(bag) as broken:
            order = [message.recorded_ns for message in broken.messages()]
        assert 225 < len(order) < 250
        assert order == sorted(order)  # bag_10 behind bag_9
    (bag / 'metadata.yaml').unlink()
    assert run_cli('bag-info', bag) == cli.MISUSED
    noted = capsys.readouterr().err
    assert f'try {next(bag.glob("bag_0.*"))} itself (then the 9 other files)' in noted


def test_a_compression_that_nobody_reads_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = write_bag(tmp_path / 'bag', SWING[:50], 'sqlite3', 'message')
    about = (bag / 'metadata.yaml').read_text()
    (bag / 'metadata.yaml').write_text(about.replace('format: zstd', 'format: lz4'))
    assert run_cli('bag-info', bag) == cli.MISUSED
    noted = capsys.readouterr().err
    assert "compressed as 'lz4', which cannot be read" in noted
    assert noted.count('\n') == 1


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_missing_metadata_yaml_says_what_to_try(
    storage: str, messages: Messages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = write_bag(tmp_path / 'bag', messages, storage)
    (bag / 'metadata.yaml').unlink()
    (file,) = bag.iterdir()
    assert run_cli('bag-info', bag) == cli.MISUSED
    noted = capsys.readouterr().err
    assert noted.count('\n') == 1
    assert f'try {file} itself, or rebuild it with `ros2 bag reindex {bag}`' in noted
    assert run_cli('bag-info', file) == 0  # what it says to try works
    assert f'{len(messages)} messages' in capsys.readouterr().out


def test_what_is_no_bag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'empty').mkdir()
    for name in ('notes.txt', 'old.bag', 'cut.mcap', 'b.db3.zst'):
        (tmp_path / name).write_bytes(b'')
    (tmp_path / 'noise.mcap').write_bytes(bytes(range(256)) * 50)
    for name, said in (
        ('nothing', 'no bag at'),
        ('empty', 'no metadata.yaml, .mcap or .db3'),
        ('notes.txt', 'is no bag'),
        ('old.bag', 'rosbags-convert'),
        ('cut.mcap', 'not one message'),
        ('noise.mcap', 'not one message'),
        ('b.db3.zst', 'unpack it first'),
    ):
        assert run_cli('bag-info', tmp_path / name) == cli.MISUSED
        noted = capsys.readouterr().err
        assert said in noted
        assert noted.count('\n') == 1


def test_topics_that_do_not_fit(
    messages: Messages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    robot = joint_state(BEGAN_NS, ['wheel_left', 'wheel_right'], np.zeros(2))
    two = [(BEGAN_NS, '/robot/joint_states', JOINT_STATE, robot)] + [
        (at, f'/b{topic}', kind, data) for at, topic, kind, data in messages[:3]
    ]
    bag = write_bag(tmp_path / 'bag', two)
    for options, said in (
        ([], 'several topics of joint states: --topic /b/joint_states, /robot/joint_states?'),
        (['--topic', '/odom'], 'has no topic /odom; it has /b/joint_states, /b/odom'),
        (['--topic', '/b/odom'], 'sensor_msgs/msg/JointState is needed'),
        (['--topic', '/robot/joint_states'], 'names wheel_left, wheel_right, ...: no joints of'),
        (['--topic', '/b/joint_states', '--odom', '/x'], 'has no topic /x'),
        (['--topic', '/b/joint_states', '--window', '0.5'], 'give 1 s or more'),
    ):
        assert run_cli('caption-bag', bag, *options) == cli.MISUSED
        assert said in capsys.readouterr().err
    assert run_cli('bag-info', bag) == 0
    assert 'no body that mgpt3 knows' in capsys.readouterr().out


def test_bad_messages_are_left_out_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = swinging(6.5)
    bad = np.full(63, np.nan)
    names = [f'j{i}' for i in range(63)]
    known = find_names(heard)
    at = heard[100][0]
    heard[100:100] = [
        (at, '/joint_states', JOINT_STATE, joint_state(at - DELAY_NS, known, bad)),
        (at, '/joint_states', JOINT_STATE, joint_state(at - DELAY_NS, names, np.zeros(63))),
        (at, '/joint_states', JOINT_STATE, joint_state(at - DELAY_NS, known[:9], bad)),
        (at, '/joint_states', JOINT_STATE, b'\0\1\0\0nonsense'),
        (at, '/joint_states', JOINT_STATE, joint_state(BEGAN_NS, known, np.zeros(63))),
    ]
    bag = write_bag(tmp_path / 'bag', heard)
    assert run_cli('caption-bag', bag) == 0
    said, noted = capsys.readouterr()
    assert len(said.splitlines()) == 1  # the stream was not broken
    for part in (
        '1 messages with numbers that are not finite',
        '1 messages with too few joints',
        '1 messages with names and positions of different number',
        '1 messages that could not be read',
    ):
        assert part in noted


def find_names(heard: Messages) -> list[str]:
    first = Recorded('/joint_states', JOINT_STATE, 0, heard[0][3])
    return list(decode(first).name)


@pytest.mark.parametrize('stray', [0, 1, 5, 8])
def test_stray_bytes_behind_a_message_do_no_harm(stray: int) -> None:
    plain = joint_state(BEGAN_NS, ['a', 'b'], np.array([0.5, -0.5]))
    state = decode(Recorded('/j', JOINT_STATE, 0, plain + b'\x07' * stray))
    assert state.name == ['a', 'b']
    assert state.position.tolist() == [0.5, -0.5]
    for damaged in (plain[:-9], plain + bytes(13), b''):
        with pytest.raises(BagError, match='/j is damaged'):
            decode(Recorded('/j', JOINT_STATE, 0, damaged))


# ---------------------------------------------------------------------- memory


@pytest.mark.parametrize(('storage', 'share'), [('mcap', 1.0), ('sqlite3', 1.0), ('mcap', 0.9)])
def test_memory_does_not_grow_with_the_bag(storage: str, share: float, tmp_path: Path) -> None:
    """A bag of 20 MB is read and copied within 10 MB, and one of half the length within as much.

    Most of it is of a topic that has nothing to do with the body, as in bags with pictures.
    """

    def peak(rounds: int) -> float:
        path = write_bag(tmp_path / f'{rounds}', bulky(rounds), storage)
        if share < 1:
            cut(path, share)
        assert sum(file.stat().st_size for file in path.iterdir()) > 5e6 * rounds * share
        tracemalloc.start()
        with (
            open_bag(path) as bag,
            BagCopy(tmp_path / f'{rounds}_copy', bag, {'/caption': STRING}) as copy,
        ):
            body = find_body(bag)
            count = 0
            for message, done in body_windows(body, bag.messages(), Windows(body.profile, 2, 2)):
                if message is not None:
                    copy.copy(message)
                count += len(done)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count >= rounds * share
        return top / 1e6

    half, whole = peak(2), peak(4)
    assert whole < 10
    assert whole < half + 0.5


def bulky(rounds: int) -> Messages:
    """Rounds of 3 s of a body, and of 5 MB of something else; no stamps but the recorder's."""
    heard = [(at, topic, kind, data[:4] + bytes(8) + data[12:]) for at, topic, kind, data in SWING]
    span, noise = 3 * SECOND, 'x' * 100_000
    all_rounds: Messages = []
    for begins in range(0, rounds * span, span):
        all_rounds += [(begins + at, topic, kind, data) for at, topic, kind, data in heard]
        all_rounds += [remark(begins + BEGAN_NS + k * SECOND // 20, noise) for k in range(50)]
    return sorted(all_rounds, key=lambda message: message[0])
