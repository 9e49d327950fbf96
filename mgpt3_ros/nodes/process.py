# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Running nodes as a process: serve them, and end in good order within a second when told to."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import TypeAlias

import rclpy
from rclpy._rclpy_pybind11 import RCLError
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from mgpt3_ros.model.errors import ConfigError, MissingExtraError, RobotError
from mgpt3_ros.nodes.executor import NodeExecutor

_JOIN_S = 0.3
_UNFIT = (InvalidParameterTypeException, InvalidParameterValueException)
_told_to_end = threading.Event()


def told_to_end() -> bool:
    """Whether this process was told to end: what waits in a callback must then give up."""
    return _told_to_end.is_set()


Made: TypeAlias = Node | Sequence[Node] | Sequence[Sequence[Node]]


def run(make_nodes: Callable[[], Made], args: Sequence[str] | None = None) -> None:
    """Make a node, or several for one process, serve them and put everything away.

    Of groups of nodes each is served by a thread of its own.

    Ends with exit code 0 on SIGINT and SIGTERM, with 2 and one line for a parameter that does not
    fit or a ROS that cannot begin.
    """
    ended = _signals_end_it()
    groups: list[Sequence[Node]] = []
    clean = True
    try:
        # Not rclpy's own handlers: they throw KeyboardInterrupt into the middle of a callback and
        # shut the middleware down from another thread while this one publishes.
        _begin(args)
        groups = _grouped(make_nodes())
        _serve_all(groups, ended)
    except ExternalShutdownException:
        pass
    except (*_UNFIT, ConfigError, RobotError, MissingExtraError) as error:
        sys.stderr.write(f'error: {error}\n')
        sys.exit(2)
    finally:
        nodes = [node for group in groups for node in group]
        for node in nodes:
            if hasattr(node, 'close'):
                clean = node.close(_JOIN_S) and clean
        for node in nodes:
            node.destroy_node()
        rclpy.try_shutdown()
        # Collecting torch's objects one by one takes longer than a second; the system is faster.
        gc.freeze()
    if not clean:
        # A native call is still at work (loading, mostly) and no thread can be ended from outside;
        # to leave through the interpreter's end under its feet would crash.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _grouped(made: Made) -> list[Sequence[Node]]:
    """The nodes that one thread serves, for each of them."""
    if isinstance(made, Node):
        return [[made]]
    each = [one if isinstance(one, Sequence) else [one] for one in made]
    if all(isinstance(one, Node) for one in made):
        return [[node for group in each for node in group]]
    return each


def _begin(args: Sequence[str] | None) -> None:
    """Initialise ROS; where that fails, leave with one line that says what to do."""
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except RCLError as error:
        hint = ': set HOME, ROS_HOME or ROS_LOG_DIR' if 'logging directory' in str(error) else ''
        sys.stderr.write(f'error: {" ".join(str(error).split())}{hint}\n')
        sys.exit(2)


def _signals_end_it() -> Future:
    """Have SIGINT and SIGTERM complete the future that is returned, at once, from a thread.

    A Python handler alone would run only when the main thread comes back from waiting for a
    message; the byte that it leaves in a pipe wakes the thread that reads there.
    """
    ended = Future()
    _told_to_end.clear()
    receiving, sending = os.pipe()
    os.set_blocking(sending, False)
    # The pipe first: between the two a signal would be lost.
    signal.set_wakeup_fd(sending, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)

    def wait() -> None:
        os.read(receiving, 1)
        _told_to_end.set()
        ended.set_result(None)

    threading.Thread(target=wait, name='mgpt3_signals', daemon=True).start()
    return ended


def _serve_all(groups: Sequence[Sequence[Node]], ended: Future) -> None:
    """Serve each group of nodes in a thread of its own, the first in this one, until the end."""
    others = [
        threading.Thread(target=_serve, args=(nodes, ended), name='mgpt3_body', daemon=True)
        for nodes in groups[1:]
    ]
    for thread in others:
        thread.start()
    _serve(groups[0], ended)
    for thread in others:
        thread.join(_JOIN_S)


def _serve(nodes: Sequence[Node], ended: Future) -> None:
    """Serve ``nodes`` until ``ended`` is complete, or ROS is shut down.

    A fault in one callback is logged and the node goes on: a body must not lose its node over one
    message. (rclpy's own callbacks have such faults: a transition that the lifecycle does not
    allow, asked for by number, is an exception there.)
    """
    executor = NodeExecutor()
    for node in nodes:
        executor.add_node(node)
    # Not spin_until_future_complete: rclpy 7 adds to the future's callbacks with each message that
    # it serves and takes none away, 300 bytes a message: 200 MB in 20 minutes at 100 Hz.
    # A task makes spin_once come back.
    ended.add_done_callback(lambda _: executor.create_task(lambda: None))
    while rclpy.ok() and not ended.done():
        try:
            executor.spin_once()
        except ExternalShutdownException:
            break
        except Exception as error:
            nodes[0].get_logger().error(f'fault in a callback: {error}\n{traceback.format_exc()}')
    executor.shutdown(timeout_sec=0.0)
