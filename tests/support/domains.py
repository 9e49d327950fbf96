# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS domains for tests that run beside each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import tempfile
from collections.abc import Iterator

import pytest


@contextlib.contextmanager
def free_domain() -> Iterator[int]:
    """A ROS domain that no other test on this machine uses now, also for child processes.

    102 to 214 overlap Linux' ephemeral ports; 0 is where people work. Any of them: in one that was
    used a moment ago, what a node that was killed has left in shared memory may swallow messages.
    """
    for number in random.sample(range(1, 102), 101):
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
