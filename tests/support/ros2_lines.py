# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks ``ros2`` command lines of the documents against what the package declares.

``ros2`` itself comes with a ROS installation, so nothing is run: executables, launch files and
their arguments, nodes, topics with their types and contents, services and parameters must be those
of scripts/interface_docs.py. A word in capitals (NAME, VALUE) stands for any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from tests.support.fences import PLACEHOLDER

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = 'mgpt3_ros'
# Options of Jazzy's commands that take a value, and those that take none.
VALUED = {
    *('-r', '--rate', '-t', '--times', '-w', '--wait-matching-subscriptions', '--field'),
    *('--qos-reliability', '--qos-durability', '--qos-depth', '--qos-profile', '--timeout'),
    *('-o', '--output', '-s', '--storage', '--start-offset', '--spin-time', '--output-dir'),
    *('--max-wait-time', '--params-file', '-p', '--log-level', '-f', '--regex'),
}
FLAGS = {
    *('-1', '--once', '--show-args', '-v', '--verbose', '--no-daemon', '--show-types', '--clock'),
    *('--full-length', '--no-arr', '--csv', '--include-hidden-nodes', '-a', '--all', '--report'),
    *('--print', '--loop', '-l'),
}
TRANSITIONS = ('configure', 'activate', 'deactivate', 'cleanup', 'shutdown')
# What others bring: only the shape of the line is checked.
OTHERS = {
    *('robot_state_publisher', 'rviz2', 'plotjuggler', 'rqt_graph', 'controller_manager'),
    *('teleop_twist_keyboard', 'rqt_robot_steering'),
}
OF_BODIES = ('generate_node', 'motion_server')  # that take --bodies


class LineError(Exception):
    """A line that would not work."""


class Checker:
    """Knows the interface.

    Args:
        nodes: of ``interface_docs.read_nodes``.
        launch: of ``interface_docs.read_launch_files``.
        executables: console scripts of setup.py.
    """

    def __init__(
        self, nodes: Iterable[Any], launch: dict[str, list[Any]], executables: set[str]
    ) -> None:
        self.nodes = {node.node: node for node in nodes}
        self.launch = launch
        self.executables = executables

    def check(self, words: Sequence[str], mention: bool = False) -> None:
        """Raise LineError for a line that would not work.

        Args:
            words: of the line.
            mention: whether it stands in a sentence, where "`ros2 launch` finds it" is no line.
        """
        _require(len(words) > 1, 'ros2 wants a command')
        method = getattr(self, f'_{words[1]}', None)
        if method is None:
            raise LineError(f'ros2 {words[1]}: is that a command?')
        if not mention or len(words) > 3:
            method(list(words[2:]))

    # ------------------------------------------------------------------ starting

    def _launch(self, rest: list[str]) -> None:
        package, file, *arguments = _plain(rest, 2)
        if package in OTHERS:
            return
        _require(package == PACKAGE, f'package {package}')
        if PLACEHOLDER.fullmatch(file):
            return
        _require(file in self.launch, f'there is no launch file {file}')
        declared = {argument.name: argument for argument in self.launch[file]}
        for word in arguments:
            name, sign, value = word.partition(':=')
            _require(bool(sign), f'{word}: not NAME:=VALUE')
            _require(name in declared, f'{file} has no argument {name}')
            choices = declared[name].choices
            _require(not choices or value in choices, f'{name}: {value} is none of {choices}')
            if name == 'params_file':
                self.parameters_file(value)

    def _run(self, rest: list[str]) -> None:
        package, executable, *arguments = rest
        if package in OTHERS:
            return
        _require(package == PACKAGE, f'package {package}')
        self.executable(executable, arguments)

    def executable(self, name: str, arguments: Sequence[str]) -> None:
        """Check a node's executable with its ``--ros-args``."""
        _require(name in self.executables, f'there is no executable {name}')
        if name == 'say':  # what it says is free
            return
        names = [name] if name in self.nodes else [n for n in self.nodes if n != 'playback_node']
        left = list(arguments)
        if name in OF_BODIES and left[:1] == ['--bodies']:
            named = len(left) > 1 and all(left[1].split(','))
            _require(named, '--bodies wants names')
            left = left[2:]
        _require(not left or left.pop(0) == '--ros-args', f'{name}: --ros-args is missing')
        while left:
            option = left.pop(0)
            _require(bool(left), f'{option} wants a value')
            value = left.pop(0)
            if option in ('-p', '--param'):
                key, sign, text = value.partition(':=')
                _require(bool(sign), f'{value}: not NAME:=VALUE')
                node, _, key = key.rpartition(':')
                self.parameter([node] if node else names, key, yaml.safe_load(text))
            elif option in ('-r', '--remap'):
                old, sign, new = value.partition(':=')
                _require(bool(sign and new), f'{value}: not FROM:=TO')
                if not old.rpartition(':')[2].startswith('__'):
                    self.topic(old, names)
            elif option == '--params-file':
                self.parameters_file(value)
            else:
                _require(option == '--log-level', f'{option}: what is that?')

    # ------------------------------------------------------------------ looking and asking

    def _topic(self, rest: list[str]) -> None:
        verb, *rest = rest
        words = _plain(rest, 0 if verb == 'list' else 1)
        if verb == 'list':
            return
        known = ('echo', 'hz', 'info', 'type', 'pub', 'bw', 'delay')
        _require(verb in known, f'ros2 topic {verb}')
        kinds = self.topic(words[0])
        if len(words) > 1:
            _require(words[1] in kinds, f'{words[0]} carries {kinds}, not {words[1]}')
        if verb == 'pub':
            _require(len(words) in (2, 3), 'ros2 topic pub TOPIC TYPE VALUES')
            fill(words[1], words[2] if len(words) > 2 else '{}')

    def _service(self, rest: list[str]) -> None:
        verb, *rest = rest
        if verb == 'list':
            return
        _require(verb in ('call', 'type', 'info'), f'ros2 service {verb}')
        name, *words = _plain(rest, 1)
        kinds = {
            endpoint.type
            for endpoint in self._endpoints(name, 'service')
            if endpoint.direction == 'service'
        }
        _require(bool(kinds), f'no node has a service {name}')
        if verb == 'call':
            _require(len(words) in (1, 2), 'ros2 service call NAME TYPE VALUES')
            _require(words[0] in kinds, f'{name} is {kinds}, not {words[0]}')
            fill(words[0] + '_Request', words[1] if len(words) > 1 else '{}')

    def _param(self, rest: list[str]) -> None:
        verb, *rest = rest
        words = _plain(rest, 0)
        known = ('list', 'get', 'set', 'describe', 'dump', 'load')
        _require(verb in known, f'ros2 param {verb}')
        if not words:
            _require(verb == 'list', f'ros2 param {verb} wants a node')
            return
        node = self._node(words[0])
        if verb == 'load':
            self.parameters_file(words[1])
        elif verb in ('get', 'describe'):
            self.parameter([node], words[1])
        elif verb == 'set':
            _require(len(words) == 3, 'ros2 param set NODE NAME VALUE')
            found = self.parameter([node], words[1], yaml.safe_load(words[2]))
            _require(found is None or not found.read_only, f'{words[1]} is read-only')

    def _lifecycle(self, rest: list[str]) -> None:
        verb, *words = rest
        _require(verb in ('set', 'get', 'list', 'nodes'), f'ros2 lifecycle {verb}')
        if words:
            node = self._node(words[0])
            _require(self.nodes[node].lifecycle, f'{node} has no lifecycle')
        if verb == 'set':
            _require(words[1] in TRANSITIONS, f'{words[1]} is no transition')

    def _node(self, rest: Any) -> Any:
        """Both the command ``ros2 node`` and: the node that a name means, in any namespace."""
        if isinstance(rest, list):
            _require(rest[0] in ('list', 'info'), f'ros2 node {rest[0]}')
            return [self._node(name) for name in _plain(rest[1:], 0)]
        if PLACEHOLDER.fullmatch(rest):
            return 'generate_node'  # it has all that a line can ask for
        _require(rest.startswith('/'), f'{rest}: begin the name of a node with /')
        name = rest.rsplit('/', 1)[-1]
        _require(name in self.nodes, f'there is no node {rest}')
        return name

    def _bag(self, rest: list[str]) -> None:
        verb, *rest = rest
        known = ('record', 'play', 'info', 'reindex', 'convert')
        _require(verb in known, f'ros2 bag {verb}')
        if verb == 'record':
            start = rest.index('--topics') + 1 if '--topics' in rest else 0
            for word in _plain([w for w in rest[start:] if w != '--topics'], 0):
                self.topic(word)

    def _interface(self, rest: list[str]) -> None:
        _require(rest[0] == 'show' and len(rest) == 2, 'ros2 interface show TYPE')
        message_class(rest[1])

    def _doctor(self, rest: list[str]) -> None:
        _plain(rest, 0)

    def _daemon(self, rest: list[str]) -> None:
        _require(rest in (['stop'], ['start'], ['status']), f'ros2 daemon {rest}')

    def _pkg(self, rest: list[str]) -> None:
        _require(rest[-1] == PACKAGE, f'ros2 pkg {rest}')

    # ------------------------------------------------------------------ what is declared

    def _endpoints(self, name: str, *directions: str) -> list[Any]:
        """Return the endpoints that a full name can mean, also behind one namespace."""
        found = []
        for node in self.nodes.values():
            for endpoint in node.endpoints:
                if endpoint.direction not in directions:
                    continue
                own = endpoint.name.replace('~', node.node, 1).removeprefix('/')
                if re.fullmatch(rf'(/|/\w+/)?{re.escape(own)}', name):
                    found.append(endpoint)
        return found

    def topic(self, name: str, nodes: Iterable[str] = ()) -> set[str]:
        """Return the types that a topic carries."""
        found = self._endpoints(name, 'in', 'out')
        if nodes:
            own = [e for node in nodes for e in self.nodes[node].endpoints]
            found = [endpoint for endpoint in found if endpoint in own]
        _require(bool(found), f'no node has a topic {name}')
        return {endpoint.type for endpoint in found}

    def parameter(self, nodes: Iterable[str], name: str, value: Any = None) -> Any:
        """Return how a parameter is declared, after a look at the value."""
        if PLACEHOLDER.fullmatch(name):
            return None
        names = list(nodes)
        found = [p for node in names for p in self.nodes[node].parameters if p.name == name]
        if name == 'use_sim_time':
            return None
        _require(bool(found), f'{" and ".join(names)} has no parameter {name}')
        if value is not None:
            _fits(found[0], value)
        return found[0]

    def parameters(self, data: Any) -> None:
        """Check the contents of a parameters file."""
        for node, section in data.items():
            _require(set(section) == {'ros__parameters'}, f'{node}: ros__parameters is missing')
            name = node.rsplit('/', 1)[-1]
            names = list(self.nodes) if name == '**' else [name]
            _require(set(names) <= set(self.nodes), f'there is no node {node}')
            for key, value in section['ros__parameters'].items():
                self.parameter(names, key, value)

    def parameters_file(self, name: str) -> None:
        """Check a parameters file of the repository; the user's own are not here."""
        path = ROOT / name
        if path.is_file():
            self.parameters(yaml.safe_load(path.read_text(encoding='utf-8')))
        else:
            _require(not name.startswith('config/'), f'there is no {name}')


def _plain(words: Iterable[str], least: int) -> list[str]:
    """Return the words that are no options; refuse options that ros2 does not have."""
    plain, left = [], list(words)
    while left:
        word = left.pop(0)
        if not re.match(r'-{1,2}[a-z1]', word):
            plain.append(word)
        elif word in VALUED:
            _require(bool(left), f'{word} wants a value')
            left.pop(0)
        else:
            _require(word in FLAGS, f'{word}: what is that?')
    _require(len(plain) >= least, f'{least} words are wanted, these are there: {plain}')
    return plain


def _fits(parameter: Any, value: Any) -> None:
    if isinstance(value, str) and PLACEHOLDER.fullmatch(value):
        return
    types = {'bool': bool, 'integer': int, 'double': float, 'string': str}
    fits = type(value) is types[parameter.type]
    _require(fits, f'{parameter.name}: {value!r} is no {parameter.type}')
    if parameter.limits and parameter.type == 'string':
        _require(value in parameter.limits.split(', '), f'{parameter.name}: {value}')
    elif parameter.limits:
        low, high = map(float, parameter.limits.split(' to '))
        _require(low <= value <= high, f'{parameter.name}: {value} is not {parameter.limits}')


def message_class(name: str) -> Any:
    """Return the class of ``package/msg/Name``."""
    package, folder, kind = name.split('/')
    kind, _, part = kind.partition('_')
    found = getattr(import_module(f'{package}.{folder}'), kind, None)
    _require(found is not None, f'there is no {name}')
    return getattr(found, part) if part else found


def fill(name: str, text: str) -> Any:
    """Return a message of type ``name`` with the values of ``text``, in YAML."""
    message = message_class(name)()
    _fill(message, yaml.safe_load(text) or {})
    return message


def _fill(message: Any, values: dict[str, Any]) -> None:
    message._check_fields = True  # else a setter of Jazzy's takes anything
    for key, value in values.items():
        _require(hasattr(message, key), f'{type(message).__name__} has no field {key}')
        old = getattr(message, key)
        if isinstance(value, dict):
            _fill(old, value)
        else:
            try:
                setattr(message, key, float(value) if isinstance(old, float) else value)
            except AssertionError as error:
                raise LineError(f'{key}: {value!r} does not fit: {error}') from None


def _require(holds: bool, complaint: str) -> None:
    if not holds:
        raise LineError(complaint)
