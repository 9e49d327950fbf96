# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Opening bags: file by file if they are whole, else as far as they can be read."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mgpt3_ros.bags.recovery import (
    PACKED,
    in_order,
    mcap_files,
    metadata,
    named_files,
    recover,
    unpack,
)
from mgpt3_ros.bags.storage import StorageFile, open_file
from mgpt3_ros.bags.topics import Attachment, BagError, Recorded, Topic
from mgpt3_ros.model.errors import MissingExtraError
from mgpt3_ros.model.extras import extra


def open_bag(path: str | Path) -> Bag:
    """Open a rosbag2 folder, or one of its ``.mcap`` or ``.db3`` files.

    An mcap file that breaks off is opened as far as it goes; ``broken`` of the bag says where.

    Raises:
        BagError: there is no bag, or it cannot be read; the message says what to try.
        MissingExtraError: the extra ``bags`` is not installed.
    """
    path = Path(path)
    _require_bag(path)
    if '.mcap' in path.suffixes and path.suffix in PACKED:
        return _recovered(path, [path])
    folder = tempfile.TemporaryDirectory()
    try:
        with extra('bags'):
            import mcap  # noqa: F401  looked for here, where a missing extra can be named
            import rosbags  # noqa: F401
        return Bag(path, _files(path), folder)
    except BaseException as error:
        folder.cleanup()
        # No permission, no space to unpack it, an extra that is missing: the bag may be whole.
        if isinstance(error, OSError | MissingExtraError) or not isinstance(error, Exception):
            raise
        files = mcap_files(path)
        if files:
            return _recovered(path, files)
        raise _unreadable(path, error) from error


def _files(path: Path) -> list[Path]:
    """Return the files of a bag in order.

    Raises:
        BagError: some of those that metadata.yaml names are missing.
    """
    if path.is_file():
        return [path]
    files = named_files(path) or in_order(path.glob('*.db3')) or mcap_files(path)
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise BagError(f'Some files are missing: {missing!r}')
    if not files:
        raise BagError('metadata.yaml names no file')
    return files


def _recovered(path: Path, files: list[Path]) -> Bag:
    """Open what can be read of an mcap bag, from a copy in the temporary folder.

    Raises:
        BagError: not one message can be read.
    """
    folder = tempfile.TemporaryDirectory()
    copy = Path(folder.name) / 'recovered.mcap'
    compression = str(metadata(path).get('compression_mode') or 'none').lower()
    missing = [file for file in named_files(path) if not file.is_file()]
    broken = [f'{file.name} is not there: its messages are left out' for file in missing]
    broken += recover(files, copy, compression == 'message')
    bag = Bag(path, [copy], folder, broken, recovered=True)
    if not sum(topic.count for topic in bag.topics):
        bag.__exit__()
        why = f' ({"; ".join(broken)})' if broken else ''
        raise BagError(f'not one message of {path} can be read{why}: record it again')
    return bag


class Bag:
    """An open bag; a context manager that closes it.

    Attributes:
        path: as it was given.
        storage: sqlite3 or mcap.
        compression: of the recorder: none, message or file; mcap's own chunks are not meant.
        topics: by name.
        start_ns: when the first message was recorded; 0 in an empty bag.
        end_ns: when the last one was.
        broken: what is not as it should be, a line each: where files break off, what else than
            the files metadata.yaml says.
    """

    def __init__(
        self,
        path: Path,
        files: Sequence[Path],
        folder: tempfile.TemporaryDirectory[str],
        broken: Sequence[str] = (),
        recovered: bool = False,
    ) -> None:
        """Open it; ``folder`` is for what must be unpacked, and goes with it.

        ``files`` are the bag's, or if it was ``recovered`` a copy.
        """
        self.path = path
        self.broken = list(broken)
        self._folder, self._files = folder, list[StorageFile]()
        said = metadata(path) if path.is_dir() else {}
        self.storage = 'mcap' if mcap_files(path) else 'sqlite3'
        self.compression = str(said.get('compression_mode') or 'none').lower()
        self._packed = self.compression == 'message' and not recovered
        try:
            for file in files:
                opened, remark = open_file(file, Path(folder.name))
                self._files.append(opened)
                self.broken += [remark] if remark else []
        except BaseException:
            self._close()
            raise
        self.topics = _merged([topic for file in self._files for topic in file.topics], said)
        heard = [file for file in self._files if any(topic.count for topic in file.topics)]
        self.start_ns = min((file.start_ns for file in heard), default=0)
        self.end_ns = max((file.end_ns for file in heard), default=0)
        count = sum(topic.count for topic in self.topics)
        if not self.broken and said and said.get('message_count') != count:
            self.broken.append(
                f'metadata.yaml tells of {said.get("message_count")} messages, the files hold '
                f'{count}: the files are believed'
            )

    def messages(self, topics: Collection[str] | None = None) -> Iterator[Recorded]:
        """Read the messages of ``topics`` (names; None for all) in the order of recording.

        Raises:
            BagError: the bag cannot be read on.
        """
        for file in self._files:
            reading = file.messages(topics)
            while True:
                try:
                    message = next(reading, None)
                    if message is None:
                        break
                    if self._packed:
                        message = replace(message, data=unpack(message.data))
                except Exception as error:  # of sqlite, zstd, lz4 or mcap: the file is damaged
                    raise _unreadable(self.path, error) from error
                yield message

    def extras(self) -> Iterator[Attachment]:
        """Give what an mcap file holds beside messages: attachments and metadata records."""
        for file in self._files:
            yield from file.extras()

    def __enter__(self) -> Bag:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._folder.cleanup()

    def _close(self) -> None:
        for file in self._files:
            file.close()


def _require_bag(path: Path) -> None:
    """Refuse what is no bag, in words that help.

    Raises:
        BagError: as said.
    """
    if not path.exists():
        raise BagError(f'no bag at {path}')
    if path.is_file() and path.suffix.lower() == '.bag':
        raise BagError(f'{path} is a bag of ROS 1: try `rosbags-convert --src {path} --dst NEW`')
    if path.is_file() and path.suffix in PACKED and '.mcap' not in path.suffixes:
        raise BagError(f'{path} is compressed: unpack it first with `zstd -d {path}`')
    if path.is_file() and path.suffix.lower() not in ('.mcap', '.db3', *PACKED):
        raise BagError(
            f'{path} is no bag: give the folder of a rosbag2, or a file ending in .mcap or .db3'
        )
    if path.is_dir() and not (path / 'metadata.yaml').is_file():
        inside = in_order(
            file for file in path.iterdir() if file.suffix.lower() in ('.mcap', '.db3')
        )
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


def _merged(topics: list[Topic], said: dict[str, Any]) -> tuple[Topic, ...]:
    """One topic for all publishers of a name and type, in all files.

    Hashes of types, which mcap files lack, are taken from what metadata.yaml ``said``.
    """
    listed = said.get('topics_with_message_count')
    listed = [each.get('topic_metadata') or {} for each in listed or [] if isinstance(each, dict)]
    digests = {
        (about.get('name'), about.get('type')): str(about.get('type_description_hash') or '')
        for about in listed
    }
    merged: dict[tuple[str, str], Topic] = {}
    for topic in topics:
        key = topic.name, topic.type
        before = merged.get(key)
        digest = topic.digest or digests.get(key, '')
        merged[key] = (
            replace(before, count=before.count + topic.count)
            if before
            else replace(topic, digest=digest)
        )
    return tuple(merged[key] for key in sorted(merged))
