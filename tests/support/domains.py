# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS domains for tests that run beside each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def free_domain() -> Iterator[int]:
    """A ROS domain that no other test on this machine uses now, also for child processes.

    102 to 214 overlap Linux' ephemeral ports; 0 is where people work.
    """
    for number in random.sample(range(1, 102), 101):
        path = os.path.join(tempfile.gettempdir(), f'mgpt3_ros_domain_{number}.lock')
        with open(path, 'w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            forget_ports(number)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv('ROS_DOMAIN_ID', str(number))
                patch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
                yield number
            return
    pytest.fail('all ROS domains from 1 to 101 are in use')


def forget_ports(number: int, folder: str = '/dev/shm') -> None:
    """Remove what nodes that were killed in a domain have left of their ports in shared memory.

    It may swallow the messages of the next node that gets a port of the same number (Fast DDS
    counts them as RTPS does: 7400 + 250 * domain and on).
    """
    for path in Path(folder).glob('*fastrtps_port*'):
        if (port := re.search(r'port(\d+)', path.name)) and (int(port[1]) - 7400) // 250 == number:
            path.unlink(missing_ok=True)
