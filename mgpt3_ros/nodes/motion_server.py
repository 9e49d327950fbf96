# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands, captions and predictions in one process, on one copy of the model.

The three nodes keep their names, topics, parameters and lifecycles; one worker does their work in
the order in which it comes.
"""

from __future__ import annotations

from collections.abc import Sequence

from rclpy.node import Node

from mgpt3_ros.nodes.caption_node import CaptionNode
from mgpt3_ros.nodes.generate_node import GenerateNode
from mgpt3_ros.nodes.predict_node import PredictNode
from mgpt3_ros.nodes.process import run


def make_nodes() -> tuple[Node, ...]:
    """Return generate_node, which owns the model, and the two that use it with it."""
    generate = GenerateNode()
    return generate, CaptionNode(generate.host), PredictNode(generate.host)


def main(args: Sequence[str] | None = None) -> None:
    """Run the nodes until the process is told to end."""
    run(make_nodes, args)


if __name__ == '__main__':
    main()
