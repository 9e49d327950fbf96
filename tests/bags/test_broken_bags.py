# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags that are broken, incomplete or none: what can be read is read, the rest gets advice."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter

from mgpt3_ros.bags import BagError, Recorded, open_bag
from mgpt3_ros.bags.messages import JOINT_STATE, decode, typestore
from mgpt3_ros.cli import main as cli
from mgpt3_ros.model.language.caption_actions import read_action
from tests.support.bag_maker import (
    BEGAN_NS,
    DELAY_NS,
    SECOND,
    SWING,
    Messages,
    cut,
    joint_state,
    run_cli,
    swinging,
    write_bag,
)


@pytest.mark.parametrize('compression', ['none', 'storage', 'message', 'file'])
@pytest.mark.parametrize('share', [0.75, 0.93])
def test_a_broken_mcap_gives_what_is_readable(
    compression: str,
    share: float,
    messages: Messages,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # What is compressed by message needs more of them for several chunks.
    more = swinging(60.0, began_ns=BEGAN_NS + 30 * SECOND) if compression == 'message' else []
    bag = write_bag(tmp_path / 'bag', [*messages, *more], 'mcap', compression)
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
    assert run_cli('caption-bag', bag, '--window', '6', '--write-bag', tmp_path / 'mended') == 0
    noted = capsys.readouterr().err
    assert f'warning: {file.name} breaks off after byte ' in noted
    with open_bag(tmp_path / 'mended') as mended:
        assert mended.broken == []
        assert list(mended.messages(['/joint_states', '/odom', '/remarks'])) == after
        first = next(iter(mended.messages(['/caption'])))
    assert read_action(decode(first).data) == 'wave-both-hands'


def test_a_torn_chunk_is_left_out(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', SWING[:200])  # one chunk
    cut(bag, 0.5)
    with pytest.raises(BagError, match=r'not one message .* breaks off after byte 43 of'):
        open_bag(bag)


def test_a_damaged_chunk_ends_the_reading_and_copies_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bag = write_bag(tmp_path / 'bag', swinging(20.0), compression='storage')
    file = cut(bag, 0.95)
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 1000] = bytes(1000)
    file.write_bytes(data)
    (tmp_path / 'temporary').mkdir()
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path / 'temporary'))
    with open_bag(bag) as broken:
        assert 'it ends' not in broken.broken[0]
        assert 0 < len(list(broken.messages())) < 1000
        assert list((tmp_path / 'temporary').iterdir())
    assert not list((tmp_path / 'temporary').iterdir())


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
        assert len(order) == 225  # of 275: one file is gone, the one chunk of another torn
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
