# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks measure what they say; their figures are not looked at here."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import caption_stream, joins, predictions, video
from mgpt3_ros.model.finishing.joining import join
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.training.data.clip import Clip
from tests.support.tiny import save_tiny_model, swinging_motion


def clip(number: int, action: str) -> Clip:
    joints = swinging_motion(number, 80, speed=0.3 * number)
    return Clip(f'clip{number}', joints, (action,), 'val', 'bandai', action)


def test_windows_of_a_stream_show_what_is_in_it():
    joints, spans = caption_stream.stream_of([clip(1, 'walk'), clip(2, 'run')], pause_s=0.0)
    assert [action for *_, action in spans] == ['walk', 'run']
    assert spans[0][1] == spans[1][0]
    assert spans[1][1] == len(joints)
    found = list(caption_stream.windows(joints, 2.0))
    assert len(found) == int((len(joints) - 1) / 20 - 2.0) + 1
    for moment, motion in found:
        last = round(moment * 20)
        expected = joints[last - motion.num_frames + 1 : last + 1]
        error = np.linalg.norm(motion.joints - expected, axis=-1).mean()
        assert error < 0.03  # the body's own bones, and the moments between frames


def test_a_pause_lies_between_clips_and_nothing_moves_in_it():
    joints, spans = caption_stream.stream_of([clip(1, 'walk'), clip(2, 'run')], pause_s=3.0)
    (begin, stop) = caption_stream.pauses(spans)[0]
    assert stop - begin > 2.0 * 20
    assert np.ptp(joints[begin:stop], axis=0).max() < 1e-6


@pytest.mark.parametrize(
    ('start', 'stop', 'row'),
    [
        (0, 40, 'inside, from its begin'),
        (30, 70, 'inside'),
        (45, 85, 'four fifths'),
        (60, 100, ''),
    ],
)
def test_where_a_window_lies(start, stop, row):
    spans = [(0, 80, 'walk'), (80, 160, 'run')]
    assert caption_stream.place_of(start, stop, spans)[0] == row


def test_a_trajectory_as_published_shows_the_joined_clips():
    before, after = (Motion(swinging_motion(number, 60, speed=0.5)) for number in (1, 2))
    cut, joints = join(before.joints, after.joints, 20.0)
    sent = joins.published(before, cut, Motion(joints))
    drawn = joins.near(np.concatenate([before.joints[:cut], joints]), cut)
    assert sent.shape == drawn.shape
    heights = np.abs(sent[..., 1] - drawn[..., 1])  # bones stretch in the blend, angles do not
    assert heights.mean() < 0.005
    assert heights.max() < 0.06


def test_joins_are_counted_and_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(joins, 'ACTIONS', {'walk': 'walk', 'bow': 'bow'})
    assert joins.main(['--checkpoint', str(save_tiny_model(tmp_path / 'tiny'))]) == 0
    said = capsys.readouterr().out
    assert '2 joins' in said
    assert len(re.findall(r'^\| (?:inside|within).*\d\.\d{3} \|$', said, re.MULTILINE)) == 4


def test_errors_of_predictions_are_those_of_the_times():
    real = swinging_motion(0, 40, speed=0.0)
    made = real + np.arange(1, 41)[:, None, None] * np.array([0.001, 0, 0])
    np.testing.assert_allclose(predictions.joint_errors(made, real), [10, 20, 40], rtol=1e-4)
    assert predictions.ade(made, real) == pytest.approx(0.0205 * np.sqrt(22), rel=1e-3)


def test_the_parts_of_a_video_are_measured_one_by_one():
    rows = video.measure(Motion(swinging_motion(1, 10)), (128, 64), repeats=2)
    assert rows[0].name == '0 s of 128 x 64 as a video, fastest of 2'
    assert all(row.value > 0 for row in rows)
