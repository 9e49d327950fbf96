# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS domains for tests that run beside each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def free_domain() -> Iterator[int]:
    """A ROS domain that no other test on this machine uses now, also for child processes.

    102 to 214 overlap Linux' ephemeral ports; 0 is where people work.
    """
    for number in range(1, 102):
        path = os.path.join(tempfile.gettempdir(), f'mgpt3_ros_domain_{number}.lock')
        with open(path, 'w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv('ROS_DOMAIN_ID', str(number))
                patch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
                yield number
            return
    pytest.fail('all ROS domains from 1 to 101 are in use')
