#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Have generate_node carry out a command as an action, and see it through to its end.

python examples/09_generate_action.py "walk forward for 2 seconds, then bow"
python examples/09_generate_action.py "walk forward for 9 seconds" --cancel-after 2
"""

import argparse
import sys

import rclpy
from mgpt3_interfaces.action import GenerateMotion
from rclpy.action import ActionClient


def main() -> int:
    """Send a goal, print feedback and result; return the exit code."""
    parser = argparse.ArgumentParser(description='Carry out a command to its end.')
    parser.add_argument('text')
    parser.add_argument('--cancel-after', type=float, help='seconds after its first trajectory')
    arguments = parser.parse_args(rclpy.utilities.remove_ros_args(sys.argv)[1:])
    rclpy.init(args=sys.argv)
    node = rclpy.create_node('generate_client')
    client = ActionClient(node, GenerateMotion, 'generate_node/generate_motion')
    timers = []

    def hear(message: GenerateMotion.Impl.FeedbackMessage) -> None:
        feedback = message.feedback
        print(f'{feedback.state} {feedback.action_text} {feedback.message}'.rstrip(), flush=True)
        if feedback.state == 'published' and arguments.cancel_after and not timers:
            timers.append(node.create_timer(arguments.cancel_after, cancel))

    def cancel() -> None:
        timers[0].cancel()
        goal.cancel_goal_async()

    try:
        if not client.wait_for_server(timeout_sec=30.0):
            print('no server: is generate_node running, with mgpt3_interfaces?', file=sys.stderr)
            return 1
        sent = client.send_goal_async(GenerateMotion.Goal(text=arguments.text), hear)
        rclpy.spin_until_future_complete(node, sent)
        goal = sent.result()
        if not goal.accepted:
            print('not accepted: the node is inactive or disabled', file=sys.stderr)
            return 1
        answer = goal.get_result_async()
        rclpy.spin_until_future_complete(node, answer)
        result = answer.result().result
        print(
            f'{result.state} after {result.duration_s:.1f} s of motion {result.message}'.rstrip()
        )
        return 0 if result.success else 1
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    sys.exit(main())
