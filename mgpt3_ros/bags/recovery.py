# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""mcap files that break off: what can be read of them is written anew, with an index.

A recorder that was killed leaves an mcap file without its index, and a copy that was cut leaves
half of one. Both are read record by record up to the last whole chunk, as ``mcap recover`` does;
that program comes neither with pip nor with apt.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcap.writer import Writer

PACKED = ('.zst', '.zstd')  # files that the recorder compressed as a whole
_LONGEST_RECORD = 2**28  # bytes; a damaged length must not take the memory of the machine


def mcap_files(path: Path) -> list[Path]:
    """Return the mcap files of a bag, in order; none if it is stored otherwise."""
    if path.is_file():
        return [path] if '.mcap' in path.name.lower() else []
    files = [file for file in named_files(path) if file.is_file() and '.mcap' in file.suffixes]
    return files or in_order(path.glob('*.mcap'))


def in_order(files: Iterable[Path]) -> list[Path]:
    """Sort the files of a bag as they were recorded: bag_2 before bag_10."""
    return sorted(files, key=lambda file: ([int(n) for n in re.findall(r'\d+', file.name)], file))


def named_files(folder: Path) -> list[Path]:
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


def recover(files: Iterable[Path], output: Path, compressed_messages: bool) -> list[str]:
    """Write what can be read of mcap files to one that is whole.

    Args:
        files: of one bag, in order.
        output: file to write.
        compressed_messages: whether the recorder compressed each message; they come out plain.

    Returns:
        Where files break off, a line each.
    """
    from mcap.writer import Writer

    with output.open('wb') as opened:
        writer = Writer(opened)
        writer.start('ros2')
        broken = [_copy(file, writer, compressed_messages) for file in files]
        writer.finish()
    return [line for line in broken if line]


def unpack(data: bytes) -> bytes:
    """Return a message that the recorder compressed by itself."""
    import zstandard

    return bytes(zstandard.ZstdDecompressor().decompressobj().decompress(data))


def _copy(path: Path, writer: Writer, compressed_messages: bool) -> str:
    """Copy a file up to its end or to where it breaks off; return where, '' if nowhere."""
    import zstandard
    from mcap.exceptions import EndOfFile, McapError
    from mcap.records import Channel, Message, Schema
    from mcap.stream_reader import StreamReader

    ends = (EndOfFile, struct.error, EOFError)
    damaged = (*ends, McapError, zstandard.ZstdError, ValueError, RuntimeError, KeyError)
    schemas, channels = {0: 0}, {}
    whole = count = 0  # bytes of the file up to the end of the last whole record; messages
    with path.open('rb') as raw:
        file: IO[bytes] = raw
        if path.suffix in PACKED:
            file = zstandard.ZstdDecompressor().stream_reader(raw)
        reader = StreamReader(file, validate_crcs=True, record_size_limit=_LONGEST_RECORD)
        try:
            for record in reader.records:
                whole = raw.tell()
                if isinstance(record, Schema) and record.id not in schemas:
                    schema = record.name, record.encoding, record.data
                    schemas[record.id] = writer.register_schema(*schema)
                elif isinstance(record, Channel) and record.id not in channels:
                    channel = schemas[record.schema_id], record.metadata
                    channels[record.id] = writer.register_channel(
                        record.topic, record.message_encoding, *channel
                    )
                elif isinstance(record, Message):
                    data = record.data
                    if compressed_messages:
                        data = unpack(data)
                    known = channels[record.channel_id]
                    writer.add_message(known, record.log_time, data, record.publish_time)
                    count += 1
        except damaged as error:
            why = ' '.join(str(error).split()) or type(error).__name__
            why = 'it ends within a record' if isinstance(error, ends) else why
            return (
                f'{path.name} breaks off after byte {whole} of {path.stat().st_size} ({why}): '
                f'{count} messages could be read'
            )
    return ''
