# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Programs as ``python`` is told to run them, or only to read their arguments.

Both are called in a process of their own (`tests.support.apart`), which they change and end.
"""

from __future__ import annotations

import argparse
import importlib
import runpy
import sys
from collections.abc import Callable, Sequence
from typing import Any


def run(words: Sequence[str]) -> None:
    """Run ``-m MODULE ...`` or ``FILE ...``."""
    if words[0] == '-m':
        sys.argv = list(words[1:])
        runpy.run_module(words[1], run_name='__main__', alter_sys=True)
    else:
        sys.argv = list(words)
        runpy.run_path(words[0], run_name='__main__')


def executable(module: str, words: Sequence[str]) -> object:
    """Call ``main`` of a module, as an executable does that setuptools writes."""
    sys.argv = [module, *words]
    return importlib.import_module(module).main()


def read(words: Sequence[str]) -> None:
    """The same, ended well as soon as the program has read its arguments."""
    depth = 0

    def ending(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            nonlocal depth
            depth += 1
            try:
                found = method(*given, **named)
            finally:
                depth -= 1
            if depth == 0:
                raise SystemExit(0)
            return found

        return call

    for name in ('parse_known_args', 'parse_args', 'parse_intermixed_args'):
        method = getattr(argparse.ArgumentParser, name)
        setattr(argparse.ArgumentParser, name, ending(method))
    run(words)
    raise SystemExit('it reads no arguments')
