# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Workers as tasks of a Ray cluster, which schedules them and does those of a dead node again."""

from __future__ import annotations

import logging
import socket
from collections import deque
from typing import Any

from mgpt3_ros.cli.batch.work import Lost, Results, Task, Unit, do_unit
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.extras import extra

_RETRIES = 3  # as Ray's own default: how many deaths of its worker a unit survives
_KNOCK_S = 10.0
_AHEAD = 2  # units submitted for each core, so that one is ready when one is done


def on_ray(task: Task, units: list[Unit], address: str) -> Results:
    """Do units on a cluster; give them as they are done.

    Every node sees the inputs and the folder of results under the same paths, and has this
    package installed.

    Args:
        task: what is done.
        units: on what.
        address: of the cluster, HOST:PORT, ray://HOST:PORT or auto.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigError: there is no cluster at that address.
    """
    with extra('cluster'):
        import ray
        from ray.exceptions import RayError, RayTaskError
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f'--ray {address}: no cluster answers there ({error})') from error
    try:
        do = ray.remote(num_cpus=1, max_retries=_RETRIES)(do_unit)
        shared = ray.put(task)
        waiting = deque(units)
        pending: dict[Any, Unit] = {}  # by Ray's references
        while waiting or pending:
            cores = max(int(ray.cluster_resources().get('CPU', 1)), 1)
            while waiting and len(pending) < _AHEAD * cores:
                unit = waiting.popleft()
                pending[do.remote(shared, unit)] = unit
            (ready,), _ = ray.wait(list(pending), num_returns=1)
            unit = pending.pop(ready)
            try:
                yield ray.get(ready)
            except RayTaskError as error:  # what the unit raised
                raise (error.cause or error) from None
            except RayError as error:
                yield Lost(unit, f'its workers died {_RETRIES + 1} times: {error}')
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """See that something listens at HOST:PORT: Ray would try for minutes.

    Raises:
        OSError, ValueError: nothing does, or it is no such address.
    """
    if address != 'auto':
        host, _, port = address.removeprefix('ray://').rpartition(':')
        socket.create_connection((host, int(port)), timeout=_KNOCK_S).close()
