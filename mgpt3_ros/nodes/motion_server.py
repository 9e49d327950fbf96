# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands, captions and predictions in one process, on one copy of the model.

The three nodes keep their names, topics, parameters and lifecycles; one worker does their work in
the order in which it comes. With ``--bodies anna,bert`` there are three of them for each body, in
namespaces of their own, and what several bodies are told at one time is drawn as one batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rclpy.node import Node

from mgpt3_ros.nodes.bodies import nodes_of_bodies
from mgpt3_ros.nodes.caption_node import CaptionNode
from mgpt3_ros.nodes.generate_node import GenerateNode
from mgpt3_ros.nodes.model_host import ModelHost
from mgpt3_ros.nodes.predict_node import PredictNode
from mgpt3_ros.nodes.process import run


def make_nodes(host: ModelHost | None = None, namespace: str = '') -> list[Node]:
    """Return generate_node, which owns the model unless it is given one, and the other two."""
    generate = GenerateNode(host, namespace)
    host = generate.host
    return [generate, CaptionNode(host, namespace), PredictNode(host, namespace)]


def main(args: Sequence[str] | None = None) -> None:
    """Run the nodes until the process is told to end."""
    run(partial(nodes_of_bodies, make_nodes, args), args)


if __name__ == '__main__':
    main()
