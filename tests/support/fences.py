# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The commands in the Markdown documents.

A fenced block of ``bash`` holds commands, one a line, as a reader would paste them; one of
``python`` is a program. ``<!-- not run: REASON -->`` in the line before a block says that it needs
what a test does not have (a robot, minutes, the network): it is then only parsed.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# All that users read. The model card is made by a program, the change log tells of the past.
PAGES = sorted([*(ROOT / 'docs').glob('*.md'), ROOT / 'README.md', ROOT / 'CONTRIBUTING.md'])

PLACEHOLDER = re.compile(r'[A-Z][A-Z_]*')  # stands for any word
_NOT_RUN = re.compile(r'<!-- not run: (.+) -->')


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, its text, why it is not run ('' if it is)."""

    page: Path
    line: int
    language: str
    text: str
    reason: str

    @property
    def place(self) -> str:
        return f'{self.page.name}:{self.line}'

    def commands(self) -> list[Command]:
        """The commands of a block of bash."""
        found, line = [], self.line
        whole = ''
        for text in self.text.splitlines():
            line += 1
            whole += text.removesuffix('\\')
            if text.endswith('\\'):
                continue
            found += [
                Command(f'{self.page.name}:{line}', words, self.reason)
                for words in _split(shlex.split(whole, comments=True))
            ]
            whole = ''
        assert not whole, f'{self.place}: the last line goes on'
        return found


@dataclass(frozen=True)
class Command:
    """One command: where it stands, its words, why it is not run ('' if it is)."""

    place: str
    words: tuple[str, ...]
    reason: str

    @property
    def program(self) -> str:
        """The program without its folder."""
        return self.words[0].rsplit('/', 1)[-1]

    def __str__(self) -> str:
        return f'{self.place} {shlex.join(self.words)}'


def _split(words: list[str]) -> list[tuple[str, ...]]:
    """Return the commands of a line, without the variables that are set for them."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word in ('&&', '||', '|', ';', '&'):
            parts.append([])
        elif parts[-1] or not re.fullmatch(r'[A-Z_]+=.*', word):
            parts[-1].append(word)
    return [tuple(part) for part in parts if part]


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in their order."""
    found = []
    opened: tuple[int, str, str] | None = None
    text: list[str] = []
    before = ''
    for number, line in enumerate(page.read_text(encoding='utf-8').splitlines(), 1):
        if opened is not None:
            if line.strip() == '```':
                found.append(Block(page, opened[0], opened[1], '\n'.join(text), opened[2]))
                opened = None
            else:
                text.append(line)
        elif line.startswith('```'):
            reason = _NOT_RUN.fullmatch(before)
            opened = number, line[3:].strip(), reason.group(1) if reason else ''
            text = []
        if line.strip():
            before = line.strip()
    assert opened is None, f'{page.name}:{opened[0]}: a fence that is not closed'
    return found


def inline_commands(page: Path, program: str) -> list[Command]:
    """Return what stands in `code` of the text and begins with ``program``."""
    found = []
    fenced = False
    for number, line in enumerate(page.read_text(encoding='utf-8').splitlines(), 1):
        if line.startswith('```'):
            fenced = not fenced
        for code in () if fenced else re.findall(r'`([^`]+)`', line):
            if code.startswith(program + ' '):
                found.append(Command(f'{page.name}:{number}', tuple(shlex.split(code)), ''))
    return found
