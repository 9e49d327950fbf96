# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training in a process of its own, which may be killed, and which has PyTorch loaded already.

All processes are forked from one server that imports what they need once.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

_FORKS = multiprocessing.get_context('forkserver')
# torch._dynamo: PyTorch's optimisers import it when the first one is made.
_FORKS.set_forkserver_preload(['mgpt3_ros.training.stages', 'torch._dynamo'])
_PATIENCE_S = 120.0


def started(
    log: Path, target: Callable[..., int | None], *arguments: Any, **environment: str
) -> BaseProcess:
    """Start ``sys.exit(target(*arguments))`` in a process whose output goes to a file."""
    process = _FORKS.Process(target=_run, args=(log, target, arguments, environment))
    process.start()
    return process


def exit_code(process: BaseProcess) -> int | None:
    """Wait for the end of a process; -9 if signal 9 ended it, None if it does not end."""
    process.join(_PATIENCE_S)
    code = process.exitcode
    process.kill()
    process.join()
    return code


def _run(
    log: Path,
    target: Callable[..., int | None],
    arguments: tuple[Any, ...],
    environment: Mapping[str, str],
) -> None:
    os.environ.update(environment)
    with log.open('w') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.exit(target(*arguments))
