# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Strict reading of configurations: frozen dataclasses in, plain dictionaries out."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from mgpt3_ros.model.errors import ConfigError

T = TypeVar('T')


def from_dict(cls: type[T], data: Mapping[str, Any], where: str = '') -> T:
    """Build the frozen dataclass ``cls`` from ``data``, nested dataclasses included.

    Args:
        cls: a dataclass type whose fields are dataclasses, tuples, numbers, strings or None. A
            key that only older files have is an ``InitVar``: read and looked at, but not kept.
        data: mapping of field names to values, as read from YAML or JSON.
        where: dotted path of ``data`` in the whole configuration, for messages.

    Raises:
        ConfigError: an unknown key (the known ones are listed) or a value of a wrong type.
    """
    label = where or cls.__name__
    if not isinstance(data, Mapping):
        raise ConfigError(f'{label}: expected a mapping, got {type(data).__name__} ({data!r})')
    hints = typing.get_type_hints(cls)
    known = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    old = {name for name, hint in hints.items() if isinstance(hint, dataclasses.InitVar)}
    unknown = sorted(set(data) - set(known) - old)
    if unknown:
        raise ConfigError(f'{label}: unknown key {unknown[0]!r}; known keys: {", ".join(known)}')
    values = {
        name: _convert(hints[name], value, f'{where}.{name}' if where else name)
        for name, value in data.items()
    }
    try:
        return cls(**values)
    except TypeError as error:  # a field without default was left out
        raise ConfigError(f'{label}: {error}') from error


def _convert(hint: Any, value: Any, where: str) -> Any:
    hint = hint.type if isinstance(hint, dataclasses.InitVar) else hint
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        (hint,) = [a for a in args if a is not type(None)]
        return _convert(hint, value, where)
    if dataclasses.is_dataclass(hint):
        if isinstance(value, hint):  # type: ignore[arg-type]
            return value
        return from_dict(hint, value, where)  # type: ignore[arg-type]
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f'{where}: expected a list, got {value!r}')
        return tuple(_convert(args[0], item, f'{where}[{i}]') for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f'{where}: expected a mapping, got {value!r}')
        return {str(k): _convert(args[1], v, f'{where}.{k}') for k, v in value.items()}
    if hint is Any:
        return value
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if hint is float and isinstance(value, str):  # YAML 1.1 reads 1e-4 as a string
        try:
            return float(value)
        except ValueError:
            pass
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ConfigError(f'{where}: expected {hint.__name__}, got {value!r}')
    return value


def to_dict(config: Any) -> dict[str, Any]:
    """Return ``config`` as nested dictionaries and lists that JSON and YAML can hold."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        return value

    return plain(dataclasses.asdict(config))


def load_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises:
        ConfigError: the file is missing, is no valid YAML or holds no mapping.
    """
    import yaml  # checkpoints are read without it

    try:
        data = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except OSError as error:
        raise ConfigError(f'cannot read the configuration {path}: {error.strerror}') from error
    except yaml.YAMLError as error:
        raise ConfigError(f'{path} is no valid YAML: {error}') from error
    if not isinstance(data, dict):
        raise ConfigError(f'{path} holds {type(data).__name__}, expected a mapping')
    return data
