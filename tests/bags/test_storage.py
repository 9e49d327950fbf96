# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags whose metadata.yaml is stale or edited, whose database has a log, and other encodings."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from mcap.reader import make_reader
from mcap.writer import Writer as McapWriter

from mgpt3_ros.bags import BagCopy, open_bag
from mgpt3_ros.bags.messages import STRING, text_message
from tests.support.bag_maker import BEGAN_NS, SECOND, SWING, run_cli, write_bag

STORED = ('mcap', 'sqlite3')
MESSAGES = SWING[:150]


def edited(bag: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    """A bag with its metadata.yaml edited by hand."""
    path = bag / 'metadata.yaml'
    said = yaml.safe_load(path.read_text())
    edit(said['rosbag2_bagfile_information'])
    path.write_text(yaml.safe_dump(said))
    return bag


def each_topic(**values: object) -> Callable[[dict[str, Any]], object]:
    def edit(about: dict[str, Any]) -> None:
        for topic in about['topics_with_message_count']:
            topic['topic_metadata'].update(values)

    return edit


EDITS = {
    'qos emptied': each_topic(offered_qos_profiles=[]),
    'qos a text': each_topic(offered_qos_profiles=''),
    'another hash': each_topic(type_description_hash='RIHS01_' + 64 * '0'),
    'another type': each_topic(type='std_msgs/msg/Empty'),
    'no topics': lambda about: about.update(topics_with_message_count=[]),
    'nulls': lambda about: about.update(compression_format=None, compression_mode=None),
    'a later version': lambda about: about.update(version=10),
    'no time': lambda about: about.update(
        starting_time={'nanoseconds_since_epoch': 0}, duration={'nanoseconds': 0}
    ),
    'the end of time': lambda about: about.update(
        starting_time={'nanoseconds_since_epoch': 2**63 - 1}
    ),
}


@pytest.mark.parametrize('storage', STORED)
@pytest.mark.parametrize('edit', EDITS)
def test_the_files_are_believed_not_metadata_yaml(storage: str, edit: str, tmp_path: Path) -> None:
    with open_bag(write_bag(tmp_path / 'right', MESSAGES, storage)) as right:
        expected = list(right.messages())
        times = right.start_ns, right.end_ns
        topics = [(topic.name, topic.type, topic.count) for topic in right.topics]
    bag = edited(write_bag(tmp_path / 'bag', MESSAGES, storage), EDITS[edit])
    with open_bag(bag) as opened:
        assert (opened.start_ns, opened.end_ns) == times
        assert [(topic.name, topic.type, topic.count) for topic in opened.topics] == topics
        assert list(opened.messages()) == expected
        assert opened.broken == []


def test_counts_that_differ_are_said(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', MESSAGES)
    with open_bag(edited(bag, lambda about: about.update(message_count=0))) as opened:
        assert opened.broken == [
            'metadata.yaml tells of 0 messages, the files hold 150: the files are believed'
        ]


@pytest.mark.parametrize('named', [True, False])
def test_what_a_killed_recorder_left_in_the_log_is_read(named: bool, tmp_path: Path) -> None:
    """sqlite3 in WAL mode: the newest rows stand in a file of their own until they are merged."""
    bag = write_bag(tmp_path / 'whole', MESSAGES, 'sqlite3')
    (file,) = bag.glob('*.db3')
    killed = tmp_path / 'killed'
    killed.mkdir()
    with closing(sqlite3.connect(file)) as database:
        database.execute('PRAGMA journal_mode=WAL')
        database.execute('PRAGMA wal_autocheckpoint=0')
        at = MESSAGES[-1][0] + SECOND
        database.execute(
            'INSERT INTO messages(topic_id, timestamp, data) SELECT topic_id, ?, data '
            'FROM messages LIMIT 1',
            (at,),
        )
        database.commit()
        for part in bag.iterdir():  # as the recorder leaves them: the connection is still open
            (killed / part.name).write_bytes(part.read_bytes())
    before = {part.name: part.read_bytes() for part in killed.iterdir()}
    with open_bag(killed if named else killed / file.name) as opened:
        assert len(list(opened.messages())) == len(MESSAGES) + 1
        assert opened.end_ns == at
        assert f'{file.name}-wal' in opened.broken[0]
    assert {part.name: part.read_bytes() for part in killed.iterdir()} == before


@pytest.mark.parametrize('name', ['OK.MCAP', 'Ok.Mcap', 'OK.DB3'])
def test_suffixes_may_be_of_capitals(name: str, tmp_path: Path) -> None:
    storage = 'sqlite3' if name.lower().endswith('db3') else 'mcap'
    bag = write_bag(tmp_path / 'bag', MESSAGES, storage)
    next(file for file in bag.iterdir() if file.suffix != '.yaml').rename(tmp_path / name)
    with open_bag(tmp_path / name) as opened:
        assert opened.storage == storage
        assert len(list(opened.messages())) == len(MESSAGES)


def mixed_bag(path: Path) -> bytes:
    """An mcap file with ROS, JSON and protobuf in it, an attachment and metadata."""
    descriptor = bytes(range(128, 160))  # not UTF-8, as descriptors are
    with path.open('wb') as file:
        writer = McapWriter(file)
        writer.start('ros2')
        text = writer.register_schema(STRING, 'ros2msg', b'string data\n')
        proto = writer.register_schema('demo.Scene', 'protobuf', descriptor)
        json_schema = writer.register_schema('Speech', 'jsonschema', b'{"type":"object"}')
        channels = [
            (writer.register_channel('/remarks', 'cdr', text), text_message('hello')),
            (writer.register_channel('/scene', 'protobuf', proto), b'\x0a\x80\x81'),
            (writer.register_channel('/speech', 'json', json_schema), b'{"said":"hello"}'),
        ]
        for count, (channel, data) in enumerate(channels):
            writer.add_message(channel, BEGAN_NS + count, data, BEGAN_NS + count)
        writer.add_attachment(1, 2, 'notes.txt', 'text/plain', b'a note')
        writer.add_metadata('session', {'who': 'anna'})
        writer.finish()
    return descriptor


def test_a_copy_keeps_other_encodings_attachments_and_metadata(tmp_path: Path) -> None:
    descriptor = mixed_bag(tmp_path / 'mixed.mcap')
    assert run_cli('bag-info', tmp_path / 'mixed.mcap') == 0
    with (
        open_bag(tmp_path / 'mixed.mcap') as bag,
        BagCopy(tmp_path / 'out', bag, {'/caption': STRING}) as copy,
    ):
        for message in bag.messages():
            copy.copy(message)
        copy.add('/caption', BEGAN_NS + 10, text_message('a person waves'))
    with (tmp_path / 'out' / 'out.mcap').open('rb') as file:
        reader = make_reader(file)
        seen = {
            channel.topic: (schema, channel, m) for schema, channel, m in reader.iter_messages()
        }
        attachments, metadata = list(reader.iter_attachments()), list(reader.iter_metadata())
    schema, channel, message = seen['/scene']
    assert (schema.encoding, schema.data, channel.message_encoding) == (
        'protobuf',
        descriptor,
        'protobuf',
    )
    assert message.data == b'\x0a\x80\x81'
    assert seen['/speech'][0].encoding == 'jsonschema'
    assert seen['/speech'][1].message_encoding == 'json'
    assert [(a.name, a.data) for a in attachments] == [('notes.txt', b'a note')]
    assert [(m.name, m.metadata) for m in metadata] == [('session', {'who': 'anna'})]
    with open_bag(tmp_path / 'out') as copied:
        assert copied.broken == []
        assert [(t.name, t.count) for t in copied.topics] == [
            ('/caption', 1),
            ('/remarks', 1),
            ('/scene', 1),
            ('/speech', 1),
        ]
