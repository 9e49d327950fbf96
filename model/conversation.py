# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Talking with a model beside a language model: it speaks, moves, looks at motions, and remembers.

What the user says is put to the language model as a turn of a conversation. Where the likeliest
token after it is the one that begins a motion, a motion is drawn; else words are written, or said
about a motion that the user shows. A checkpoint that was not taught to begin motions (stage
``instruct``) leaves that to rules. An instruction of several parts, such as "show me a bow, then
tell me where it is customary", is answered part by part.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Unpack

import torch
from torch import Tensor

from mgpt3_ros.model.errors import TextError
from mgpt3_ros.model.language.action_lookup import found_actions, words_of
from mgpt3_ros.model.language.chat import Turn, chat_ids, without_places
from mgpt3_ros.model.language.durations import stated_duration
from mgpt3_ros.model.language.instructions import (
    MOTION_TASKS,
    PLACE,
    Instruction,
    Task,
    action_asked,
    asks_for_words,
    parts_of,
    read_instruction,
)
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.network.cache import KeyValueCache
from mgpt3_ros.model.network.decoding import DecodingConfig, write_text
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.model.responding import Answer, answer, check_places
from mgpt3_ros.model.sampling import SamplingKeywords, SamplingOptions, sampling_of

if TYPE_CHECKING:
    from mgpt3_ros.model.motiongpt3 import MotionGPT3

ANSWER_TOKENS = 160  # of what is said at once, at most
MOVED = 'Okay.'  # what the language model reads where a motion was the answer
_AGAIN = re.compile(r'\b(?:again|once more|it|that|this|the same)\b', re.IGNORECASE)


