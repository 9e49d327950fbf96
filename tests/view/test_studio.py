# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `mgpt3 view` does, without its page."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from mgpt3_ros.body.commands.carrying_out import carry_out_all
from mgpt3_ros.body.commands.reading import understand
from mgpt3_ros.model import MotionGPT3
from mgpt3_ros.model.errors import Cancelled, CheckpointError, MotionError, TextError
from mgpt3_ros.model.kinematics.heading import heading
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.sampling import SamplingOptions, noise_source
from mgpt3_ros.view.studio import MOST_TAKES, Studio, explain, in_a_row, led_to
from tests.support.tiny import swinging_motion


def nothing() -> None:
    pass


@pytest.fixture
def studio(model: MotionGPT3) -> Iterator[Studio]:
    made = Studio(lambda: model)
    yield made
    made.close()


def test_draws_are_those_of_mgpt3_generate(studio: Studio, model: MotionGPT3) -> None:
    text = 'walk forward 2 metres, then bow'
    motions = studio.generate(text, 2, 5, nothing).result(60)
    for draw, motion in enumerate(motions):
        sampling = SamplingOptions(generator=noise_source(5 + draw))
        alone = carry_out_all(model, understand(text), sampling)
        np.testing.assert_array_equal(motion.joints, alone.joints)
    assert len(motions[0].info['parts']) == 2
    went = motions[0].joints[-1, 0, 2] - motions[0].joints[0, 0, 2]
    assert went == pytest.approx(2.0, abs=0.4)


def test_as_is_draws_what_the_model_makes_of_the_words(studio: Studio, model: MotionGPT3) -> None:
    (motion,) = studio.generate('walk, then bow', 1, 5, nothing, as_is=True).result(60)
    alone = model.generate_sequence('walk, then bow', generator=noise_source(5))
    np.testing.assert_array_equal(motion.joints, alone.joints)


def test_what_is_not_known_is_refused_and_what_was_said_is_remembered(studio: Studio) -> None:
    with pytest.raises(TextError):
        studio.generate('fly to the moon', 1, 1, nothing)
    studio.generate('walk forward', 1, 1, nothing).result(60)
    (again,) = studio.generate('faster', 1, 1, nothing).result(60)
    assert again.duration_s > 0.5


def test_a_second_command_cancels_the_first(model: MotionGPT3) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def load() -> MotionGPT3:
        begun.set()
        assert go_on.wait(60)
        return model

    studio = Studio(load)
    first = studio.generate('walk forward', 1, 1, nothing)
    assert begun.wait(60)
    second = studio.generate('run fast', 1, 1, nothing)
    go_on.set()
    with pytest.raises(Cancelled):
        first.result(60)
    assert second.result(60)[0].info['text'] == 'run fast'
    assert studio.job is None
    studio.close()


def test_progress_rises_over_all_draws(studio: Studio) -> None:
    told: list[float] = []
    job = studio.generate('walk forward', 3, 1, nothing)
    report = job.report
    job.report = lambda share: (told.append(share), report(share))[1]  # type: ignore[method-assign]
    job.result(60)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_predictions_and_captions_come_from_the_shown_motion(studio: Studio, walk: Motion) -> None:
    ways = studio.predict(walk, 1.5, 3, 1, nothing).result(60)
    assert [way.num_frames for way in ways] == [30, 30, 30]
    assert all(np.abs(way.joints[0, 0] - walk.joints[-1, 0]).max() < 0.15 for way in ways)
    (captioned,) = studio.caption(walk, nothing).result(60)
    assert 'walk' in captioned.info['text']


def test_one_motion_goes_over_into_another(
    studio: Studio, model: MotionGPT3, walk: Motion
) -> None:
    bow = model.generate('take a deep bow', 3.0)
    (whole,) = studio.inbetween(walk, bow, 1.5, 1, nothing).result(60)
    assert whole.num_frames == walk.num_frames + 30 + bow.num_frames
    step = np.linalg.norm(np.diff(whole.joints, axis=0), axis=-1).max()
    assert step < 0.35  # m a frame, wrists included: no jump
    assert [part['text'] for part in whole.info['parts']] == [
        *(walk.info['text'], '(in between)', 'take a deep bow')
    ]


def test_what_follows_stands_where_the_first_leads(walk: Motion) -> None:
    after = led_to(walk, walk, 1.0)
    assert float(heading(after.joints[0])) == pytest.approx(
        float(heading(walk.joints[-1])), abs=1e-4
    )
    speed = (walk.joints[-1, 0] - walk.joints[-21, 0])[[0, 2]]
    np.testing.assert_allclose(
        after.joints[0, 0, [0, 2]], walk.joints[-1, 0, [0, 2]] + speed, atol=1e-3
    )
    assert after.joints[0, 0, 1] == pytest.approx(walk.joints[0, 0, 1])


def test_parts_of_a_row_keep_their_times() -> None:
    motion = Motion(swinging_motion(0, 40), 20.0, {'text': 'a'})
    row = in_a_row([motion, motion], ['', ''])
    assert [part['start_s'] for part in row.info['parts']] == [0.0, 2.0]


def test_old_takes_go_but_those_of_files_stay(studio: Studio) -> None:
    motion = Motion(swinging_motion(0, 10))
    given = studio.keep(motion, given=True)
    for _ in range(MOST_TAKES + 5):
        last = studio.keep(motion)
    assert len(studio.takes) == MOST_TAKES + 1
    assert studio.take(given.name) is given
    assert studio.take(last.name) is last
    with pytest.raises(MotionError, match='any more'):
        studio.take('2: motion')


def test_a_model_that_cannot_be_loaded_is_said() -> None:
    def load() -> MotionGPT3:
        raise CheckpointError('there is no checkpoint here')

    studio = Studio(load)
    job = studio.generate('walk', 1, 1, nothing)
    with pytest.raises(CheckpointError) as caught:
        job.result(60)
    assert explain(caught.value) == 'there is no checkpoint here'
    studio.close()
