# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tasks in words, for stage ``instruct``: those of ``instructions.yaml``, or of a user's file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mgpt3_ros.model.config import from_dict, load_yaml
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.vocabulary import MOTION
from mgpt3_ros.model.pipelines.tasks import TASKS
from mgpt3_ros.training.data.phrases import pick

SHIPPED = 'shipped'

_PLACE = re.compile(r'\{([^{}]*)\}')
_WORDS = ('caption', 'frames', 'seconds')
_OTHER = 'other'  # in a comparison, what is said of the second motion


@dataclass(frozen=True)
class Instruction:
    """A task in many wordings; see the head of ``instructions.yaml``.

    trains: generate, caption, predict, inbetween, text or compare.
    share: among the tasks that train the same.
    """

    trains: str
    prompts: tuple[str, ...]
    answers: tuple[str, ...] = ()
    share: float = 1.0


class Instructions:
    """Draws wordings of the tasks.

    Raises:
        ConfigError: a wording has a placeholder that its task cannot fill, or lacks one.
    """

    def __init__(self, tasks: dict[str, Instruction], where: str = 'instructions') -> None:
        self.tasks = {
            name: _checked(task, f'{where}: task {name}') for name, task in tasks.items()
        }
        self._of_kind: dict[str, list[Instruction]] = {kind: [] for kind in TASKS}
        for task in self.tasks.values():
            if task.share > 0:
                self._of_kind[task.trains].append(task)

    def has(self, kind: str) -> bool:
        """Whether there is a wording for a kind of task."""
        return bool(self._of_kind[kind])

    def draw(
        self, kind: str, rng: np.random.Generator, caption: str, frames: int, other: str = ''
    ) -> tuple[str, str]:
        """A prompt and an answer, with ``MOTION`` where a motion stands.

        Args:
            kind: of the task, one that :meth:`has` knows.
            rng: source of chance.
            caption: what is said of the motion.
            frames: its length, at 20 frames a second.
            other: what is said of the second motion of a comparison.
        """
        tasks = self._of_kind[kind]
        shares = np.cumsum([task.share for task in tasks])
        task = tasks[int(np.searchsorted(shares, rng.random() * shares[-1], side='right'))]
        prompt, answer = pick(task.prompts, rng), pick(task.answers, rng)
        return filled(prompt, caption, frames, other), filled(answer, caption, frames, other)


def filled(wording: str, caption: str, frames: int, other: str = '') -> str:
    """A wording with its placeholders filled in; motions become ``MOTION``."""
    seconds = f'{round(frames / FPS, 1):g}'

    def fill(match: re.Match[str]) -> str:
        what = match[1]
        if what in ('caption', _OTHER):
            said = caption if what == 'caption' else other
            # In the middle of a sentence the caption's own full stop would break it.
            return said if match.end() == len(wording) else said.rstrip(' .')
        return {'frames': str(frames), 'seconds': seconds}.get(what, MOTION)

    text = _PLACE.sub(fill, wording)
    return re.sub(r'\b1 (frame|second)s\b', r'1 \1', text)


def load_instructions(source: str | Path) -> Instructions:
    """Read a file of instructions; ``'shipped'`` for the one that comes with the package.

    A file with ``extends: shipped``, or ``extends: FILE`` (from the file's own folder), adds its
    wordings to those.

    Raises:
        ConfigError: the file is missing or wrong.
    """
    return Instructions(_read(Path(source), ()), str(source))


def _read(source: Path, above: tuple[Path, ...]) -> dict[str, Instruction]:
    file = Path(__file__).with_suffix('.yaml') if str(source) == SHIPPED else source
    if file in above:
        raise ConfigError(f'{file} extends itself')
    data = load_yaml(file)
    unknown = sorted(set(data) - {'extends', 'tasks'})
    if unknown or not isinstance(data.get('tasks'), dict):
        what = f'unknown key {unknown[0]!r}' if unknown else 'no mapping `tasks`'
        raise ConfigError(f'{file}: {what}; known keys: extends, tasks')
    tasks: dict[str, Instruction] = {}
    if data.get('extends') is not None:
        base = str(data['extends'])
        tasks = _read(Path(base) if base == SHIPPED else file.parent / base, (*above, file))
    for name, entry in data['tasks'].items():
        tasks[str(name)] = _merged(tasks.get(str(name)), entry, f'{file}: {name}')
    return tasks


def _merged(base: Instruction | None, entry: Any, where: str) -> Instruction:
    """A task of its entry in a file, with the wordings that it has already."""
    if base is None:
        return from_dict(Instruction, entry, where)
    # What a task trains need not be said again, and prompts may stay as they are.
    own = from_dict(Instruction, {'trains': base.trains, 'prompts': [], **(entry or {})}, where)
    if own.trains != base.trains:
        raise ConfigError(f'{where} trains {base.trains} already: give {own.trains} another name')
    share = own.share if entry and 'share' in entry else base.share
    return Instruction(
        base.trains, (*base.prompts, *own.prompts), (*base.answers, *own.answers), share
    )


def _checked(task: Instruction, where: str) -> Instruction:
    if task.trains not in TASKS:
        raise ConfigError(f'{where} trains {task.trains!r}; choose of {", ".join(TASKS)}')
    described = TASKS[task.trains]
    drawn = ('motion',) if described.draws else ()
    usual = {'caption': ('{caption}',), 'text': (), 'compare': ()}.get(task.trains, ('{motion}',))
    answers = task.answers or usual
    for kind, wordings, motions in (
        ('prompt', task.prompts, described.motions),
        ('answer', answers, drawn),
    ):
        if not wordings:
            raise ConfigError(f'{where} has no {kind}s')
        for wording in wordings:
            words = (*_WORDS, _OTHER) if task.trains == 'compare' else _WORDS
            _check_wording(wording, motions, words, f'{where}, {kind} {wording!r}')
    if not task.share >= 0:
        raise ConfigError(f'{where} has a share of {task.share:g}; it must be 0 or more')
    return Instruction(task.trains, task.prompts, answers, task.share)


def _check_wording(
    wording: str, motions: tuple[str, ...], words: tuple[str, ...], where: str
) -> None:
    found = _PLACE.findall(wording)
    unknown = [name for name in found if name not in (*words, *motions)]
    allowed = ', '.join(f'{{{name}}}' for name in (*motions, *words))
    if unknown:
        raise ConfigError(f'{where}: {{{unknown[0]}}} has no place here; known: {allowed}')
    said = [name for name in found if name in motions]
    if tuple(said) != motions:
        wanted = ' and then '.join(f'{{{name}}}' for name in motions)
        raise ConfigError(f'{where} must hold {wanted} once')
    if not wording.strip():
        raise ConfigError(f'{where} is empty')
