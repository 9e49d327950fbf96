# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What several bodies are told at one time is drawn as one batch, each as it would be alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from mgpt3_ros.body.commands.carrying_out import carry_out, carrying_out
from mgpt3_ros.body.commands.meaning import Action
from mgpt3_ros.model.errors import Cancelled, GenerationError, MotionError, TextError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.pipelines.together import Texts, Work, draw_alone, draw_together
from mgpt3_ros.model.sampling import SamplingOptions, noise_source
from mgpt3_ros.model.stream import NextStep, next_steps
from tests.support.streams import moving, small_model
from tests.support.tiny import tiny_model

TEXTS = (
    'a person walks forward.',
    'someone waves the left hand, and then goes on to wave it for quite some time.',
    'turn',
)


@pytest.fixture(scope='module')
def clips() -> MotionGPT3:
    return tiny_model(finishing=True)


@pytest.fixture(scope='module')
def streams() -> MotionGPT3:
    return small_model()


def drawing(
    text: str | tuple[str, ...], seed: int, seconds: float | None, **how: Any
) -> Work[Any]:
    """A work that draws, and then draws something else."""
    sampling = SamplingOptions(generator=noise_source(seed), **how)
    texts = (text,) if isinstance(text, str) else text
    motions = yield Texts(texts, seconds, sampling)
    (more,) = yield Texts(('then this.',), 2.0, sampling, 0.5)
    return [*motions, more]


def outcomes_of(model: MotionGPT3, works: Sequence[Work[Any]]) -> list[Any]:
    found: dict[int, Any] = {}
    draw_together(model.pipeline, works, found.__setitem__)
    return [found[number] for number in range(len(works))]


@contextmanager
def passes(model: MotionGPT3) -> Iterator[list[int]]:
    """How many rows the head drew in each pass."""
    head, rows = model.network.head, []
    sample = head.sample

    def counted(hidden: torch.Tensor, *others: Any) -> torch.Tensor:
        rows.append(len(hidden))
        return sample(hidden, *others)

    head.sample = counted
    try:
        yield rows
    finally:
        del head.sample


def same(one: Sequence[Motion], other: Sequence[Motion]) -> None:
    assert len(one) == len(other)
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_allclose(ours.joints, theirs.joints, atol=2e-5)
        assert ours.info == theirs.info


@pytest.mark.parametrize('form', ['clips', 'streams'])
def test_each_is_what_it_would_be_alone(form, request):
    model = request.getfixturevalue(form)
    asked = list(zip(TEXTS, (3, 4, 5), (2.0, None, 3.5), strict=True))
    alone = [draw_alone(model.pipeline, drawing(*one)) for one in asked]
    with passes(model) as rows:
        together = outcomes_of(model, [drawing(*one) for one in asked])
    assert max(rows) == 3
    for ours, theirs in zip(together, alone, strict=True):
        same(ours, theirs)
    assert not np.allclose(together[0][0].joints[:20], together[2][0].joints[:20], atol=1e-3)


def test_several_motions_of_one_work_keep_their_noise(clips):
    asked = [(TEXTS, 1, 2.0), (TEXTS[0], 2, 2.0)]
    alone = [draw_alone(clips.pipeline, drawing(*one)) for one in asked]
    with passes(clips) as rows:
        together = outcomes_of(clips, [drawing(*one) for one in asked])
    assert rows == [4, 2]
    for ours, theirs in zip(together, alone, strict=True):
        same(ours, theirs)


def test_what_is_drawn_in_another_way_is_another_batch(clips):
    works = [drawing(TEXTS[0], 1, 2.0), drawing(TEXTS[0], 1, 2.0, temperature=0.0)]
    with passes(clips) as rows:
        one, other = outcomes_of(clips, works)
    assert rows == [1, 1, 1, 1]
    assert not np.allclose(one[0].joints, other[0].joints, atol=1e-4)


def test_what_cannot_be_drawn_fails_alone(clips):
    def works() -> list[Work[Any]]:
        return [drawing(TEXTS[0], 1, 2.0), drawing('', 2, 2.0), drawing(TEXTS[2], 3, 1000.0)]

    good, empty, long = outcomes_of(clips, works())
    assert isinstance(empty, TextError)
    assert isinstance(long, MotionError)
    same(good, draw_alone(clips.pipeline, works()[0]))


def test_a_batch_that_fails_is_drawn_one_by_one_and_the_log_says_why(clips, monkeypatch, caplog):
    works = [(TEXTS[0], 1, 2.0), (TEXTS[2], 2, 2.0)]
    alone = [draw_alone(clips.pipeline, drawing(*one)) for one in works]
    draw = clips.pipeline.generate_each

    def full(texts: list[str], *options: Any) -> Any:
        drawn = draw(texts, *options)  # noise too, which is taken back
        if len(texts) > 1:
            raise RuntimeError('out of memory')
        return drawn

    monkeypatch.setattr(clips.pipeline, 'generate_each', full)
    together = outcomes_of(clips, [drawing(*one) for one in works])
    for ours, theirs in zip(together, alone, strict=True):
        same(ours, theirs)
    said = "2 motions are drawn one by one: RuntimeError('out of memory')"
    assert caplog.messages == [said, said]  # each asks for two, one after the other


def test_who_no_body_can_follow_is_refused_alone(monkeypatch):
    model = tiny_model(redraws=1, finishing=False)

    def judged(joints: np.ndarray, text: str = '') -> str | None:
        return 'it flies' if 'flies' in text else None

    monkeypatch.setattr('mgpt3_ros.model.pipelines.base.implausible', judged)
    alone = draw_alone(model.pipeline, drawing(TEXTS[0], 1, 2.0))
    with passes(model) as rows:
        flies, walks = outcomes_of(
            model, [drawing('a person flies.', 2, 2.0), drawing(TEXTS[0], 1, 2.0)]
        )
    assert isinstance(flies, GenerationError)
    assert 'drawn 2 times' in str(flies)
    assert rows == [2, 1, 1]  # both, the one again, and what the other asked for then
    same(walks, alone)


def test_a_work_may_catch_what_goes_wrong(clips):
    def careful() -> Work[list[Motion]]:
        sampling = SamplingOptions(generator=noise_source(0))
        try:
            yield Texts(('',), 2.0, sampling)
        except TextError:
            motions: list[Motion] = yield Texts(('walk',), 2.0, sampling)
        return motions

    (motion,), _ = outcomes_of(clips, [careful(), drawing(TEXTS[0], 1, 2.0)])
    assert motion.info['text'] == 'walk'


def test_a_stopped_one_does_not_stop_the_others(clips):
    stopped = drawing(TEXTS[0], 1, 2.0, should_stop=lambda: True)
    shares: list[float] = []
    other = drawing(TEXTS[2], 2, 2.0, should_stop=lambda: False, on_progress=shares.append)
    one, two = outcomes_of(clips, [stopped, other])
    assert isinstance(one, Cancelled)
    same(two, draw_alone(clips.pipeline, drawing(TEXTS[2], 2, 2.0)))
    assert shares[-1] == 1.0
    all_of_them = [drawing(TEXTS[0], n, 2.0, should_stop=lambda: True) for n in range(2)]
    assert all(isinstance(one, Cancelled) for one in outcomes_of(clips, all_of_them))


def test_without_a_seed_of_its_own_a_work_stays_alone(clips):
    def work() -> Work[list[Motion]]:
        motions: list[Motion] = yield Texts(('walk',), 2.0, SamplingOptions())
        return motions

    with passes(clips) as rows:
        outcomes_of(clips, [work(), work()])
    assert rows == [1, 1]


def test_actions_are_carried_out_together(clips):
    actions = [Action('bye'), Action('bow'), Action('wave-left-hand', duration_s=3.0)]

    def options(seed: int) -> SamplingOptions:
        return SamplingOptions(generator=noise_source(seed))

    alone = [carry_out(clips, action, options(n)) for n, action in enumerate(actions)]
    works = [carrying_out(clips, action, options(n)) for n, action in enumerate(actions)]
    with passes(clips) as rows:
        together = outcomes_of(clips, works)
    assert rows == [3]
    same(together, alone)


def test_steps_of_streams_are_those_of_each_alone(streams):
    """They begin at different times, under words of different lengths, and are told new ones."""
    starts = [Motion(moving(1, 10 + 12 * n, n)[0].numpy()) for n in range(3)]

    def made() -> list[Any]:
        return [
            streams.stream(text, start, generator=noise_source(n))
            for n, (text, start) in enumerate(zip((*TEXTS[:2], None), starts, strict=True))
        ]

    alone, together = made(), made()
    alone[0].step()
    together[0].step()
    for round_ in range(6):
        if round_ == 2:
            for live in (alone[1], together[1]):
                live.say('turn to the right')
        if round_ == 4:
            for live in (alone[2], together[2]):
                live.observe(starts[0])
        expected = [live.step() for live in alone]
        with passes(streams) as rows:
            same(next_steps(together), expected)
        assert rows == [3]
    assert [live.caption() for live in together] == [live.caption() for live in alone]


def test_a_stream_that_gives_no_number_ends_alone(streams):
    def made() -> list[Any]:
        return [streams.stream('walk', generator=noise_source(n)) for n in range(2)]

    expected = made()[1].step()
    sick, well = made()
    sick.drawer.finish = lambda drawn, previous: drawn * np.nan

    def work(live: Any) -> Work[Motion]:
        step: Motion = yield NextStep(live)
        return step

    one, two = outcomes_of(streams, [work(sick), work(well)])
    assert isinstance(one, GenerationError)
    same([two], [expected])
