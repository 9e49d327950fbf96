# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag written anew with topics added."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from mgpt3_ros.bags.mcap_writing import McapFolder
from mgpt3_ros.bags.messages import STRING, typestore
from mgpt3_ros.bags.reading import Bag
from mgpt3_ros.bags.topics import BagError, Recorded, Topic

_UNKNOWN_HASH = 'RIHS01_' + 64 * '0'  # of a type whose definition the bag does not hold


class BagCopy:
    """Writes what a bag holds, and more; a context manager, which leaves nothing if it fails.

    The storage is the input's, and so is its compression; mcap comes out in compressed chunks,
    with all that the input has: messages in other encodings, attachments, metadata records.

    Raises:
        BagError: ``path`` exists, or the input has a topic of a name that is to be added.
    """

    def __init__(self, path: Path, bag: Bag, added: dict[str, str]) -> None:
        """``added``: name and type of the topics that are added."""
        if path.exists():
            raise BagError(f'{path} exists already: give a new name, or remove it first')
        for name in added:
            if any(topic.name == name for topic in bag.topics):
                raise BagError(f'{bag.path} has a topic {name} already: give another name')
        self.path = path
        self._bag, self._added = bag, added
        self._connections: dict[tuple[str, str], Any] = {}
        self._names: dict[str, Any] = {}
        self._writer: Any = None

    def __enter__(self) -> BagCopy:
        mcap = self._bag.storage == 'mcap'
        writer = McapFolder(self.path) if mcap else _SqliteFolder(self.path, self._bag.compression)
        self._writer = writer
        try:
            for topic in self._bag.topics:
                self._connections[topic.name, topic.type] = writer.add(_completed(topic))
            for name, kind in self._added.items():
                added = Topic(name, kind, 0, qos=(_quality(latched=kind == STRING),))
                self._names[name] = writer.add(_completed(added))
            if isinstance(writer, McapFolder):
                for extra in self._bag.extras():
                    writer.write_extra(extra)
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def copy(self, message: Recorded) -> None:
        """Write a message of the input."""
        connection = self._connections[message.topic, message.type]
        self._writer.write(connection, message.recorded_ns, message.data)

    def add(self, topic: str, recorded_ns: int, data: bytes) -> None:
        """Write a message of an added topic."""
        self._writer.write(self._names[topic], recorded_ns, data)

    def __exit__(self, kind: type[BaseException] | None = None, *_: object) -> None:
        if kind is None:
            self._writer.close()
            return
        self._writer.abort()
        shutil.rmtree(self.path, ignore_errors=True)


class _SqliteFolder:
    """A rosbag2 folder with a database, written through rosbags."""

    def __init__(self, path: Path, compression: str) -> None:
        from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

        self._writer: Any = Writer(
            path, version=Writer.VERSION_LATEST, storage_plugin=StoragePlugin.SQLITE3
        )
        self._writer.set_compression(CompressionMode[compression.upper()], CompressionFormat.ZSTD)
        self._writer.open()
        self.write = self._writer.write
        self.close = self._writer.close
        self.abort = self._writer.abort

    def add(self, topic: Topic) -> Any:
        """Announce a topic."""
        return self._writer.add_connection(
            topic.name,
            topic.type,
            msgdef=topic.definition.decode(errors='replace'),
            rihs01=topic.digest or _UNKNOWN_HASH,
            serialization_format=topic.encoding,
            offered_qos_profiles=topic.qos,
        )


def _completed(topic: Topic) -> Topic:
    """Return a topic with what ROS's own types are known to have and the bag does not say."""
    known = typestore()
    if topic.encoding != 'cdr' or topic.type not in known.types:
        return topic
    text = known.generate_msgdef(topic.type, ros_version=2)[0].encode()
    digest = known.hash_rihs01(topic.type)
    return replace(topic, definition=topic.definition or text, digest=topic.digest or digest)


def _quality(latched: bool) -> Any:
    """Quality of service as the nodes publish: reliable, captions kept for late listeners."""
    from rosbags import interfaces

    kept = interfaces.QosDurability
    forever = interfaces.QosTime(9223372036, 854775807)
    return interfaces.Qos(
        interfaces.QosHistory.KEEP_LAST,
        1 if latched else 10,
        interfaces.QosReliability.RELIABLE,
        kept.TRANSIENT_LOCAL if latched else kept.VOLATILE,
        forever,
        forever,
        interfaces.QosLiveliness.AUTOMATIC,
        forever,
        avoid_ros_namespace_conventions=False,
    )
