# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the worker answers behind ``~/ask``, with a model that talks."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgpt3_ros.body.profiles import make_profile
from mgpt3_ros.model import conversation
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.asking import Answered, respond
from tests.support.talking import talking_model

PROFILE = make_profile('human_full', '0')


def test_a_conversation_is_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, 'ANSWER_TOKENS', 8)
    model = talking_model(tmp_path)
    job: Job[Answered] = Job(lambda job: pytest.fail('it is not run'))
    first = respond(model, job, 'who?', None, PROFILE)
    assert (first.kind, first.task, first.decided_by) == ('text', 'talk', 'rules')
    assert first.talk is not None
    both = respond(
        model, job, 'Show me a bow, and tell me where it is usual', None, PROFILE, first.talk
    )
    assert both.kind == 'both'
    assert both.trajectory is not None
    assert both.talk is first.talk
    asked = [turn.text for turn in first.talk.turns if turn.role == 'user']
    assert asked == ['who?', 'Show me a bow', 'tell me where it is usual']
