# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A conversation: words as the language model writes them, motions, and what was said before."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mgpt3_ros.model import conversation
from mgpt3_ros.model.conversation import MOVED
from mgpt3_ros.model.errors import Cancelled, CheckpointError, TextError
from mgpt3_ros.model.language.chat import SEEN, Turn, chat_ids
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.decoding import DecodingConfig, write_text
from mgpt3_ros.model.network.stream_network import StreamNetwork
from mgpt3_ros.model.sampling import SamplingOptions, noise_source
from tests.support.streams import moving, small_model
from tests.support.talking import talking_model

TOKENS = 12
BOW, NOUN = 'Show me a bow', 'What is a noun?'
BOTH = 'Show me a bow, then tell me where it is usual'


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MotionGPT3:
    monkeypatch.setattr(conversation, 'ANSWER_TOKENS', TOKENS)
    return talking_model(tmp_path)


def read(model: MotionGPT3, *turns: Turn) -> torch.Tensor:
    """The hidden state at which the assistant's answer to turns begins."""
    network = model.network
    assert isinstance(network, StreamNetwork)
    ids = torch.tensor([chat_ids(model.tokenizer, turns)])
    with torch.no_grad():
        return network.read(ids, torch.ones_like(ids, dtype=torch.bool)).text[0, -1]


def written(model: MotionGPT3, *turns: Turn) -> str:
    """What the language model writes, read anew and without a cache of ours."""
    network, tokenizer = model.network, model.tokenizer
    assert isinstance(network, StreamNetwork)
    ids = torch.tensor([chat_ids(tokenizer, turns)])
    markers = (tokenizer.start_of_motion, tokenizer.end_of_motion)
    (said,) = write_text(
        network, ids, torch.ones_like(ids, dtype=torch.bool), None,
        DecodingConfig(TOKENS, repetition_penalty=1.0), markers, tokenizer.eos_id,
    )  # fmt: skip
    return tokenizer.decode(said).strip()


def teach(model: MotionGPT3, moves: str, talks: str) -> None:
    """Let a motion begin after one prompt and not after another."""
    rows = model.network.backbone.marker_logits
    assert rows is not None
    apart = read(model, Turn('user', moves)) - read(model, Turn('user', talks))
    with torch.no_grad():
        rows[0] = 1000 * apart


def test_words_are_those_of_the_language_model_and_are_remembered(model: MotionGPT3) -> None:
    talk = model.conversation()
    first = talk.say(NOUN)
    assert (first.kind, first.task, first.motion) == ('text', 'talk', None)
    assert first.text == written(model, Turn('user', NOUN))
    assert model.respond(NOUN) == first
    second = talk.say('why?')
    turns = (Turn('user', NOUN), Turn('assistant', first.text), Turn('user', 'why?'))
    assert second.text == written(model, *turns)
    assert talk.turns == [*turns, Turn('assistant', second.text)]
    assert second.text != model.respond('why?').text


def test_rules_decide_until_the_model_was_taught_to(model: MotionGPT3) -> None:
    bow = model.respond(BOW, generator=noise_source(0))
    assert (bow.kind, bow.task, bow.decided_by) == ('motion', 'generate', 'rules')
    assert bow.motion is not None
    assert model.respond('Give me a recipe').kind == 'text'
    teach(model, 'Give me a recipe', BOW)  # the other way round: it is not the rules that speak
    assert model.respond(BOW).kind == 'text'
    moved = model.respond('Give me a recipe', generator=noise_source(0))
    assert (moved.kind, moved.decided_by) == ('motion', 'model')


def test_it_moves_and_speaks(model: MotionGPT3) -> None:
    talk = model.conversation()
    both = talk.say(BOTH, generator=noise_source(0))
    assert (both.kind, both.task) == ('both', 'generate')
    assert both.motion is not None
    where = 'tell me where it is usual'
    shown = (Turn('user', BOW), Turn('assistant', MOVED), Turn('user', where))
    assert both.text == written(model, *shown)
    assert talk.turns == [*shown, Turn('assistant', both.text)]
    again = talk.say('Show me that again', generator=noise_source(0))
    assert again.kind == 'text'  # rules know no action in it
    teach(model, 'Show me that again', NOUN)
    talk.turns = []
    again = talk.say('Show me that again', generator=noise_source(0))
    assert again.motion is not None
    assert again.motion.info['text'] == 'a bow'
    assert again.text == 'a bow'


def test_it_looks_and_speaks(model: MotionGPT3) -> None:
    seen = Motion(moving(1, 60)[0].numpy())
    talk = model.conversation()
    given = talk.say('What is this person doing, and is it good exercise? {motion}', [seen])
    caption = str(model.caption(seen))
    asked = f'What is this person doing {SEEN}'
    turns = (Turn('user', asked), Turn('assistant', caption), Turn('user', 'is it good exercise?'))
    assert (given.kind, given.task) == ('text', 'caption')
    assert given.text == ' '.join([caption, written(model, *turns)]).strip()
    after = talk.say('What comes next after {motion}, for 2 seconds?', [seen])
    assert after.motion is not None
    assert after.motion.duration_s == 2.0


def test_a_question_of_two_parts_without_motion_is_one(model: MotionGPT3) -> None:
    asked = 'What is a noun, and what is a verb?'
    assert model.respond(asked).text == written(model, Turn('user', asked))


def test_what_fails_is_not_remembered(model: MotionGPT3) -> None:
    talk = model.conversation()
    with pytest.raises(Cancelled):
        talk.say(BOTH, sampling=SamplingOptions(should_stop=lambda: True))
    with pytest.raises(TextError, match='empty'):
        talk.say(' ')
    with pytest.raises(TextError, match='say less'):
        talk.say('and ' * 300)
    assert talk.turns == []


def test_of_a_long_conversation_the_newest_turns_are_read(model: MotionGPT3) -> None:
    talk = model.conversation()
    old = [Turn('user', 'who said what? ' * 20), Turn('assistant', 'yes')]
    talk.turns = [*old, Turn('user', 'hi'), Turn('assistant', 'yes')]
    kept = (*talk.turns[2:], Turn('user', NOUN))
    assert len(chat_ids(model.tokenizer, talk.turns)) > 300
    assert talk.say(NOUN).text == written(model, *kept)


def test_others_do_not_talk(tmp_path: Path) -> None:
    model = small_model()
    assert not model.talks
    with pytest.raises(CheckpointError, match='was not taught to talk'):
        model.conversation()
