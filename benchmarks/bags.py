# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.bags``: time and memory of captioning a long bag.

Writes a bag of joint states and odometry at 100 Hz, of the size that is asked for, has
``mgpt3 caption-bag`` caption it in a process of its own, and sets its largest memory beside that
for a bag of 2 MB: a bag must not be held in memory. The disk needs room for the bag.
"""

from __future__ import annotations

import argparse
import functools
import re
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from benchmarks.table import Row, circumstances, print_table
from mgpt3_ros.bags.messages import typestore
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from tests.support.bag_maker import BEGAN_NS, stream

RATE_HZ = 100.0
SMALL_MB = 2.0
GROWTH_MB = 50.0  # the target: more than the noise of an allocator, less than any bag


@dataclass(frozen=True)
class Captioned:
    """What captioning one bag took."""

    seconds: float
    memory_mb: float
    captions: int


@functools.cache
def pattern() -> list[tuple[int, str, str, bytes]]:
    """Messages of a person who walks forward and, film run backward, to where they were: 12 s."""
    walk = MotionGPT3.from_pretrained().generate('a person walks forward', duration_s=6.0)
    assert isinstance(walk, Motion)
    joints = np.concatenate([walk.joints, walk.joints[::-1]])
    return stream(Motion(joints, walk.fps), rate=RATE_HZ)


def endless(
    messages: list[tuple[int, str, str, bytes]],
) -> Iterator[tuple[int, str, str, bytes]]:
    """Repeat messages for ever, with stamps that go on."""
    length_ns = messages[-1][0] - messages[0][0] + round(1e9 / RATE_HZ)
    shift_ns = 0
    while True:
        for recorded_ns, topic, kind, data in messages:
            stamp = (recorded_ns + shift_ns) // 10**9, (recorded_ns + shift_ns) % 10**9
            # The stamp of the header stands behind the four bytes that say how it is encoded.
            moved = data[:4] + struct.pack('<iI', *stamp) + data[12:]
            yield recorded_ns + shift_ns, topic, kind, moved
        shift_ns += length_ns


def write_bag(path: Path, size_mb: float, storage: str, compression: str) -> float:
    """Write a bag with messages of so many MB; return how long it lasts [s]."""
    writer = Writer(path, version=9, storage_plugin=StoragePlugin[storage.upper()])
    writer.set_compression(CompressionMode[compression.upper()], CompressionFormat.ZSTD)
    messages = pattern()
    written, last_ns = 0, BEGAN_NS
    with writer:
        connections = {
            topic: writer.add_connection(topic, kind, typestore=typestore())
            for topic, kind in sorted({(topic, kind) for _, topic, kind, _ in messages})
        }
        for last_ns, topic, _, data in endless(messages):
            writer.write(connections[topic], last_ns, data)
            written += len(data)
            if written >= size_mb * 1e6:
                break
    return (last_ns - BEGAN_NS) * 1e-9


def caption(bag: Path, output: Path) -> Captioned:
    """Caption a bag in a process of its own.

    Raises:
        RuntimeError: it failed.
    """
    begin = time.monotonic()
    command = [sys.executable, '-m', 'mgpt3_ros.cli.main', 'caption-bag', str(bag)]
    process = subprocess.Popen([*command, '-o', str(output)])
    memory_kb = 0
    while process.poll() is None:
        memory_kb = max(memory_kb, _peak_kb(process.pid))
        time.sleep(0.05)
    if process.returncode:
        raise RuntimeError(f'mgpt3 caption-bag ended with {process.returncode}')
    captions = len(output.read_text(encoding='utf-8').splitlines())
    return Captioned(time.monotonic() - begin, memory_kb / 1000, captions)


def _peak_kb(pid: int) -> int:
    """The largest memory of a process so far; 0 where it has ended.

    Not what the system counts at its end (ru_maxrss), which holds that of the process before it.
    """
    try:
        status = Path(f'/proc/{pid}/status').read_text(encoding='utf-8')
    except OSError:
        return 0
    found = re.search(r'VmHWM:\s+(\d+)', status)
    return int(found[1]) if found else 0


def measure(size_mb: float, storage: str, compression: str, folder: Path) -> list[Row]:
    """Write both bags into ``folder``, caption them and return what was measured."""
    results = []
    for name, size in (('small', SMALL_MB), ('large', size_mb)):
        bag = folder / name
        lasts_s = write_bag(bag, size, storage, compression)
        on_disk_mb = sum(file.stat().st_size for file in bag.iterdir()) / 1e6
        results.append(caption(bag, folder / f'{name}.jsonl'))
    small, large = results
    growth_mb = large.memory_mb - small.memory_mb
    return [
        Row('bag on disk', on_disk_mb, 'MB'),
        Row('bag lasts', lasts_s, 's'),
        Row('captions', large.captions, ''),
        Row('time', large.seconds, 's'),
        Row('largest memory', large.memory_mb, 'MB'),
        Row(f'more than for one of {SMALL_MB:g} MB', growth_mb, 'MB', GROWTH_MB),
    ]


def main(argv: list[str] | None = None) -> int:
    """Print a table of what was measured."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.bags', description=__doc__)
    parser.add_argument('--size', type=float, default=1000.0, metavar='MB', help='of the bag')
    parser.add_argument('--storage', choices=('mcap', 'sqlite3'), default='mcap')
    parser.add_argument(
        '--compression', choices=('none', 'message', 'file', 'storage'), default='none'
    )
    parser.add_argument('--folder', type=Path, help='where the bags are written for a while')
    options = parser.parse_args(argv)
    print(circumstances())
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        rows = measure(options.size, options.storage, options.compression, Path(folder))
    print(f'{options.size:g} MB of messages, {options.storage}, compression {options.compression}')
    print_table(rows)
    return 0


if __name__ == '__main__':
    sys.exit(main())
