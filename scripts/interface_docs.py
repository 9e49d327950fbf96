#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write docs/interface.md: what the nodes and launch files declare, read from themselves.

The nodes are made over rclpy, unconfigured and without a model, and asked for their parameters,
topics and services; the launch files are run against the stand-ins of the tests, since ``launch``
comes with a ROS installation only. A test holds the file against this.

    python scripts/interface_docs.py             writes docs/interface.md
    python scripts/interface_docs.py --check     says whether it is as it should be
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STANDINS = ROOT / 'tests' / 'launch' / 'standins'
PAGE = ROOT / 'docs' / 'interface.md'

# What the code declares has types; what it is for stands here, by name. `main` fails where a name
# is missing, and where one is not declared any more.
MEANINGS = {
    # topics
    'command': 'a sentence, such as "a person walks for 3 seconds"',
    'joint_states': 'joints of the body [rad]',
    'odom': 'pelvis of the body [m], in `world_frame`',
    'joint_trajectory': 'the motion as joint angles [rad] with velocities; ends at rest',
    'base_trajectory': 'the pelvis [m], point for point with `joint_trajectory`',
    'markers': 'the moving body for RViz, with `publish_markers`',
    '~/status': 'each change of a command: queued, generating, published, refused, dropped, '
    'cancelled or failed; with id, text, which of how many actions, reason, duration and latency',
    'caption': 'what the body has been doing, when that changes',
    'caption_marker': 'the same above its head, stamped with the last frame that was observed',
    'predicted_trajectory': 'what may follow, from the last observed frame on; no command, and it '
    'need not end at rest',
    'predicted_base_trajectory': 'the pelvis, point for point with `predicted_trajectory`',
    '/tf': '`world_frame` to `base_frame`, where tf2_ros is installed',
    '/diagnostics': 'state, memory, last latency and last error, once a second',
    # services
    '~/enable': 'true: take new input; false: refuse it',
    '~/cancel': 'drop what is generated and what waits; what plays comes to rest',
    '~/caption_now': 'answer with a caption of what is observed now',
    '~/reset': 'forget what was observed',
}

# Every node of rclpy has these, and every lifecycle node; they are named in one line.
OF_ALL = {
    *('/rosout', '/parameter_events', '~/transition_event', '/clock'),
    *('~/describe_parameters', '~/get_parameter_types', '~/get_parameters'),
    *('~/list_parameters', '~/set_parameters', '~/set_parameters_atomically'),
    '~/get_type_description',
    *('~/change_state', '~/get_state', '~/get_available_states', '~/get_available_transitions'),
    '~/get_transition_graph',
}


@dataclass(frozen=True)
class Endpoint:
    """A topic or service of a node: direction (in, out or service), name, type and QoS."""

    direction: str
    name: str
    type: str
    qos: str = ''


@dataclass(frozen=True)
class Declared:
    """A parameter as ``ros2 param describe`` shows it."""

    name: str
    type: str
    default: Any
    limits: str
    read_only: bool
    description: str
    descriptor: Any = field(compare=False, repr=False)


@dataclass(frozen=True)
class Interface:
    """What one node declares."""

    node: str
    lifecycle: bool
    endpoints: tuple[Endpoint, ...]
    parameters: tuple[Declared, ...]

    @property
    def common(self) -> set[str]:
        """Return the names that every node of its kind has."""
        return {endpoint.name for endpoint in self.endpoints} & OF_ALL


def read_nodes() -> list[Interface]:
    """Make each node of the package, unconfigured, and read what it declares."""
    import rclpy

    from mgpt3_ros.nodes.caption_node import CaptionNode
    from mgpt3_ros.nodes.generate_node import GenerateNode
    from mgpt3_ros.nodes.playback_node import PlaybackNode
    from mgpt3_ros.nodes.predict_node import PredictNode

    rclpy.init(args=['--ros-args', '-p', 'autostart:=false', '--log-level', 'error'])
    try:
        found = []
        for make in (GenerateNode, CaptionNode, PredictNode, PlaybackNode):
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
    return Interface(node.get_name(), lifecycle, tuple(endpoints), tuple(parameters))


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
    absolute = ('/tf', '/diagnostics', '/rosout', '/parameter_events', '/clock')
    return name if name in absolute else name.removeprefix('/')


def _type_name(kind: Any) -> str:
    package, folder = kind.__module__.split('.')[:2]
    return f'{package}/{folder}/{kind.__name__}'


def _parameter(parameter: Any, descriptor: Any) -> Declared:
    limits = descriptor.additional_constraints.removeprefix('one of: ')
    for bounds in (*descriptor.floating_point_range, *descriptor.integer_range):
        limits = f'{bounds.from_value:g} to {bounds.to_value:g}'
        if isinstance(bounds.from_value, int):
            limits = f'{bounds.from_value} to {bounds.to_value}'
    return Declared(
        parameter.name,
        parameter.type_.name.lower(),
        # autostart is switched off here, so that nothing starts while it is read.
        True if parameter.name == 'autostart' else parameter.value,
        limits,
        descriptor.read_only,
        descriptor.description,
        descriptor,
    )


@contextmanager
def _launch_standins() -> Iterator[None]:
    """Let the stand-ins answer for ``launch``; put everything back afterwards."""
    replaced = ('launch', 'launch_ros', 'ament_index_python')

    def forget() -> dict[str, Any]:
        shared = 'mgpt3_ros.nodes.launching'
        names = [n for n in sys.modules if n.split('.')[0] in replaced or n == shared]
        return {name: sys.modules.pop(name) for name in names}

    real = forget()
    sys.path.insert(0, str(STANDINS))
    try:
        yield
    finally:
        sys.path.remove(str(STANDINS))
        forget()
        sys.modules.update(real)


