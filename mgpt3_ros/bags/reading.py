# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Opening bags: through ``rosbags`` if they are whole, else as far as they can be read."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from mgpt3_ros.bags.recovery import (
    PACKED,
    in_order,
    mcap_files,
    metadata,
    named_files,
    recover,
)
from mgpt3_ros.bags.topics import BagError, Recorded, Topic
from mgpt3_ros.model.extras import extra


def open_bag(path: str | Path) -> Bag:
    """Open a rosbag2 folder, or one of its ``.mcap`` or ``.db3`` files.

    An mcap file that breaks off is opened as far as it goes; ``broken`` of the bag says where.

    Raises:
        BagError: there is no bag, or it cannot be read; the message says what to try.
        MissingExtraError: the extra ``bags`` is not installed.
    """
    with extra('bags'):
        from rosbags.rosbag2 import Reader

    path = Path(path)
    _require_bag(path)
    if path.suffix in PACKED:  # rosbags reads these in their folder only
        return _recovered(path, [path])
    try:
        return Bag(path, Reader(path))
    except OSError:
        raise  # no permission, no space to unpack it: the bag itself may be whole
    except Exception as error:  # of rosbags, and what it lets through of zstd and others
        files = mcap_files(path)
        if files:
            return _recovered(path, files)
        raise _unreadable(path, error) from error


def _recovered(path: Path, files: list[Path]) -> Bag:
    """Open what can be read of an mcap bag, from a copy in the temporary folder.

    Raises:
        BagError: not one message can be read.
    """
    from rosbags.rosbag2 import Reader

    folder = tempfile.TemporaryDirectory()
    copy = Path(folder.name) / 'recovered.mcap'
    compression = str(metadata(path).get('compression_mode') or 'none').lower()
    missing = [file for file in named_files(path) if not file.is_file()]
    broken = [f'{file.name} is not there: its messages are left out' for file in missing]
    broken += recover(files, copy, compression == 'message')
    bag = Bag(path, Reader(copy), compression, broken, folder)
    if not sum(topic.count for topic in bag.topics):
        bag.__exit__()
        why = f' ({"; ".join(broken)})' if broken else ''
        raise BagError(f'not one message of {path} can be read{why}: record it again')
    return bag


class Bag:
    """An open bag, read by ``rosbags``; a context manager that closes it.

    Attributes:
        path: as it was given.
        storage: sqlite3 or mcap.
        compression: of the recorder: none, message or file; mcap's own chunks are not meant.
        topics: by name.
        start_ns: when the first message was recorded; 0 in an empty bag.
        end_ns: when the last one was.
        broken: where files break off, a line each.
    """

    def __init__(
        self,
        path: Path,
        reader: Any,
        compression: str = '',
        broken: Sequence[str] = (),
        folder: tempfile.TemporaryDirectory[str] | None = None,
    ) -> None:
        """Open it; ``folder`` holds a copy that is read in its place, and goes with it."""
        reader.open()
        self.path = path
        self.broken = list(broken)
        self._reader, self._folder = reader, folder
        self.storage = 'mcap' if mcap_files(path) else 'sqlite3'
        self.compression = compression or reader.compression_mode or 'none'
        self.topics = _merged(reader.connections)
        empty = reader.message_count == 0
        self.start_ns = 0 if empty else reader.start_time
        self.end_ns = 0 if empty else reader.end_time - 1  # rosbags' end lies behind the last

    def messages(self, topics: Collection[str] | None = None) -> Iterator[Recorded]:
        """Read the messages of ``topics`` (names; None for all) in the order of recording.

        Raises:
            BagError: the bag cannot be read on.
        """
        connections = [
            connection
            for connection in self._reader.connections
            if topics is None or connection.topic in topics
        ]
        if not connections:
            return
        reading = self._reader.messages(connections)
        while True:
            try:
                connection, recorded_ns, data = next(reading)
            except StopIteration:
                return
            except Exception as error:  # of sqlite, zstd, lz4 or rosbags: the file is damaged
                raise _unreadable(self.path, error) from error
            yield Recorded(connection.topic, connection.msgtype, recorded_ns, data)

    def __enter__(self) -> Bag:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        if self._folder is not None:
            self._folder.cleanup()


