# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""generate_node over real DDS, seen from another process: latency, memory, time to start."""

from __future__ import annotations

import math
import statistics
import time

from benchmarks.table import Row
from mgpt3_ros.nodes.client import GenerateClient

MOTION_S = 6.0
COMMANDS = 20
SENTENCES = (
    'a person walks forward.',
    'a person waves with both hands.',
    'someone walks backward.',
    'a person takes a bow.',
)

# Targets of the project (docs/design.md): two cores, the default checkpoint.
LATENCY_S, LATENCY_P95_S, MEMORY_MB, START_S = 0.035, 0.080, 1200.0, 15.0


def measure(checkpoint: str = '', commands: int = COMMANDS) -> list[Row]:
    """Start a node, send it commands and return what was measured.

    Args:
        checkpoint: folder of the model; '' for the shipped one.
        commands: how many are sent after the first answer.
    """
    parameters = {'checkpoint': f"'{checkpoint}'", 'duration_s': str(MOTION_S)}
    begin = time.monotonic()
    with GenerateClient(parameters) as client:
        client.wait_until_connected()
        first = client.ask(SENTENCES[0])
        start_s = time.monotonic() - begin
        answers = [client.ask(SENTENCES[index % len(SENTENCES)]) for index in range(commands)]
        memory_mb = client.memory_mb()
    inside = sorted(float(answer.status['latency_s']) for answer in answers)
    outside = sorted(answer.seconds for answer in answers)
    p95 = inside[math.ceil(0.95 * len(inside)) - 1]
    motion = f'{MOTION_S:g} s of motion'
    return [
        Row(f'command to trajectory, {motion}, median', statistics.median(inside), 's', LATENCY_S),
        Row(f'command to trajectory, {motion}, p95', p95, 's', LATENCY_P95_S),
        Row(f'command to trajectory, {motion}, slowest', inside[-1], 's'),
        Row('the same seen from another process, median', statistics.median(outside), 's'),
        Row('first command after the start', float(first.status['latency_s']), 's'),
        Row('start of the process to first answer', start_s, 's', START_S),
        Row('largest memory of the node', memory_mb, 'MB', MEMORY_MB),
    ]
