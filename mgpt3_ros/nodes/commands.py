# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text commands: which are fit to be carried out, their actions, and in which order they wait."""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mgpt3_ros.body.commands.confidence import KNOWN, further
from mgpt3_ros.body.commands.meaning import Action, Part, Rest
from mgpt3_ros.body.commands.memory import Memory, same_as_before
from mgpt3_ros.body.commands.reading import understand
from mgpt3_ros.body.commands.sentences import SENTENCES
from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.language.confidence import hint, prompt_knowledge
from mgpt3_ros.model.language.known_actions import KnownAction
from mgpt3_ros.model.language.known_prompts import PromptKnowledge
from mgpt3_ros.model.language.splitting import means_rest, split_actions

# What ~/status says first of a command: until then its number is not known to who sent it.
FIRST_STATUSES = ('queued', 'refused', 'stopped')
POLICIES = ('latest', 'fifo', 'reject')
UNKNOWN_TEXT = ('refuse', 'warn', 'draw')  # what becomes of commands that are not known
_LAST_PART = re.compile(r'[,;.]|\b(?:then|and|finally)\b', re.IGNORECASE)
_BLANKS = '\n\r\t'  # that part words, or the steps of a plan
_UNSEEN = ('Cf', 'Zs', 'Zl', 'Zp')  # Unicode categories of joiners, spaces and line ends


@dataclass(frozen=True)
class Command:
    """A text command that was accepted.

    note: what was done to its text, if anything. actions: what it asks for, one after the other.
    parts: what each of those means; empty where the model shall make of the words what it can.
    goes_on: it asks for what the body does already, and begins when that ends.
    sender_id: the sender's own name for it. confidence: the probability that it is within what the
    checkpoint knows; None where nobody judged it.
    """

    number: int
    text: str
    received_s: float
    note: str = ''
    actions: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    goes_on: bool = False
    sender_id: str = ''
    confidence: float | None = None


@dataclass(frozen=True)
class Step:
    """One action of a command, the ``index``-th from 0."""

    command: Command
    index: int = 0

    @property
    def text(self) -> str:
        """What to do."""
        return self.command.actions[self.index]

    @property
    def asked(self) -> str:
        """The words that a model is asked with: those that it knows the action by, or its text."""
        part = self.part
        if isinstance(part, Action):
            return part.words or SENTENCES[part.name]
        return self.text

    @property
    def part(self) -> Part | None:
        """What that means; None where the model shall make of the words what it can."""
        return self.command.parts[self.index] if self.command.parts else None

    @property
    def count(self) -> int:
        """How many actions the command has."""
        return len(self.command.actions)

    @property
    def following(self) -> Step | None:
        """The action after this one, None after the last."""
        return Step(self.command, self.index + 1) if self.index + 1 < self.count else None

    def __str__(self) -> str:
        return f' action {self.index + 1} of {self.count}' if self.count > 1 else ''


def actions_of(text: str, split: bool, rest: bool = False) -> tuple[str, ...]:
    """Return the actions of a command's text; the text itself where it shall not be ``split``.

    ``rest`` says that a command may ask for no motion at all.

    Raises:
        TextError: it does, and may not.
    """
    if means_rest(text):
        if rest:
            return (text,)
        raise TextError('it asks for no motion: to bring a moving body to rest call ~/cancel')
    if not split:
        return (text,)
    actions = tuple(split_actions(text))
    # Stopping is no action where all motions end; where they do not, it is one.
    stops = rest and means_rest(_LAST_PART.split(text.rstrip(' .!'))[-1])
    return (*actions, 'stop') if stops else actions


def read_command(
    command: Command,
    memory: Memory,
    moving: bool,
    streams: bool,
    split: bool,
    unknown_text: str,
    known: Sequence[KnownAction] = (),
) -> Command:
    """Read what a command's text means, or leave it to the model where that is wanted.

    Args:
        command: with its text.
        memory: of the command before.
        moving: whether that one still moves the body.
        streams: whether the body moves on without an end (mode stream).
        split: whether a text has actions at all, or is one motion as a whole.
        unknown_text: of ``UNKNOWN_TEXT``.
        known: the actions that the checkpoint lists.

    Raises:
        TextError: it is not understood, not known, or asks for no motion.
    """
    if split:
        try:
            parts = memory.resolved(understand(command.text, further(a.label for a in known)))
        except TextError as error:
            knowledge = prompt_knowledge(command.text, known) if known else None
            talk = knowledge is not None and not knowledge.command
            if unknown_text == 'refuse' or (unknown_text == 'warn' and talk):
                near = '' if knowledge is None else hint(knowledge, known)
                raise TextError(f'{error}{near}') from error
        else:
            while len(parts) > 1 and parts[-1] == Rest() and not streams:
                parts = parts[:-1]  # every motion ends at rest
            actions = tuple(words_for(part) for part in parts)
            goes_on = moving and same_as_before(parts, memory.last)
            read = replace(command, actions=actions, parts=parts, goes_on=goes_on)
            asked = [_of_part(Step(read, n), known) for n in _drawn(parts)] if known else []
            return _judged(read, asked, unknown_text, known)
    read = replace(command, actions=actions_of(command.text, split, rest=streams))
    texts = [action for action in read.actions if not means_rest(action)]
    asked = [(prompt_knowledge(text, known), True) for text in texts] if known else []
    return _judged(read, asked, unknown_text, known)


def _drawn(parts: Sequence[Part]) -> list[int]:
    """Which of the parts a model is asked for."""
    return [number for number, part in enumerate(parts) if isinstance(part, Action)]


