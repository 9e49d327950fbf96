# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from mgpt3_ros.model.errors import MotionError
from mgpt3_ros.model.language.durations import frames_asked, stated_duration


@pytest.mark.parametrize(
    ('text', 'seconds', 'rest'),
    [
        ('walk forward for 3 seconds', 3.0, 'walk forward'),
        ('walk for three seconds and wave', 3.0, 'walk and wave'),
        ('a person waves, 60 frames', 3.0, 'a person waves'),
        ('wave for 2.5s', 2.5, 'wave'),
        ('a 4 second wave', 4.0, 'a wave'),
        ('jump for half a second', 0.5, 'jump'),
        ('dance for a minute', 60.0, 'dance'),
        ('in about 5 seconds, sit down', 5.0, 'sit down'),
        ('a person takes two steps', None, 'a person takes two steps'),
        ('a seated person waves', None, 'a seated person waves'),
        ('wave for 0 seconds', None, 'wave for 0 seconds'),
        ('look at a frame', None, 'look at a frame'),
        ('second to none', None, 'second to none'),
    ],
)
def test_stated_duration(text: str, seconds: float | None, rest: str) -> None:
    assert stated_duration(text) == (seconds, rest)


def test_a_text_that_is_only_a_duration_stays() -> None:
    assert stated_duration('for 3 seconds') == (3.0, 'for 3 seconds')


def test_asked_durations_are_bounded() -> None:
    assert frames_asked(3.0, 20, 10, 196) == 60
    with pytest.raises(MotionError, match=r'ask for 0\.5 to 9\.8 s'):
        frames_asked(30.0, 20, 10, 196)
    with pytest.raises(MotionError, match='-1 s'):
        frames_asked(-1.0, 20, 10, 196)
