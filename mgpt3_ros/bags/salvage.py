# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""mcap files that break off, read from their beginning to where they do.

A recorder that was killed leaves an mcap file without its index, and a copy that was cut leaves
half of one. The index stands at the end; without it the file is read through, record by record.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from mgpt3_ros.bags.topics import BagError, Recorded, Topic

PACKED = ('.zst', '.zstd')  # files that the recorder compressed as a whole
_DAMAGED = (ValueError, RuntimeError, EOFError, KeyError)  # what readers make of noise
_MESSAGE_HEAD = 22  # bytes of channel, sequence and times before a message's own
_LONGEST_RECORD = 2**28  # bytes; a damaged length must not take the memory of the machine


def mcap_files(path: Path) -> list[Path]:
    """Return the mcap files of a bag, in order; none if it is stored otherwise."""
    if path.is_file():
        return [path] if '.mcap' in path.suffixes else []
    files = [file for file in _named_files(path) if file.is_file() and '.mcap' in file.suffixes]
    return files or in_order(path.glob('*.mcap'))


def in_order(files: Iterable[Path]) -> list[Path]:
    """Sort the files of a bag as they were recorded: bag_2 before bag_10."""
    return sorted(files, key=lambda file: ([int(n) for n in re.findall(r'\d+', file.name)], file))


def _named_files(folder: Path) -> list[Path]:
    """Return the files that a bag's metadata.yaml names, there or not."""
    named = metadata(folder).get('relative_file_paths') or []
    return [folder / Path(str(name)).name for name in named]


def metadata(folder: Path) -> dict[str, Any]:
    """Read a bag's metadata.yaml; what is missing or unreadable is left out.

    A bag that is a single file has none.
    """
    import yaml

    try:
        said = yaml.safe_load((folder / 'metadata.yaml').read_text(encoding='utf-8'))
        return dict(said['rosbag2_bagfile_information'])
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError):
        return {}


