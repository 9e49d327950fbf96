# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.language.durations import frames_asked, stated_duration


@pytest.mark.parametrize(
    ('text', 'seconds', 'rest'),
    [
        ('walk forward for 3 seconds', 3.0, 'walk forward'),
        ('walk for three seconds and wave', 3.0, 'walk and wave'),
        ('a person waves, 60 frames', 3.0, 'a person waves'),
        ('dance for a minute', 60.0, 'dance'),
        ('in about 5 seconds, sit down', 5.0, 'sit down'),
        ('WALK FOR THREE SECONDS', 3.0, 'WALK'),
        ('waits a second', 1.0, 'waits'),
        ('wait one second', 1.0, 'wait'),
        ('for a second he waves', 1.0, 'he waves'),
        ('for a second, wave', 1.0, 'wave'),
        ('waits for a second and bows', 1.0, 'waits and bows'),
        ('hold it a second before you sit', 1.0, 'hold it before you sit'),
        ('walk 2 minutes', 120.0, 'walk'),
        ('walk for 3 seconds.', 3.0, 'walk.'),
        ('walk, for 3 seconds, then wave', 3.0, 'walk, then wave'),
        ('3 seconds: walk', 3.0, 'walk'),
        ('walk forward (3 seconds)', 3.0, 'walk forward'),
        ('walk forward - 3 seconds', 3.0, 'walk forward'),
        ('an hour of sitting', 3600.0, 'sitting'),
    ],
)
def test_plain_durations(text: str, seconds: float, rest: str) -> None:
    assert stated_duration(text) == (seconds, rest)


@pytest.mark.parametrize(
    ('text', 'seconds', 'rest'),
    [
        ('walks for twenty-five frames', 1.25, 'walks'),
        ('walks for twenty five seconds', 25.0, 'walks'),
        ('waves for forty-five seconds', 45.0, 'waves'),
        ('waves for sixty seconds', 60.0, 'waves'),
        ('walks for seventeen frames', 0.85, 'walks'),
        ('walks for a hundred frames', 5.0, 'walks'),
        ('walks for one hundred and twenty frames', 6.0, 'walks'),
        ('walks for two hundred frames', 10.0, 'walks'),
        ('walks for a dozen seconds', 12.0, 'walks'),
        ('hop for a couple of seconds', 2.0, 'hop'),
        ('hop for a couple seconds', 2.0, 'hop'),
        ('walk for 1,000 frames', 50.0, 'walk'),
        ('walk for 2,5 seconds', 2.5, 'walk'),
        ('wave for 2.5s', 2.5, 'wave'),
        ('wave for 1.5 s', 1.5, 'wave'),
        ('wave for .5 seconds', 0.5, 'wave'),
        ('wave for 0,75 s', 0.75, 'wave'),
        ('wave for one point five seconds', 1.5, 'wave'),
        ('jump for 1500 ms', 1.5, 'jump'),
        ('jump for 800 milliseconds', 0.8, 'jump'),
        ('jump for two secs', 2.0, 'jump'),
        ('jump for 2 mins', 120.0, 'jump'),
        ('walk for 1 minute 30 seconds', 90.0, 'walk'),
        ('walk for a minute and twenty seconds', 80.0, 'walk'),
        ('walk for 2 seconds and 10 frames', 2.5, 'walk'),
    ],
)
def test_compound_numbers_and_units(text: str, seconds: float, rest: str) -> None:
    assert stated_duration(text) == (pytest.approx(seconds), rest)


@pytest.mark.parametrize(
    ('text', 'seconds', 'rest'),
    [
        ('jump for half a second', 0.5, 'jump'),
        ('jump for half a minute', 30.0, 'jump'),
        ('jump for a half second', 0.5, 'jump'),
        ('jump for one and a half seconds', 1.5, 'jump'),
        ('jump two and a half seconds', 2.5, 'jump'),
        ('jump for 3 and a half seconds', 3.5, 'jump'),
        ('jump for two and a quarter seconds', 2.25, 'jump'),
        ('jump for one and three quarters seconds', 1.75, 'jump'),
        ('jump for a second and a half', 1.5, 'jump'),
        ('jump for a minute and a half', 90.0, 'jump'),
        ('JUMP FOR A MINUTE AND A HALF', 90.0, 'JUMP'),
        ('jump for two minutes and a half and bow', 150.0, 'jump and bow'),
        ('jump for a quarter of a second', 0.25, 'jump'),
        ('jump for three quarters of a second', 0.75, 'jump'),
        ('jump for two thirds of a minute', 40.0, 'jump'),
        ('jump for two-and-a-half seconds', 2.5, 'jump'),
        ('jump for three-quarters of a second', 0.75, 'jump'),
        ('jump for 1/2 second', 0.5, 'jump'),
        ('jump for 1 1/2 seconds', 1.5, 'jump'),
        ('jump for 2½ seconds', 2.5, 'jump'),
        ('turn for two seconds and a half turn', 2.0, 'turn and a half turn'),
    ],
)
def test_fractions(text: str, seconds: float, rest: str) -> None:
    assert stated_duration(text) == (pytest.approx(seconds), rest)


