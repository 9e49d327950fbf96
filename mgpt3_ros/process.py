# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Running a node as a process: spin, and end within a second when told to."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence

import rclpy
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

_JOIN_S = 0.5


def spin(node: Node) -> None:
    """Serve ``node`` until the process is told to end.

    A fault in one callback is logged and the node goes on: a body must not lose its node over one
    message. (rclpy's own callbacks have such faults: a transition that the lifecycle does not
    allow, asked for by number, is an exception there.)
    """
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while rclpy.ok():
        try:
            executor.spin()
        except ExternalShutdownException:
            raise
        except Exception as error:
            if not rclpy.ok():  # whatever failed, it failed because the process ends
                return
            node.get_logger().error(f'fault in a callback: {error}\n{traceback.format_exc()}')


def run(make_node: Callable[[], Node], args: Sequence[str] | None = None) -> None:
    """Make a node, serve it and put everything away.

    Ends with exit code 0 on SIGINT and SIGTERM, with 2 and one line for a parameter that does not
    fit.
    """
    node: Node | None = None
    ended = True
    try:
        rclpy.init(args=args)
        node = make_node()
        spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        print(f'error: {error}', file=sys.stderr)  # noqa: T201  there is no logger yet
        sys.exit(2)
    finally:
        # The end has begun: a second Ctrl-C, which launch sends readily, must not break it off.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if node is not None:
            if hasattr(node, 'close'):
                ended = node.close(_JOIN_S)
            node.destroy_node()
        rclpy.try_shutdown()
        # Collecting torch's objects one by one takes longer than a second; the system is faster.
        gc.freeze()
    if not ended:
        # A native call is still at work (loading, mostly) and no thread can be ended from outside;
        # to leave through the interpreter's end under its feet would crash.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
