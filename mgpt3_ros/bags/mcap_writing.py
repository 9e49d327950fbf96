# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A rosbag2 folder with one mcap file, written through mcap.

rosbags writes CDR messages of ROS types alone; an mcap file may hold others, attachments and
metadata records, which a copy shall keep.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from mgpt3_ros.bags.topics import Attachment, Topic

_VERSION = 9  # of metadata.yaml: Jazzy's


class McapFolder:
    """Writes ``path/NAME.mcap`` in compressed chunks, and metadata.yaml when it is closed."""

    def __init__(self, path: Path) -> None:
        from mcap.writer import Writer

        path.mkdir(parents=True)
        self._path = path
        self._file = (path / f'{path.name}.mcap').open('wb')
        self._writer: Any = Writer(self._file)
        self._writer.start('ros2')
        self._topics: dict[int, Topic] = {}
        self._counts: Counter[int] = Counter()
        self._span_ns: tuple[int, int] | None = None

    def add(self, topic: Topic) -> int:
        """Announce a topic; return its channel."""
        from rosbags.rosbag2.metadata import dump_qos_v8

        schema = 0
        if topic.type:
            schema = self._writer.register_schema(
                topic.type, topic.definition_encoding, topic.definition
            )
        about = {'offered_qos_profiles': dump_qos_v8(list(topic.qos))}
        if topic.digest:
            about['topic_type_hash'] = topic.digest
        channel = self._writer.register_channel(topic.name, topic.encoding, schema, about)
        self._topics[channel] = topic
        return int(channel)

    def write(self, channel: int, recorded_ns: int, data: bytes) -> None:
        """Write a message."""
        self._writer.add_message(channel, recorded_ns, data, recorded_ns)
        self._counts[channel] += 1
        first, last = self._span_ns or (recorded_ns, recorded_ns)
        self._span_ns = min(first, recorded_ns), max(last, recorded_ns)

    def write_extra(self, extra: Attachment) -> None:
        """Write an attachment, or a metadata record."""
        from mcap.records import Metadata

        if isinstance(extra, Metadata):
            self._writer.add_metadata(extra.name, extra.metadata)
        else:
            self._writer.add_attachment(
                extra.create_time, extra.log_time, extra.name, extra.media_type, extra.data
            )

    def close(self) -> None:
        """Finish the file, and say in metadata.yaml what it holds."""
        import yaml

        self._writer.finish()
        self._file.close()
        text = yaml.safe_dump({'rosbag2_bagfile_information': self._about()}, sort_keys=False)
        (self._path / 'metadata.yaml').write_text(text, encoding='utf-8')

    def abort(self) -> None:
        """Give the file up."""
        self._file.close()

    def _about(self) -> dict[str, Any]:
        from rosbags.rosbag2.metadata import dump_qos_v9

        begin, end = self._span_ns or (0, 0)
        told = {
            'starting_time': {'nanoseconds_since_epoch': begin},
            'duration': {'nanoseconds': end - begin},
            'message_count': self._counts.total(),
        }
        name = f'{self._path.name}.mcap'
        topics = [
            {
                'topic_metadata': {
                    'name': topic.name,
                    'type': topic.type,
                    'serialization_format': topic.encoding,
                    'offered_qos_profiles': dump_qos_v9(list(topic.qos)),
                    'type_description_hash': topic.digest,
                },
                'message_count': self._counts[channel],
            }
            for channel, topic in self._topics.items()
        ]
        return {
            'version': _VERSION,
            'storage_identifier': 'mcap',
            **told,
            'topics_with_message_count': topics,
            'compression_format': '',
            'compression_mode': '',
            'relative_file_paths': [name],
            'files': [{'path': name, **told}],
            'custom_data': None,
            'ros_distro': 'jazzy',
        }
