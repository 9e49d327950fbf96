# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write docs/interface.md: what the nodes and launch files declare, read from themselves.

``python -m scripts.interface_docs``. The nodes are made over rclpy, unconfigured and without a
model, and asked for their parameters, topics and services; the launch files are run against the
stand-ins of the tests, since ``launch`` comes with a ROS installation only. What the declared
names are for stands in interface.yaml, the page around them in interface.md.j2. A test holds the
file against this.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from scripts.templates import render

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / 'docs' / 'interface.md'
NAMES = yaml.safe_load((ROOT / 'scripts' / 'interface.yaml').read_text())
MEANINGS: dict[str, str] = NAMES['meanings']
OF_ALL = set(NAMES['of_all'])


class Endpoint(NamedTuple):
    """A topic or service of a node: direction (in, out or service), name, type and QoS."""

    direction: str
    name: str
    type: str
    qos: str = ''


class Declared(NamedTuple):
    """A parameter as ``ros2 param describe`` shows it; its default as YAML."""

    name: str
    type: str
    default: str
    limits: str
    read_only: bool
    description: str


class Interface(NamedTuple):
    """What one node declares."""

    node: str
    lifecycle: bool
    endpoints: list[Endpoint]
    parameters: list[Declared]


def read_nodes() -> list[Interface]:
    """Make each node of the package, unconfigured, and read what it declares."""
    import rclpy

    from mgpt3_ros.nodes.caption_node import CaptionNode
    from mgpt3_ros.nodes.generate_node import GenerateNode
    from mgpt3_ros.nodes.playback_node import PlaybackNode
    from mgpt3_ros.nodes.predict_node import PredictNode
    from mgpt3_ros.nodes.retarget_node import RetargetNode
    from mgpt3_ros.nodes.sim_node import SimNode
    from mgpt3_ros.nodes.view_node import ViewNode
    from tests.support.robots import write_tin_man

    makers = (
        GenerateNode,
        CaptionNode,
        PredictNode,
        PlaybackNode,
        RetargetNode,
        SimNode,
        ViewNode,
    )
    with tempfile.TemporaryDirectory() as folder:
        robot = write_tin_man(Path(folder))
        arguments = [
            '--ros-args',
            '-p',
            'autostart:=false',
            '-p',
            'port:=0',
            '-p',
            'generate_node:steering:=true',
            '--log-level',
            'error',
        ]
        for name in ('retarget_node', 'sim_node'):  # they are of a robot alone
            arguments += ['-p', f'{name}:joint_profile:={robot}']
        rclpy.init(args=arguments)
        return _read_each((*makers, ViewNode))


def _read_each(makers: Iterable[Callable[[], Any]]) -> list[Interface]:
    import rclpy

    try:
        found = []
        for make in makers:
            node = make()
            found.append(_read(node))
            if hasattr(node, 'close'):
                node.close(5.0)
            node.destroy_node()
        return found
    finally:
        rclpy.try_shutdown()


def _read(node: Any) -> Interface:
    endpoints = [
        *(_topic(node, 'in', s.topic_name, s.msg_type, s.qos_profile) for s in node.subscriptions),
        *(_topic(node, 'out', p.topic_name, p.msg_type, p.qos_profile) for p in node.publishers),
        *(
            Endpoint('service', _short(node, s.service_name), _type_name(s.srv_type))
            for s in node.services
        ),
    ]
    endpoints = list(dict.fromkeys(endpoints))  # of several controllers
    # Those of mgpt3_interfaces stand in the page itself: nodes have them only where it is.
    endpoints = [e for e in endpoints if not e.type.startswith('mgpt3_interfaces/')]
    actions = [f'~/{name}' for name in ('generate_motion', 'caption_motion', 'predict_motion')]
    endpoints = [e for e in endpoints if not e.name.startswith(tuple(f'{a}/_' for a in actions))]
    known = [*MEANINGS, *OF_ALL]
    unknown = [endpoint.name for endpoint in endpoints if endpoint.name not in known]
    if unknown:
        raise SystemExit(f'{__file__}: MEANINGS lacks {", ".join(unknown)} of {node.get_name()}')
    endpoints.sort(key=lambda endpoint: known.index(endpoint.name))
    endpoints.sort(key=lambda endpoint: ('in', 'out', 'service').index(endpoint.direction))
    names = list(node.get_parameters_by_prefix(''))
    names = [n for n in names if n != 'use_sim_time' and not n.startswith('start_type_descr')]
    parameters = [
        _parameter(node.get_parameter(descriptor.name), descriptor)
        for descriptor in node.describe_parameters(names)
    ]
    lifecycle = any(endpoint.name == '~/change_state' for endpoint in endpoints)
    return Interface(node.get_name(), lifecycle, endpoints, parameters)


