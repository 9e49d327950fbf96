# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The files of a bag, each by what it says itself.

A bag's metadata.yaml tells which files there are and how they are packed. What else stands there
(times, counts, topics, their quality of service) may be out of date or edited, and the files know
it better, so it is not believed.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from mgpt3_ros.bags.topics import Attachment, BagError, Recorded, Topic


class SqliteFile:
    """A ``.db3``, through rosbags.

    Attributes:
        topics: in the order of the file, one for each publisher's offer.
        start_ns, end_ns: when the first and the last message were recorded; 0 if there is none.
    """

    def __init__(self, path: Path) -> None:
        from rosbags.rosbag2 import Reader

        self._reader: Any = Reader(path)
        self._reader.open()
        connections: list[Any] = list(self._reader.connections)
        self.topics = [
            Topic(
                connection.topic,
                connection.msgtype,
                connection.msgcount,
                connection.msgdef.data.encode(),
                connection.digest,
                tuple(connection.ext.offered_qos_profiles),
                connection.ext.serialization_format,
            )
            for connection in connections
        ]
        empty = self._reader.message_count == 0
        self.start_ns = 0 if empty else self._reader.start_time
        self.end_ns = 0 if empty else self._reader.end_time - 1  # rosbags' lies behind the last

    def messages(self, topics: Collection[str] | None) -> Iterator[Recorded]:
        """Read messages of ``topics`` (names; None for all) in the order of recording."""
        chosen = [c for c in self._reader.connections if topics is None or c.topic in topics]
        if chosen:
            for connection, recorded_ns, data in self._reader.messages(chosen):
                yield Recorded(connection.topic, connection.msgtype, recorded_ns, data)

    def extras(self) -> Iterator[Attachment]:
        """Give what is no message: nothing here."""
        return iter(())

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


class McapFile:
    """A ``.mcap``, through mcap, which knows other encodings than ROS's beside it.

    Attributes as those of :class:`SqliteFile`.
    """

    def __init__(self, path: Path) -> None:
        from mcap.reader import SeekingReader
        from rosbags.rosbag2.metadata import parse_qos

        self._file = path.open('rb')
        try:
            self._reader = SeekingReader(self._file, validate_crcs=True)
            summary = self._reader.get_summary()
            if summary is None or summary.statistics is None:
                raise BagError(f'{path} has no index')
            counted = summary.statistics
            missing = set(counted.channel_message_counts) - set(summary.channels)
            if missing:
                raise BagError(f'{path} has no index of its channels')
        except BaseException:
            self._file.close()
            raise
        self._in_chunks = bool(summary.chunk_indexes)
        self.topics = []
        for channel in summary.channels.values():
            schema = summary.schemas.get(channel.schema_id)
            self.topics.append(
                Topic(
                    channel.topic,
                    schema.name if schema else '',
                    counted.channel_message_counts.get(channel.id, 0),
                    schema.data if schema else b'',
                    channel.metadata.get('topic_type_hash', ''),
                    tuple(parse_qos(channel.metadata.get('offered_qos_profiles', ''))),
                    channel.message_encoding,
                    schema.encoding if schema else '',
                )
            )
        self.start_ns, self.end_ns = counted.message_start_time, counted.message_end_time

    def messages(self, topics: Collection[str] | None) -> Iterator[Recorded]:
        """Read messages of ``topics`` (names; None for all) in the order of recording."""
        # Without chunks mcap would hold the whole file to sort it; recorders write in order.
        reading = self._reader.iter_messages(topics, log_time_order=self._in_chunks)
        for schema, channel, message in reading:
            kind = schema.name if schema else ''
            yield Recorded(channel.topic, kind, message.log_time, message.data)

    def extras(self) -> Iterator[Attachment]:
        """Give attachments and metadata records, as mcap has them."""
        yield from self._reader.iter_attachments()
        yield from self._reader.iter_metadata()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


StorageFile = SqliteFile | McapFile


def open_file(path: Path, folder: Path) -> tuple[StorageFile, str]:
    """Open one file of a bag; ``folder`` is there for what must be unpacked first.

    Returns:
        The file, and a remark, '' where there is none.
    """
    remark = ''
    if path.suffix in ('.zst', '.zstd'):
        path = _unpacked(path, folder / path.stem)
    log = path.with_name(f'{path.name}-wal')
    if log.is_file() and log.stat().st_size:
        path, remark = _merged(path, log, folder)
    if path.suffix.lower() == '.mcap':
        return McapFile(path), remark
    if path.suffix != '.db3':  # rosbags looks at the name
        (folder / f'{path.stem}.db3').symlink_to(path.resolve())
        path = folder / f'{path.stem}.db3'
    return SqliteFile(path), remark


def _unpacked(path: Path, output: Path) -> Path:
    import zstandard

    with path.open('rb') as packed, output.open('wb') as plain:
        zstandard.ZstdDecompressor().copy_stream(packed, plain)
    return output


def _merged(path: Path, log: Path, folder: Path) -> tuple[Path, str]:
    """Copy a database with what a killed recorder left in its log, as sqlite3 itself would see it.

    The original may lie where nobody can write, and stays as it is.
    """
    import sqlite3

    copy = folder / path.name
    shutil.copyfile(path, copy)
    shutil.copyfile(log, copy.with_name(f'{copy.name}-wal'))
    with contextlib.closing(sqlite3.connect(copy)) as database:
        database.execute('PRAGMA wal_checkpoint(TRUNCATE)')
        database.execute('PRAGMA journal_mode=DELETE')
    return copy, f'{log.name}: what the recorder had not yet put into {path.name} was read too'