class BrokenMcap:
    """A bag of mcap files, read without their indices as far as each can be read.

    It is read once when opened, to know what is in it and where it breaks off.

    Raises:
        BagError: not one message can be read.
    """

    storage = 'mcap'

    def __init__(self, path: Path, files: list[Path]) -> None:
        self.path = path
        missing = [file for file in _named_files(path) if not file.is_file()]
        self.broken = [f'{file.name} is not there: its messages are left out' for file in missing]
        self._files = files
        self.compression = str(metadata(path).get('compression_mode') or 'none').lower()
        counts: dict[tuple[str, str], Topic] = {}
        self.start_ns = self.end_ns = 0
        for topic, message in self._read(report=True):
            key = topic.name, topic.type
            counts[key] = replace(topic, count=counts[key].count + 1 if key in counts else 1)
            at = message.recorded_ns
            self.start_ns = at if self.start_ns == 0 else min(self.start_ns, at)
            self.end_ns = max(self.end_ns, at)
        self.topics = tuple(counts[key] for key in sorted(counts))
        if not self.topics:
            why = f' ({"; ".join(self.broken)})' if self.broken else ''
            raise BagError(f'not one message of {path} can be read{why}: record it again')

    def messages(self, topics: Collection[str] | None = None) -> Iterator[Recorded]:
        """Read as :class:`~mgpt3_ros.bags.topics.Bag` says."""
        return (
            message for topic, message in self._read() if topics is None or topic.name in topics
        )

    def __enter__(self) -> BrokenMcap:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open between reads."""

    def _read(self, report: bool = False) -> Iterator[tuple[Topic, Recorded]]:
        for path in self._files:
            reading = _FileReading(path, self.compression == 'message')
            yield from reading.messages()
            if report and reading.broken:
                self.broken.append(reading.broken)


class _FileReading:
    """One pass through one file; ``broken`` then says where it broke off, '' if nowhere."""

    def __init__(self, path: Path, compressed_messages: bool) -> None:
        self.broken = ''
        self._path = path
        self._compressed_messages = compressed_messages
        self._schemas: dict[int, Any] = {}
        self._topics: dict[int, Topic] = {}
        self._read_count = 0

    def messages(self) -> Iterator[tuple[Topic, Recorded]]:
        """Read the file up to its end or to where it breaks off."""
        import zstandard
        from mcap.exceptions import EndOfFile, McapError
        from mcap.records import Chunk
        from mcap.stream_reader import StreamReader, breakup_chunk

        damaged = (McapError, zstandard.ZstdError, struct.error, *_DAMAGED)
        with self._path.open('rb') as raw:
            file: IO[bytes] = raw
            if self._path.suffix in PACKED:
                file = zstandard.ZstdDecompressor().stream_reader(raw)
            whole = 0  # bytes of the file up to the end of the last whole record
            try:
                reader = StreamReader(file, emit_chunks=True, record_size_limit=_LONGEST_RECORD)
                for record in reader.records:
                    inner = [record]
                    if isinstance(record, Chunk):
                        inner = breakup_chunk(record, validate_crc=True)
                    yield from self._taken(inner)
                    whole = raw.tell()
            except damaged as error:
                if isinstance(error, EndOfFile | struct.error) and file is raw:
                    yield from self._taken(torn_chunk(raw, whole))
                why = ' '.join(str(error).split()) or type(error).__name__
                if isinstance(error, EndOfFile | struct.error):
                    why = 'it ends within a record'
                self.broken = (
                    f'{self._path.name} breaks off after byte {whole} of '
                    f'{self._path.stat().st_size} ({why}): {self._read_count} messages could be '
                    'read'
                )

    def _taken(self, records: Iterable[Any]) -> Iterator[tuple[Topic, Recorded]]:
        for record in records:
            found = self._take(record)
            if found is not None:
                yield found

    def _take(self, record: Any) -> tuple[Topic, Recorded] | None:
        from mcap.records import Channel, Message, Schema

        if isinstance(record, Schema):
            self._schemas[record.id] = record
        elif isinstance(record, Channel):
            schema = self._schemas.get(record.schema_id)
            self._topics[record.id] = Topic(
                record.topic,
                schema.name if schema else '',
                0,
                definition=schema.data.decode(errors='replace') if schema else '',
                qos=_qos(record.metadata.get('offered_qos_profiles', '')),
            )
        elif isinstance(record, Message):
            topic, data = self._topics[record.channel_id], record.data
            if self._compressed_messages:
                import zstandard

                data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
            self._read_count += 1
            return topic, Recorded(topic.name, topic.type, record.log_time, data)
        return None


def _qos(text: str) -> tuple[Any, ...]:
    from rosbags.rosbag2.metadata import parse_qos

    return tuple(parse_qos(text)) if text else ()


def torn_chunk(file: IO[bytes], start: int) -> Iterator[Any]:
    """Read the records of a chunk whose end is missing, as far as they are whole.

    Args:
        file: an mcap file that ends within the record that begins at ``start``.
        start: where that record begins [bytes]; if it is no chunk, nothing is read.
    """
    from mcap.data_stream import ReadDataStream
    from mcap.exceptions import McapError
    from mcap.opcode import Opcode
    from mcap.records import Channel, Message, Schema

    readers = {Opcode.SCHEMA: Schema.read, Opcode.CHANNEL: Channel.read}
    try:
        file.seek(start)
        stream = ReadDataStream(file)
        if stream.read1() != Opcode.CHUNK:
            return
        stream.read(8 + 28)  # length of the record; times, size and checksum of the chunk
        compression = stream.read_prefixed_string()
        stream.read(8)
        inner = ReadDataStream(BytesIO(_unpacked(file.read(_rest_of(file)), compression)))
        while True:
            opcode, length = inner.read1(), inner.read8()
            if opcode == Opcode.MESSAGE:
                message = Message.read(inner, length)
                if len(message.data) < length - _MESSAGE_HEAD:
                    return
                yield message
            elif opcode in readers:
                yield readers[Opcode(opcode)](inner)
            else:
                inner.read(length)
    except (McapError, struct.error, ValueError):
        return  # where the chunk ends


def _rest_of(file: IO[bytes]) -> int:
    """Return how many bytes come; asked for more, a file sets aside memory for all of them."""
    here = file.tell()
    end = file.seek(0, 2)
    file.seek(here)
    return end - here


def _unpacked(data: bytes, compression: str) -> bytes:
    """Unpack as much of a torn chunk as there is."""
    import lz4.frame
    import zstandard

    if compression == 'zstd':
        reader = zstandard.ZstdDecompressor().stream_reader(data)
    elif compression == 'lz4':
        reader = lz4.frame.LZ4FrameDecompressor()
        return bytes(reader.decompress(data))
    else:
        return data
    parts = []
    try:
        while part := reader.read(2**16):
            parts.append(part)
    except zstandard.ZstdError:
        pass  # the data end within a block
    return b''.join(parts)