def _topic(node: Any, direction: str, name: str, kind: Any, qos: Any) -> Endpoint:
    words = [qos.reliability.name.lower()]
    if qos.durability.name == 'TRANSIENT_LOCAL':
        words.append('transient_local')
    words.append(f'depth {qos.depth}')
    return Endpoint(direction, _short(node, name), _type_name(kind), ', '.join(words))


def _short(node: Any, name: str) -> str:
    """Return a name as the code has it: of the node itself (~), or relative."""
    own = node.get_fully_qualified_name() + '/'
    if name.startswith(own):
        return '~/' + name[len(own) :]
    if name.count('/') == 2 and name.endswith('/joint_trajectory'):
        return 'CONTROLLER/joint_trajectory'
    absolute = ('/tf', '/diagnostics', '/rosout', '/parameter_events', '/clock')
    return name if name in absolute else name.removeprefix('/')


def _type_name(kind: Any) -> str:
    package, folder = kind.__module__.split('.')[:2]
    return f'{package}/{folder}/{kind.__name__}'


def _parameter(parameter: Any, descriptor: Any) -> Declared:
    from mgpt3_ros.nodes.parameters import PARAMETERS

    limits = descriptor.additional_constraints.removeprefix('one of: ')
    for bounds in (*descriptor.floating_point_range, *descriptor.integer_range):
        limits = f'{bounds.from_value:g} to {bounds.to_value:g}'
        if isinstance(bounds.from_value, int):
            limits = f'{bounds.from_value} to {bounds.to_value}'
    # Not the value: autostart is off here, the port is any and a robot is named, while it is read.
    value = PARAMETERS[parameter.name].default
    return Declared(
        parameter.name,
        parameter.type_.name.lower(),
        f"'{value}'" if isinstance(value, str) else str(value).lower(),
        limits,
        descriptor.read_only,
        descriptor.description,
    )


def read_launch_files() -> dict[str, list[Any]]:
    """Return the arguments that each launch file declares."""
    from tests.support import launch_files

    found = {}
    with launch_files.standins():
        for path in sorted((ROOT / 'launch').glob('*.launch.py')):
            entities = launch_files.load(path.name).generate_launch_description().entities
            found[path.name] = list(launch_files.declared(entities).values())
    return found


def page(nodes: list[Interface], launch: dict[str, list[Any]]) -> str:
    """Return the text of docs/interface.md."""
    stale = set(MEANINGS) - {e.name for node in nodes for e in node.endpoints} - {'/tf'}
    if stale:
        raise SystemExit(f'{__file__}: no node declares {", ".join(sorted(stale))}')
    managed = [node for node in nodes if node.lifecycle]
    of_all, of_managed = (
        set.intersection(*({e.name for e in node.endpoints} & OF_ALL for node in some))
        for some in (nodes, managed)
    )
    parameters: dict[Declared, list[str]] = {}
    for node in nodes:
        for parameter in node.parameters:
            parameters.setdefault(parameter, []).append(node.node.removesuffix('_node'))
    arguments: dict[tuple[str, ...], list[str]] = {}
    for file, declared in launch.items():
        for argument in declared:
            default = argument.default_value.replace(f'{ROOT}/', 'share/mgpt3_ros/')
            choices = ', '.join(choice or "''" for choice in argument.choices or ())
            key = (argument.name, default or "''", choices, argument.description)
            arguments.setdefault(key, []).append(file.removesuffix('.launch.py'))
    text = render(
        'interface.md.j2',
        nodes=nodes,
        meanings=MEANINGS,
        of_all=sorted(of_all),
        managed=[node.node for node in managed],
        of_managed=sorted(of_managed - of_all),
        parameters=parameters,
        launch=list(launch),
        arguments=arguments,
    )
    return text.replace('  ', ' ')  # of an empty cell


if __name__ == '__main__':
    argparse.ArgumentParser(description=__doc__).parse_args()
    PAGE.write_text(page(read_nodes(), read_launch_files()), encoding='utf-8')
    print(PAGE)