class Conversation:
    """Turns of a user and a model; ``MotionGPT3.conversation`` makes one.

    Args:
        model: beside a language model that was taught to talk.

    Raises:
        CheckpointError: the vocabulary of the model has no marks of turns.
    """

    def __init__(self, model: MotionGPT3) -> None:
        assert isinstance(model.network, StreamNetwork)
        self._model, self._network = model, model.network
        self.turns: list[Turn] = []
        self._moved = ''  # what was drawn last
        chat_ids(model.tokenizer, ())

    @torch.inference_mode()
    def say(
        self,
        prompt: str,
        motions: Sequence[Motion] = (),
        *,
        sampling: SamplingOptions | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> Answer:
        """Answer what the user says; both are remembered.

        Args:
            prompt: with ``{motion}`` where each of the motions stands.
            motions: these motions.
            sampling: how a motion is drawn; it stops the writing of words, too.
            options: fields of ``sampling``, in its place.

        Raises:
            TextError: the prompt is empty or too long, or has other places than there are motions.
            MotionGPT3Error: as the calls of ``MotionGPT3`` that serve it; nothing is remembered.
        """
        check_places(prompt, len(motions))
        before, moved = list(self.turns), self._moved
        try:
            return self._said(prompt, list(motions), sampling_of(sampling, options))
        except BaseException:
            self.turns, self._moved = before, moved
            raise

    def _said(self, prompt: str, motions: list[Motion], sampling: SamplingOptions) -> Answer:
        parts = parts_of(prompt)
        # One that neither looks nor moves first is a question of several sentences.
        if len(parts) > 1 and PLACE not in parts[0] and not self._moves(parts[0])[0]:
            parts = [prompt]
        given: list[Answer] = []
        for part in parts:
            shown = [motions.pop(0) for _ in range(part.count(PLACE))]
            given.append(self._part(part, shown, sampling, spoken=bool(given)))
        if len(given) == 1:
            return given[0]
        motion = next((part.motion for part in given if part.motion is not None), None)
        said = ' '.join(part.text for part in given if part.motion is None)
        kind: Literal['text', 'both'] = 'text' if motion is None else 'both'
        return Answer(kind, said, motion, given[0].task, given[0].decided_by)

    def _part(
        self, part: str, motions: list[Motion], sampling: SamplingOptions, spoken: bool = False
    ) -> Answer:
        """Answer a part; one behind another that asks for words (``spoken``) gets words."""
        moves, cache, ids = self._moves(part, len(motions))
        moves = moves and not (spoken and asks_for_words(part))
        decided: Literal['model', 'rules'] = 'rules'
        if self._network.backbone.decides:
            decided = 'model'
        asked = self._asked(part, moves, len(motions))
        if asked.task == 'talk':
            given = Answer('text', self._talk(cache, ids, sampling), None, 'talk')
        else:
            given = answer(self._model, asked, motions, sampling)
        said = given.text
        if given.motion is not None:
            self._moved, said = asked.text, MOVED
        self.turns += [Turn('user', without_places(part)), Turn('assistant', said)]
        return replace(given, decided_by=decided)

    def _asked(self, part: str, moves: bool, shown: int) -> Instruction:
        """What a part asks for, where it is known whether a motion begins."""
        asked = read_instruction(part)
        if moves:
            task: Task = ('generate', 'predict', 'inbetween')[min(shown, 2)]
            words = without_places(part) if shown else asked.text or action_asked(part)
            if not shown and self._moved and _AGAIN.search(part) and not _named(words):
                words = self._moved
            seconds = asked.duration_s or stated_duration(part)[0]
            return Instruction(task, words, duration_s=seconds)
        if shown:  # what is said about it, whatever is asked
            said = asked.kind == 'text' and asked.task not in ('talk', 'known')
            return asked if said else Instruction('caption')
        timed = asked.task == 'duration' and _named(asked.text)
        listed = asked.task == 'known' and bool(self._model.known_actions())
        return asked if timed or listed else Instruction('talk')

    def _moves(self, part: str, shown: int = 0) -> tuple[bool, KeyValueCache, Tensor]:
        """Whether a motion begins, and the conversation as it was read, up to its last token."""
        ids = self._ids(Turn('user', without_places(part)))
        cache = self._network.backbone.new_cache(ids.shape[1] + ANSWER_TOKENS)
        mask = torch.ones_like(ids, dtype=torch.bool)
        hidden = self._network.hidden(ids, mask, None, cache)
        backbone = self._network.backbone
        if backbone.decides:
            likeliest = int(backbone.text_logits(hidden.text[0, -1]).argmax())
            return likeliest == self._model.tokenizer.start_of_motion, cache, ids
        asked = read_instruction(part)
        moves = asked.task in MOTION_TASKS and (shown > 0 or _named(asked.text))
        return moves, cache, ids

    def _ids(self, turn: Turn) -> Tensor:
        """Tokens (1, N) of the conversation with a turn more; of a long one the newest turns."""
        tokenizer, turns = self._model.tokenizer, [*self.turns, turn]
        room = self._network.config.backbone.n_positions - ANSWER_TOKENS
        ids = chat_ids(tokenizer, turns)
        while len(ids) > room and len(turns) > 1:
            turns = turns[2:]
            ids = chat_ids(tokenizer, turns)
        if len(ids) > room:
            raise TextError(f'the prompt has {len(ids)} tokens, and {room} can be read: say less')
        return torch.tensor([ids], device=self._network.rest.device)

    def _talk(self, cache: KeyValueCache, ids: Tensor, sampling: SamplingOptions) -> str:
        """The likeliest words, as the language model writes them."""
        tokenizer = self._model.tokenizer
        markers = (tokenizer.start_of_motion, tokenizer.end_of_motion)
        decoding = DecodingConfig(max_tokens=ANSWER_TOKENS, repetition_penalty=1.0)
        cache.crop(ids.shape[1] - 1)
        (written,) = write_text(
            *(self._network, ids[:, -1:], torch.ones_like(ids, dtype=torch.bool), None, decoding),
            *(markers, tokenizer.eos_id, sampling, cache),
        )
        return tokenizer.decode(written).strip()


def _named(words: str) -> bool:
    """Whether words name an action."""
    return bool(found_actions(words_of(words)))