def _of_part(step: Step, known: Sequence[KnownAction]) -> tuple[PromptKnowledge, bool]:
    """What is known of a part that was understood, and whether it may be refused for that.

    The grammar knows the action: the look-up is heard where it finds a thing that nobody does it
    to ("run the dishwasher"), or an action that is not shaped here; else the action's own
    sentence is judged, and is no reason to refuse it.
    """
    knowledge = prompt_knowledge(step.asked, known)
    part = step.part
    assert isinstance(part, Action)
    if knowledge.known or part.name not in KNOWN or knowledge.alien:
        return knowledge, True
    return prompt_knowledge(SENTENCES[part.name], known), False


def _judged(
    command: Command,
    asked: Sequence[tuple[PromptKnowledge, bool]],
    unknown_text: str,
    known: Sequence[KnownAction],
) -> Command:
    """The command with its confidence, that of the least known of what a model is asked.

    ``asked``: what is known of each of that, and whether it may be refused.

    Raises:
        TextError: it is not known, and such commands are refused.
    """
    if not asked:
        return command
    knowledge, may_refuse = min(asked, key=lambda one: (one[0].known or not one[1], one[0].known))
    judged = replace(command, confidence=knowledge.probability)
    if knowledge.known or unknown_text == 'draw':
        return judged
    doubt = f'{knowledge.reason}{hint(knowledge, known)}'
    if may_refuse and (unknown_text == 'refuse' or not knowledge.command):
        raise TextError(doubt)
    return replace(judged, note='; '.join(filter(None, (command.note, doubt))))


def counts(part: Part) -> bool:
    """Whether a part holds numbers but for a time, or the arms of another action."""
    if not isinstance(part, Action):
        return False
    return replace(part, endless=False) != Action(part.name, duration_s=part.duration_s)


def words_for(part: Part) -> str:
    """The words of a part, as they were said."""
    if isinstance(part, Action):
        return part.said or str(part)
    seconds = part.duration_s if isinstance(part, Rest) else None
    return 'stop' if seconds is None else f'stop for {seconds:g} seconds'


def fit_text(text: str, max_length: int) -> tuple[str, str]:
    """Return a command's text as the model may have it, and a note of what was changed.

    Any language and any symbol passes. A text that is too long is cut.

    Raises:
        TextError: nothing is left to read, or it holds control characters but for line ends and
            tabs.
    """
    text = text.strip()
    used = text[:max_length]  # the rest is not looked at: it may be megabytes
    if all(unicodedata.category(char) in _UNSEEN for char in used):
        raise TextError('the text is empty')
    for place, char in enumerate(used):
        if _is_control(char) and char not in _BLANKS:
            raise TextError(f'the text holds the control character {char!a} at {place}')
    if len(text) <= max_length:
        return text, ''
    return used.rstrip(), f'text cut from {len(text)} to {max_length} characters'


def printable(text: str, max_length: int) -> str:
    """Return ``text`` for a log or a status: its length bounded, control characters spelled."""
    cut = text if len(text) <= max_length else text[:max_length] + '...'
    return ''.join(ascii(char)[1:-1] if _is_control(char) else char for char in cut)


def status_values(what: Command | Step, max_length: int) -> dict[str, str]:
    """Return the values of a status about a command, or about one of its actions.

    Texts are bounded by ``max_length``; what is not known yet is empty.
    """
    step = what if isinstance(what, Step) else None
    command = what.command if isinstance(what, Step) else what
    return {
        'id': str(command.number),
        'text': printable(command.text, max_length),
        'reason': '',
        'action': str(step.index + 1) if step is not None else '',
        'actions': str(max(len(command.actions), 1)),
        'action_text': printable(step.text, max_length) if step is not None else '',
        'duration_s': '',
        'duration_from': '',
        'latency_s': '',
        **({'sender_id': command.sender_id} if command.sender_id else {}),
        'confidence': '' if command.confidence is None else f'{command.confidence:.2f}',
    }


def held_joints(held: Mapping[str, float]) -> str:
    """Return a line about joints at their limits, from how far each would go beyond [rad]."""
    name = max(held, key=lambda joint: held[joint])
    count = f'{len(held)} joint{"s" if len(held) > 1 else ""}'
    return f'{count} held at the limits, {name} by up to {np.rad2deg(held[name]):.1f} degrees'


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ('Cc', 'Cs')


class CommandQueue:
    """The commands that wait, never more than their number allows.

    Policies: ``latest`` keeps only the newest; ``fifo`` keeps the order and refuses when it is
    full; ``reject`` refuses while the body or the model is busy.
    """

    def __init__(self) -> None:
        self._waiting: deque[Command] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, command: Command, policy: str, size: int, busy: bool) -> list[Command]:
        """Let ``command`` wait; return those that it replaces.

        Args:
            command: the new one.
            policy: one of ``POLICIES``.
            size: how many may wait.
            busy: whether a command is being generated or a motion still plays.

        Raises:
            TextError: it is refused; the message says why.
        """
        if policy == 'reject' and (busy or self._waiting):
            raise TextError('busy with the command before it')
        if policy == 'fifo' and len(self._waiting) >= size:
            raise TextError(f'the queue is full ({size} commands wait)')
        replaced = self.clear() if policy == 'latest' else []
        self._waiting.append(command)
        return replaced

    def take(self) -> Command | None:
        """Return the command whose turn it is, or None."""
        return self._waiting.popleft() if self._waiting else None

    def clear(self) -> list[Command]:
        """Empty the queue; return what waited."""
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting
