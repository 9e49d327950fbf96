# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels over time: hysteresis live, segments of a recording."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
import torch

from mgpt3_ros.body.caption_events import LOOK_S, EventTracker, events_of, segments
from mgpt3_ros.model import MotionGPT3
from mgpt3_ros.model.kinematics.recognition import WINDOW_S

LABELS = ('walk', 'wave', 'bow')
SENTENCES = ('a person walks.', 'a person waves.', 'a person bows.')


def course(*parts: tuple[int, int], sure: float = 0.8) -> np.ndarray:
    """Probabilities of looks: (label, how many) on end."""
    rows = []
    for label, count in parts:
        row = np.full(3, (1 - sure) / 2)
        row[label] = sure
        rows += [row] * count
    return np.array(rows)


def follow(probabilities: np.ndarray) -> list:
    tracker = EventTracker(LABELS, SENTENCES)
    events = []
    for index, row in enumerate(probabilities):
        events += tracker.look(row, 100.0 + index * LOOK_S)
    return [*events, *tracker.end()]


def test_a_change_is_told_once_with_its_time() -> None:
    events = follow(course((0, 20), (1, 20)))
    assert [(e.label, e.is_over) for e in events] == [
        *(('walk', False), ('walk', True)),
        *(('wave', False), ('wave', True)),
    ]
    assert events[0].start_s == 100.0 - WINDOW_S
    changed_s = 100.0 + 20 * LOOK_S - WINDOW_S / 2  # a window speaks of its middle
    assert abs(events[2].start_s - changed_s) <= 2 * LOOK_S
    assert events[1].end_s <= events[2].start_s + LOOK_S
    assert events[2].sentence == 'a person waves.'
    assert 0.7 < events[3].confidence <= 0.8


def test_a_single_odd_look_changes_nothing() -> None:
    events = follow(course((0, 12), (1, 1), (0, 12), (2, 1), (0, 6)))
    assert [e.label for e in events] == ['walk', 'walk']


def test_near_ties_change_nothing() -> None:
    rng = np.random.default_rng(0)
    rows = course((0, 60), sure=0.4) + rng.uniform(-0.08, 0.08, (60, 3))
    assert len({e.label for e in follow(rows)}) == 1


def test_an_event_is_json() -> None:
    said = json.loads(follow(course((0, 8)))[0].as_json())
    assert set(said) == {'label', 'sentence', 'confidence', 'start_s', 'end_s', 'is_over'}


def test_a_recording_falls_into_segments_of_one_label() -> None:
    found = segments(course((0, 20), (1, 2), (0, 6), (2, 24)))
    assert [(s.start, s.stop, s.label) for s in found] == [(0, 28, 0), (28, 52, 2)]
    assert all(0.0 < s.confidence <= 1.0 for s in found)


def test_equal_segments_are_one_and_nothing_gives_nothing() -> None:
    assert len(segments(course((1, 100)))) == 1
    assert segments(np.zeros((0, 3))) == []


def test_a_motion_of_two_actions_is_seen_as_both_with_times_and_confidence() -> None:
    model = MotionGPT3.from_pretrained(device='cpu')
    assert model.recogniser is not None
    text = 'walk forward for 4 seconds, then wave with both hands for 4 seconds'
    motion = model.generate_sequence(text, generator=torch.Generator().manual_seed(1))
    events = events_of(motion.joints, model.recogniser)
    assert events[0].start_s == 0.0
    assert events[-1].end_s == pytest.approx(motion.duration_s)
    assert [event.label for event in (events[0], events[-1])] == [*('walk', 'wave-both-hands')]
    for event, after in pairwise(events):
        assert event.end_s == after.start_s
    assert events[0].end_s == pytest.approx(float(motion.info['parts'][1]['start_s']), abs=1.0)
    assert all(0.3 < event.confidence <= 1.0 for event in events)
    (short,) = events_of(motion.joints[:15], model.recogniser)
    assert (short.start_s, short.end_s) == (0.0, 0.75)