@pytest.mark.parametrize(
    ('text', 'seconds', 'rest'),
    [
        ('walk for 2 to 3 seconds', 2.5, 'walk'),
        ('walk from 2 to 3 seconds', 2.5, 'walk'),
        ('in 3-4 seconds', 3.5, 'in 3-4 seconds'),
        ('walk for 3 - 4 s', 3.5, 'walk'),
        ('walk for 2\u20133 seconds and wave', 2.5, 'walk and wave'),
        ('walk for two or three seconds', 2.5, 'walk'),
        ('walk for between two and four seconds', 3.0, 'walk'),
        ('walk for twenty to thirty frames', 1.25, 'walk'),
        ('walk for 1.5 to 2.5 seconds', 2.0, 'walk'),
        ('walk for 30 seconds to 1 minute', 45.0, 'walk'),
        ('walk for a second or two', 1.5, 'walk'),
        ('walk for one to two and a half seconds', 1.75, 'walk'),
        ('a 2-3 second wave', 2.5, 'a wave'),
    ],
)
def test_a_range_gives_its_middle(text: str, seconds: float, rest: str) -> None:
    assert stated_duration(text) == (pytest.approx(seconds), rest)


@pytest.mark.parametrize(
    ('text', 'seconds', 'rest'),
    [
        ('a 4 second wave', 4.0, 'a wave'),
        ('take a 5-second walk', 5.0, 'take a walk'),
        ('an 8 second jump', 8.0, 'a jump'),
        ('a ten-second arm swing', 10.0, 'an arm swing'),
        ('a half second wave', 0.5, 'a wave'),
        ('a one and a half second wave', 1.5, 'a wave'),
        ('a 60 frame walk', 3.0, 'a walk'),
        ('a person goes for a 3 second walk', 3.0, 'a person goes for a walk'),
        ('the 3 second walk', 3.0, 'the walk'),
        ('do 10 s of walking', 10.0, 'do walking'),
        ('half a second of waving', 0.5, 'waving'),
        ('walk for at least 3 seconds', 3.0, 'walk'),
        ('walk for a full 3 seconds', 3.0, 'walk'),
        ('walk for 3 more seconds', 3.0, 'walk'),
        ('walk for another 3 seconds', 3.0, 'walk'),
        ('walk for the next 3 seconds', 3.0, 'walk'),
        ('walk for about a second', 1.0, 'walk'),
        ('walk for a minute or so', 60.0, 'walk'),
        ('walk for a period of 3 seconds', 3.0, 'walk'),
        ('walk over the course of five seconds', 5.0, 'walk'),
        ('a walk that lasts 3 seconds', 3.0, 'a walk'),
        ('a dance lasting 3 seconds', 3.0, 'a dance'),
        ('a dance, 3 seconds long', 3.0, 'a dance'),
    ],
)
def test_what_is_left_reads_right(text: str, seconds: float, rest: str) -> None:
    assert stated_duration(text) == (seconds, rest)


@pytest.mark.parametrize(
    'text',
    [
        'a person takes two steps',
        'a seated person waves',
        'wave for 0 seconds',
        'wave for zero seconds',
        'look at a frame',
        'second to none',
        'a second person waves',
        'kicks a second time',
        'a person kicks a second time',
        'wave for a second time and bow',
        'makes a second attempt to jump',
        'kicks a second or third time',
        'kicks a second and a third time',
        'the second person waves',
        'the twenty-second step',
        'in the third second he jumps',
        'takes a third step',
        'kicks for the thirty second time',
        'a minute gesture',
        'waves twice a second',
        'waves three times a second',
        'steps at 20 frames per second',
        'plays 20 frames a second',
        'bows every 2 seconds',
        'one second later he waves',
        'he waves after 3 seconds',
        'he waves in the first 3 seconds',
        'jump for a few seconds',
        'jump for a split second',
        'look at 1:30 minutes of film',
        '5 steps',
        f'walk for {"9" * 400} seconds',
        'a s',
    ],
)
def test_what_states_no_length(text: str) -> None:
    assert stated_duration(text) == (None, text)


def test_a_text_that_is_only_a_duration_stays() -> None:
    assert stated_duration('for 3 seconds') == (3.0, 'for 3 seconds')


def test_no_text_stops_it() -> None:
    rng = np.random.default_rng(0)
    words = [
        'a',
        'an',
        'and',
        'half',
        'of',
        'second',
        'seconds',
        's',
        'ms',
        'to',
        'or',
        '2',
        '2,5',
    ]
    words += [
        'between',
        'twenty',
        '-',
        'five',
        'hundred',
        'couple',
        '½',
        '1/2',
        '٣٣',
        '\u017feconds',
    ]
    words += [
        'point',
        'for',
        'minute',
        'frames',
        '.',
        ',',
        'the',
        'walk',
        '9' * 400,
        '(',
        ')',
        'zero',
    ]
    for _ in range(3000):
        text = ' '.join(rng.choice(words, int(rng.integers(1, 12))))
        seconds, rest = stated_duration(text)
        assert rest
        assert seconds is None or 0 < seconds < math.inf


def test_asked_durations_are_bounded() -> None:
    assert frames_asked(3.0, 20, 10, 196) == 60
    assert frames_asked(np.float32(3.0), 20, 10, 196) == 60
    with pytest.raises(MotionError, match=r'ask for 0\.5 to 9\.8 s'):
        frames_asked(30.0, 20, 10, 196)
    with pytest.raises(MotionError, match='-1 s'):
        frames_asked(-1.0, 20, 10, 196)


@pytest.mark.parametrize(
    'duration', [math.nan, math.inf, -math.inf, '3', True, np.ones(2), np.array(1.0), [1.0], 1j]
)
def test_an_asked_duration_is_a_number(duration: object) -> None:
    with pytest.raises(MotionError, match='a duration is one finite number of seconds'):
        frames_asked(duration, 20, 10, 196)  # type: ignore[arg-type]
