# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `ros2 param describe` shows of each parameter of each node, over real DDS."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: nothing can talk over DDS')

from rcl_interfaces.msg import ParameterType

from mgpt3_ros.nodes.parameters import PARAMETERS

OF_ROBOTS = {'push_s', 'human_profile', 'human_id'}  # of retarget_node and sim_node
NODES = ('generate_node', 'caption_node', 'predict_node', 'playback_node', 'view_node')
RCLPY = {'use_sim_time', 'start_type_description_service'}  # every node has these
TYPES = {
    bool: ParameterType.PARAMETER_BOOL,
    int: ParameterType.PARAMETER_INTEGER,
    float: ParameterType.PARAMETER_DOUBLE,
    str: ParameterType.PARAMETER_STRING,
}


def test_each_tells_its_type_range_and_meaning(start, probe):
    start('motion_server', autostart=False)
    start('playback_node')
    pytest.importorskip('viser', reason='view_node needs the extra view')
    start('view_node', port=0)
    described: set[str] = set()
    for node in NODES:
        descriptors = probe.describe(node)
        own = {name: d for name, d in descriptors.items() if name not in RCLPY}
        described |= set(own)
        for name, descriptor in own.items():
            spec, text = PARAMETERS[name], descriptor.description
            assert descriptor.type == TYPES[type(spec.default)], name
            assert len(text.split()) >= 5, name
            assert text[0].isupper() or text.startswith(spec.choices or ('auto',)), name
            assert text.endswith('.'), name
            if descriptor.type in (TYPES[int], TYPES[float]):
                (bounds,) = [*descriptor.integer_range, *descriptor.floating_point_range]
                assert bounds.from_value <= spec.default <= bounds.to_value, name
            if spec.choices:
                assert descriptor.additional_constraints == 'one of: ' + ', '.join(spec.choices)
                assert spec.default in spec.choices, name
            # Whoever is refused a change reads here when the value is taken.
            assert descriptor.read_only == text.endswith('Read when the process starts.'), name
            # A length of time, a rate or a speed has its unit in the name or in the text.
            if name.endswith('_s'):
                assert '[s]' in text, name
    assert described == set(PARAMETERS) - OF_ROBOTS
