# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversations: always the same, of all kinds, and none that is measured with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from benchmarks import instructions
from mgpt3_ros.model.errors import ConfigError
from mgpt3_ros.model.language.chat import SEEN, Turn, without_places
from mgpt3_ros.model.language.instructions import PLACE
from mgpt3_ros.training.data.chats import load_chats
from mgpt3_ros.training.evaluation.language import questions

CAPTIONS = ('a person walks.', 'a man bows.')


def test_shipped_conversations_are_many_and_always_the_same() -> None:
    chats = load_chats('shipped', CAPTIONS)
    assert chats == load_chats('shipped', CAPTIONS)
    counts = Counter(chat.kind for chat in chats)
    assert counts['moves'] > 600
    assert counts['talks'] > 200
    assert counts['looks'] > 100
    assert counts['plain'] > 200
    texts = [turn.text for chat in chats for turn in chat.turns]
    assert not any('{' in text or '\ufffc' in text for text in texts)
    assert any(SEEN in text for text in texts)
    assert all([turn.role for turn in chat.turns][-1] == 'user' for chat in chats)


def test_nothing_that_is_measured_with_is_learned() -> None:
    listed = yaml.safe_load(Path(instructions.__file__).with_name('instructions.yaml').read_text())
    measured = {p for groups in listed.values() for prompts in groups.values() for p in prompts}
    measured = {without_places(prompt).lower() for prompt in measured | set(questions())}
    said = {turn.text.lower() for chat in load_chats('shipped', CAPTIONS) for turn in chat.turns}
    assert said & measured == set()


def test_the_assistant_speaks_of_what_the_user_named(tmp_path: Path) -> None:
    file = tmp_path / 'own.yaml'
    file.write_text(
        'words: {noun: [a bow, a kick, a jump]}\n'
        'moves: ["{noun} or {noun}?", "after {motion}"]\n'
        'dialogues: [{kind: talks, turns: ["Show {noun}", "Here: {noun}.", "Why?"]}]\n'
    )
    chats = load_chats(file, CAPTIONS)
    assert (Turn('user', f'after {SEEN}'),) in [chat.turns for chat in chats]
    talks = [chat.turns for chat in chats if chat.kind == 'talks']
    assert talks
    for asked, said, last in talks:
        assert said == Turn('assistant', f'Here: {asked.text.removeprefix("Show ")}.')
        assert last.text == 'Why?'
    pairs = [chat.turns[0].text[:-1].split(' or ') for chat in chats if ' or ' in str(chat.turns)]
    assert any(one != other for one, other in pairs)


@pytest.mark.parametrize(
    ('content', 'said'),
    [
        ('words: {}\nmoves: ["{noun}"]', r'\{noun\} has no words; known: caption, motion'),
        ('words: {}\ndialogues: [{kind: sings, turns: [a]}]', "of kind 'sings'"),
        ('words: {}\ndialogues: [{kind: talks, turns: [a, b]}]', 'the user has the last word'),
        ('words: {}\nasks: [a]', "unknown key 'asks'"),
    ],
)
def test_mistakes_in_a_file_are_named(content: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / 'own.yaml'
    file.write_text(content)
    with pytest.raises(ConfigError, match=said):
        load_chats(file, CAPTIONS)


def test_a_place_is_read_as_words() -> None:
    assert without_places(f'What is{PLACE}?') == f'What is {SEEN} ?'
