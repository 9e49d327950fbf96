# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of a user's own, named in a configuration by their import path: ``module:Name``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mgpt3_ros.model.errors import ConfigError


def is_import_path(name: str) -> bool:
    """Whether a name in a configuration is an import path, and no kind that is known."""
    return ':' in name


def import_named(path: str, where: str) -> Any:
    """What stands at an import path; its module must be installed, or in ``PYTHONPATH``.

    Raises:
        ConfigError: there is no such module or name; ``where`` in the configuration is told.
    """
    module, _, name = path.partition(':')
    try:
        found = import_module(module)
    except ImportError as error:
        raise ConfigError(
            f'{where} is {path!r}, but {module} cannot be imported ({error}): install it, or put '
            'its folder into PYTHONPATH'
        ) from error
    if not hasattr(found, name):
        raise ConfigError(f'{where} is {path!r}, but {module} has no {name!r}')
    return getattr(found, name)


def import_class(path: str, base: type, where: str) -> Any:
    """The class at an import path, one of ``base``.

    Raises:
        ConfigError: it is not there, or no such class.
    """
    found = import_named(path, where)
    if not isinstance(found, type) or not issubclass(found, base):
        raise ConfigError(f'{where} is {path!r}, which is no subclass of {base.__name__}')
    return found
