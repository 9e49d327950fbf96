# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters that nobody reads, and parameters that contradict each other."""

from __future__ import annotations

import difflib

from rclpy.node import Node

from mgpt3_ros.nodes.parameters import PARAMETERS, Parameters

# rclpy's own, which any node may be given.
_RCLPY = ('use_sim_time', 'start_type_description_service', 'robot_description')
_FASTEST = 20.0  # predictions a second that one core makes, hypotheses counted [1/s]


def unknown_parameters(node: Node) -> list[str]:
    """Return a line for each parameter that the node was given and no node of ours has.

    One that only other nodes have is no mistake: a section ``/**`` is for all.
    """
    given = node._parameter_overrides  # rclpy gives no other way to them
    found = []
    for name in given:
        if name in PARAMETERS or name in _RCLPY or name.startswith('qos_overrides.'):
            continue
        near = difflib.get_close_matches(name, PARAMETERS, 1)
        hint = f': is {near[0]} meant?' if near else ''
        found.append(f'no node has a parameter {name!r}, what was given for it is left out{hint}')
    return found


def contradictions(parameters: Parameters) -> set[str]:
    """Return a line for each pair of parameters that does not do what it seems to."""
    has = {name: parameters[name] for name in parameters.names}
    found = set()
    for name in ('world_frame', 'base_frame', 'body_id'):
        value = has.get(name)
        if value is not None and (any(map(str.isspace, value)) or (not value and name[0] == 'w')):
            found.add(f'{name} is {value!r}: a frame or name without blanks is needed')
    if has.get('world_frame') and has.get('world_frame') == has.get('base_frame'):
        found.add(f'world_frame and base_frame are both {has["world_frame"]!r}')
    if has.get('min_window_s', 0.0) > has.get('window_s', 99.0):
        found.add(
            f'min_window_s {has["min_window_s"]:g} is longer than window_s {has["window_s"]:g}: '
            'that is taken'
        )
    if has.get('max_gap_s', 0.0) > has.get('window_s', 99.0):
        found.add(
            f'max_gap_s {has["max_gap_s"]:g} is longer than window_s {has["window_s"]:g}: a pause '
            'is never noticed'
        )
    if has.get('caption_period_s', 0.0) > has.get('window_s', 99.0):
        found.add(
            f'caption_period_s {has["caption_period_s"]:g} is longer than window_s '
            f'{has["window_s"]:g}: what lies between two windows is never looked at'
        )
    drawn = has.get('num_hypotheses', 1) * has.get('predict_rate_hz', 0.0)
    if drawn > _FASTEST:
        found.add(
            f'num_hypotheses {has["num_hypotheses"]} at predict_rate_hz '
            f'{has["predict_rate_hz"]:g} are {drawn:g} predictions a second: they will be late'
        )
    if has.get('closed_loop') and has.get('mode') == 'clip':
        found.add('closed_loop does nothing in mode clip')
    if has.get('lead_in_s', 99.0) < 2 / has.get('fps_out', 99.0):
        found.add(f'lead_in_s {has["lead_in_s"]:g} is shorter than two points of the trajectory')
    return found
