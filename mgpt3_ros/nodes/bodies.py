# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several bodies in one process: the same nodes once for each, on one copy of the model.

``--bodies anna,bert`` on the command line names them. Each has a namespace of its own, and what
several are told at one time the worker draws as one batch (``model_host.ModelHost.draw``). Each is
served by a thread of its own, so that the callbacks of one do not wait for those of another.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence

from rclpy.node import Node
from rclpy.utilities import remove_ros_args

from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.worker import MOST_TOGETHER
from mgpt3_ros.nodes.model_host import ModelHost


def body_names(args: Sequence[str] | None) -> list[str]:
    """Return the namespaces that ``--bodies`` names; [''] where it is not given.

    Raises:
        ConfigError: one is named twice, or there are more than are drawn as one batch.
    """
    given = remove_ros_args(sys.argv if args is None else list(args))[args is None :]
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument('--bodies', default='')
    told, _ = parser.parse_known_args(given)
    names = [name.strip().strip('/') for name in told.bodies.split(',')]
    if not told.bodies:
        return ['']
    for name, count in Counter(names).items():
        if not name or count > 1:
            raise ConfigError(
                f'--bodies {told.bodies}: {name or "one"!r} '
                f'{"is there twice" if name else "has no name"}; '
                'give each body a namespace of its own, as in --bodies anna,bert'
            )
    if len(names) > MOST_TOGETHER:
        raise ConfigError(
            f'--bodies names {len(names)} bodies; one process takes {MOST_TOGETHER}: '
            'start another one for the rest'
        )
    return names


def nodes_of_bodies(
    make: Callable[[ModelHost | None, str], list[Node]], args: Sequence[str] | None
) -> list[list[Node]]:
    """Make the nodes of each body, all on the model of the first.

    Args:
        make: the nodes of a body, of a host (None: the first has its own) and a namespace.
        args: of the command line; None for those of the process.

    Raises:
        ConfigError: as :func:`body_names`; or another namespace was asked for too.
    """
    names = body_names(args)
    made: list[list[Node]] = []
    host: ModelHost | None = None
    for name in names:
        made.append(make(host, name))
        first = made[0][0]
        host = first.host
        found = made[-1][0].get_namespace()
        if name and found != f'/{name}':
            raise ConfigError(
                f'--bodies {name} became {found}: leave __ns away, and write --bodies '
                f'{found.strip("/")}/{name}'
            )
    assert host is not None
    host.expect(len(names))
    return made
