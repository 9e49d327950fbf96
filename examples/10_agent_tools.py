#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tools that a language model calls to move a body and to see what one does.

python examples/10_agent_tools.py --list
python examples/10_agent_tools.py move '{"text": "wave with both hands"}'

``--list`` prints them as JSON, in the form that most models take; what the model answers, a name
and arguments, goes to the same program. ``look`` needs caption_node, ``move`` generate_node.
"""

import argparse
import json
import subprocess
import sys
import time

import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String
from std_srvs.srv import Trigger

TOOLS = [
    {
        'name': 'move',
        'description': 'Have the body do something. One short sentence; several actions are '
        'carried out one after another. Returns what became of it, or why it was refused.',
        'parameters': {
            'type': 'object',
            'properties': {'text': {'type': 'string', 'description': 'such as "walk forward"'}},
            'required': ['text'],
        },
    },
    {
        'name': 'stop',
        'description': 'Bring the body to rest at once, and drop all that it still had to do.',
        'parameters': {'type': 'object', 'properties': {}},
    },
    {
        'name': 'look',
        'description': 'Say in a sentence what the body has been doing in the last seconds.',
        'parameters': {'type': 'object', 'properties': {}},
    },
]
WAIT_S = 60.0


def move(text: str) -> str:
    """Send a command; return the lines about it."""
    command = [sys.executable, '-m', 'mgpt3_ros.nodes.say', text, '--timeout', str(WAIT_S)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def stop() -> str:
    """Call ~/cancel; return its answer."""
    node = rclpy.create_node('agent')
    client = node.create_client(Trigger, 'generate_node/cancel')
    if not client.wait_for_service(timeout_sec=WAIT_S):
        return 'generate_node is not there'
    answer = client.call_async(Trigger.Request())
    rclpy.spin_until_future_complete(node, answer, timeout_sec=WAIT_S)
    return answer.result().message if answer.done() else 'no answer'


def look() -> str:
    """Return the last caption, which is kept for those who come late."""
    node, heard = rclpy.create_node('agent'), []
    kept = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    node.create_subscription(String, 'caption', heard.append, kept)
    end = time.monotonic() + WAIT_S
    while not heard and time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)
    return heard[0].data if heard else 'nothing was captioned yet'


def main() -> int:
    """List the tools, or carry out one."""
    parser = argparse.ArgumentParser(description='Tools for a language model.')
    parser.add_argument('--list', action='store_true', help='print the tools as JSON')
    parser.add_argument('tool', nargs='?', choices=[tool['name'] for tool in TOOLS])
    parser.add_argument('arguments', nargs='?', default='{}', help='as JSON')
    given = parser.parse_args()
    if given.list:
        print(json.dumps(TOOLS, indent=2))
        return 0
    if given.tool is None:
        parser.error('a tool, or --list')
    rclpy.init()
    try:
        print(
            {'move': move, 'stop': stop, 'look': look}[given.tool](**json.loads(given.arguments))
        )
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