def _require_bag(path: Path) -> None:
    """Refuse what is no bag, in words that help.

    Raises:
        BagError: as said.
    """
    if not path.exists():
        raise BagError(f'no bag at {path}')
    if path.is_file() and path.suffix == '.bag':
        raise BagError(f'{path} is a bag of ROS 1: try `rosbags-convert --src {path} --dst NEW`')
    if path.is_file() and path.suffix in PACKED and '.mcap' not in path.suffixes:
        raise BagError(f'{path} is compressed: unpack it first with `zstd -d {path}`')
    if path.is_file() and path.suffix not in ('.mcap', '.db3', *PACKED):
        raise BagError(
            f'{path} is no bag: give the folder of a rosbag2, or a file ending in .mcap or .db3'
        )
    if path.is_dir() and not (path / 'metadata.yaml').is_file():
        inside = in_order(file for file in path.iterdir() if file.suffix in ('.mcap', '.db3'))
        if not inside:
            raise BagError(f'{path} is no bag: it has no metadata.yaml, .mcap or .db3 file')
        several = f' (then the {len(inside) - 1} other files)' if len(inside) > 1 else ''
        raise BagError(
            f'{path} has no metadata.yaml, the recording was not closed: try {inside[0]} itself'
            f'{several}, or rebuild it with `ros2 bag reindex {path}`'
        )
    packed = metadata(path).get('compression_format') or 'zstd' if path.is_dir() else 'zstd'
    if packed != 'zstd':
        raise BagError(
            f'{path} was compressed as {packed!r}, which cannot be read: unpack it with '
            '`ros2 bag convert` where it was recorded, or record it with zstd'
        )


def _unreadable(path: Path, error: BaseException) -> BagError:
    said = ' '.join(str(error).split()).rstrip('.') or type(error).__name__
    databases = [path] if path.suffix == '.db3' else in_order(path.glob('*.db3*'))
    if databases and 'missing: [' not in said:
        named = [database for database in databases if str(database) in said.split(':')[0].split()]
        database, unpack = (named or databases)[0], ''
        said = said.removeprefix(f'Cannot open database {database}: ')
        if database.suffix in PACKED:
            database, packed = database.with_suffix(''), database
            unpack = f'`zstd -dc {packed} > {database}`, then '
        # Not .recover: the sqlite3 of Debian and Ubuntu is built without what it needs.
        mend = f"sqlite3 {database} .dump | sed 's/^ROLLBACK.*/COMMIT;/' | sqlite3 NEW.db3"
        return BagError(
            f'{path} is damaged or breaks off ({said}): try {unpack}`{mend}` and give NEW.db3 '
            'instead; mcap stays readable when it breaks off'
        )
    if path.is_dir():
        return BagError(
            f'{path} cannot be read ({said}): try one of its files itself, or rebuild its '
            f'metadata.yaml with `ros2 bag reindex {path}`'
        )
    return BagError(f'{path} cannot be read ({said}): try `mcap recover {path} -o NEW.mcap`')


def _merged(connections: list[Any]) -> tuple[Topic, ...]:
    """One topic for all publishers of a name and type."""
    merged: dict[tuple[str, str], Topic] = {}
    for connection in connections:
        key = connection.topic, connection.msgtype
        before = merged.get(key)
        merged[key] = Topic(
            *key,
            count=connection.msgcount + (before.count if before else 0),
            definition=connection.msgdef.data,
            digest=connection.digest,
            qos=before.qos if before else tuple(connection.ext.offered_qos_profiles),
        )
    return tuple(merged[key] for key in sorted(merged))