def read_launch_files() -> dict[str, list[Any]]:
    """Return the arguments that each launch file declares."""
    found = {}
    with _launch_standins():
        for path in sorted((ROOT / 'launch').glob('*.launch.py')):
            spec = importlib.util.spec_from_file_location(path.name.replace('.', '_'), path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            found[path.name] = [
                entity
                for entity in module.generate_launch_description().entities
                if type(entity).__name__ == 'DeclareLaunchArgument'
            ]
    return found


# ---------------------------------------------------------------------- Markdown

HEAD = """\
# Topics, services, parameters and launch arguments

<!-- Made by scripts/interface_docs.py from the nodes themselves. Do not edit it by hand. -->

Read from the nodes and launch files themselves. `~/` stands for the node's own name: `~/cancel`
of `generate_node` is `/generate_node/cancel`. All other names are relative, so a namespace moves
them, except `/tf` and `/diagnostics`. `motion_server` is the process that runs `generate_node`,
`caption_node` and `predict_node` on one copy of the model; each keeps its name and interface.
"""


def page(nodes: list[Interface], launch: dict[str, list[Any]]) -> str:
    """Return the text of docs/interface.md."""
    stale = set(MEANINGS) - {e.name for node in nodes for e in node.endpoints} - {'/tf'}
    if stale:
        raise SystemExit(f'{__file__}: no node declares {", ".join(sorted(stale))}')
    parts = [HEAD, '## Topics and services\n']
    parts += [_endpoints_of(node) for node in nodes]
    parts.append(_of_all(nodes))
    parts.append(_parameters_of(nodes))
    parts.append(_launch_arguments_of(launch))
    return '\n'.join(parts)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ['---'] * len(names), *map(list, rows)]
    text = ''.join(f'| {" | ".join(cells)} |\n' for cells in lines)
    return text.replace('<', '&lt;').replace('  ', ' ')


def _endpoints_of(node: Interface) -> str:
    rows = [
        (e.direction, f'`{e.name}`', f'`{e.type}`', e.qos, MEANINGS[e.name])
        for e in node.endpoints
        if e.name not in OF_ALL
    ]
    return f'### {node.node}\n\n{_table(("", "name", "type", "QoS", "what"), rows)}'


def _of_all(nodes: list[Interface]) -> str:
    managed = [node for node in nodes if node.lifecycle]
    names = set.intersection(*(node.common for node in managed))
    plain = set.intersection(*(node.common for node in nodes))

    def listed(some: set[str]) -> str:
        return ', '.join(f'`{name}`' for name in sorted(some))

    return (
        '### Of every node\n\n'
        f'All: {listed(plain)}.\n\n'
        f'Lifecycle nodes ({", ".join(f"`{node.node}`" for node in managed)}) also: '
        f'{listed(names - plain)}.\n'
    )


def _parameters_of(nodes: list[Interface]) -> str:
    found: dict[Declared, list[str]] = {}
    for node in nodes:
        for parameter in node.parameters:
            found.setdefault(parameter, []).append(node.node.removesuffix('_node'))
    rows = [
        (
            f'`{p.name}`',
            p.type,
            f'`{_yaml(p.default)}`',
            p.limits,
            'start' if p.read_only else 'any time',
            ', '.join(owners),
            p.description.removesuffix(' Read when the process starts.'),
        )
        for p, owners in found.items()
    ]
    head = ('name', 'type', 'default', 'range', 'set at', 'nodes', 'meaning')
    return (
        '## Parameters\n\n'
        'Those set at start are read-only afterwards; the others take effect at the next command, '
        'caption or prediction. `ros2 param describe` shows the same.\n\n' + _table(head, rows)
    )


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else str(value)


def _launch_arguments_of(launch: dict[str, list[Any]]) -> str:
    found: dict[tuple[str, ...], list[str]] = {}
    for file, arguments in launch.items():
        for argument in arguments:
            default = argument.default_value.replace(f'{ROOT}/', 'share/mgpt3_ros/')
            choices = ', '.join(choice or "''" for choice in argument.choices or ())
            key = (argument.name, default, choices, argument.description)
            found.setdefault(key, []).append(file.removesuffix('.launch.py'))
    every = sorted(name.removesuffix('.launch.py') for name in launch)
    rows = [
        (
            f'`{name}`',
            f'`{default}`' if default else "`''`",
            choices,
            'all' if files == every else ', '.join(files),
            meaning,
        )
        for (name, default, choices, meaning), files in found.items()
    ]
    files = ', '.join(f'`{name}`' for name in launch)
    return (
        '## Launch arguments\n\n'
        f'Of {files}; `ros2 launch mgpt3_ros FILE --show-args` shows the same.\n\n'
        + _table(('name', 'default', 'choices', 'files', 'meaning'), rows)
    )


def main(args: list[str] | None = None) -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description='Write docs/interface.md from the nodes.')
    parser.add_argument('--check', action='store_true', help='compare only; 1 if it differs')
    options = parser.parse_args(args)
    text = page(read_nodes(), read_launch_files())
    if options.check:
        same = PAGE.is_file() and PAGE.read_text(encoding='utf-8') == text
        print(f'{PAGE}: {"as the nodes are" if same else "stale: run this without --check"}')
        return 0 if same else 1
    PAGE.write_text(text, encoding='utf-8')
    print(PAGE)
    return 0


if __name__ == '__main__':
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
