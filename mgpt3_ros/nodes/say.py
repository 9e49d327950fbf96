# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``ros2 run mgpt3_ros say "walk forward"``: send a command, and print what becomes of it.

Ends with 0 when all of it was published, with 1 when it was refused, dropped or failed, or when
nobody answers. Its status is told from those of others' commands by the text.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.utilities import remove_ros_args
from std_msgs.msg import String

from mgpt3_ros.nodes.commands import FIRST_STATUSES

_DONE = {'stopped': 0, 'refused': 1, 'dropped': 1, 'failed': 1, 'cancelled': 1}


def main(args: Sequence[str] | None = None) -> int:
    """Send, wait, print; return the exit code."""
    given = sys.argv if args is None else ['say', *args]
    parser = argparse.ArgumentParser(prog='say', description=__doc__.splitlines()[0])
    parser.add_argument('text', nargs='+', help='the command; quotes are not needed')
    parser.add_argument('--node', default='generate_node', help='who shall do it (generate_node)')
    parser.add_argument('--topic', default='command', help='its topic of commands (command)')
    parser.add_argument('--timeout', type=float, default=30.0, help='how long to wait [s] (30)')
    options = parser.parse_args(remove_ros_args(given)[1:])
    rclpy.init(args=list(given))
    try:
        return _say(' '.join(options.text), options)
    except KeyboardInterrupt:
        return 130
    finally:
        rclpy.try_shutdown()


def _say(text: str, options: argparse.Namespace) -> int:
    node = rclpy.create_node('say')
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    heard: list[DiagnosticStatus] = []
    topic = f'{options.node}/status'
    node.create_subscription(DiagnosticStatus, topic, heard.append, 100)
    publisher = node.create_publisher(String, options.topic, 10)
    end = time.monotonic() + options.timeout

    def wait(condition: str) -> bool:
        executor.spin_once(timeout_sec=0.1)
        if time.monotonic() < end:
            return True
        sys.stderr.write(f'say: {condition} within {options.timeout:g} s\n')
        return False

    try:
        while not (publisher.get_subscription_count() and node.count_publishers(topic)):
            if not wait(f'nobody listens to {publisher.topic_name} and tells on {topic}'):
                return 1
        publisher.publish(String(data=text))
        number = ''
        while True:
            while heard:
                status = heard.pop(0)
                values = {pair.key: pair.value for pair in status.values}
                # What becomes of another one with the same text is not of ours.
                first = not number and status.message in FIRST_STATUSES
                if first and values.get('text') == text.strip():
                    number = values['id']
                if values.get('id') != number:
                    continue
                sys.stdout.write(f'{_line(status.message, values)}\n')
                sys.stdout.flush()
                if status.message in _DONE:
                    return _DONE[status.message]
                if status.message == 'published' and values['action'] == values['actions']:
                    return 0
            if not wait('it was not carried out'):
                return 1
    finally:
        node.destroy_node()


def _line(message: str, values: dict[str, str]) -> str:
    """Return a status as a line for people."""
    several = values['actions'] not in ('', '1')
    which = f' {values["action"]} of {values["actions"]}' if several and values['action'] else ''
    what = f': {values["action_text"]}' if several and values['action_text'] else ''
    length = f', {values["duration_s"]} s' if values['duration_s'] else ''
    reason = f' ({values["reason"]})' if values['reason'] else ''
    return f'{message}{which}{what}{length}{reason}'


if __name__ == '__main__':
    sys.exit(main())
