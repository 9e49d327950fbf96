# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag written anew with topics added."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mgpt3_ros.bags.messages import STRING, typestore
from mgpt3_ros.bags.reading import Bag
from mgpt3_ros.bags.topics import BagError, Recorded, Topic

_UNKNOWN_HASH = 'RIHS01_' + 64 * '0'  # of a type whose definition the bag does not hold


class BagCopy:
    """Writes what a bag holds, and more; a context manager, which leaves nothing if it fails.

    The storage is the input's, and so is its compression; mcap comes out in compressed chunks.

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
        from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

        mode = CompressionMode.STORAGE
        if self._bag.storage == 'sqlite3':
            mode = CompressionMode[self._bag.compression.upper()]
        plugin = StoragePlugin[self._bag.storage.upper()]
        writer = Writer(self.path, version=Writer.VERSION_LATEST, storage_plugin=plugin)
        writer.set_compression(mode, CompressionFormat.ZSTD)
        try:
            writer.open()
            for topic in self._bag.topics:
                self._connections[topic.name, topic.type] = _add(writer, topic)
            for name, kind in self._added.items():
                added = Topic(name, kind, 0, qos=(_quality(latched=kind == STRING),))
                self._names[name] = _add(writer, added)
        except BaseException:
            writer.abort()
            shutil.rmtree(self.path, ignore_errors=True)
            raise
        self._writer = writer
        return self

    def copy(self, message: Recorded) -> None:
        """Write a message of the input."""
        connection = self._connections[message.topic, message.type]
        self._writer.write(connection, message.recorded_ns, message.data)

    def add(self, topic: str, recorded_ns: int, data: bytes) -> None:
        """Write a message of an added topic."""
        self._writer.write(self._names[topic], recorded_ns, data)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._writer.close()
            return
        self._writer.abort()
        shutil.rmtree(self.path, ignore_errors=True)


def _add(writer: Any, topic: Topic) -> Any:
    """Announce a topic; a type that the bag does not define is looked up among ROS's own."""
    known = typestore()
    definition, digest = topic.definition, topic.digest
    if topic.type in known.types:
        definition = definition or known.generate_msgdef(topic.type, ros_version=2)[0]
        digest = digest or known.hash_rihs01(topic.type)
    return writer.add_connection(
        topic.name,
        topic.type,
        msgdef=definition,
        rihs01=digest or _UNKNOWN_HASH,
        offered_qos_profiles=topic.qos,
    )


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
