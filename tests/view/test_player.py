# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The time of a scene."""

from __future__ import annotations

import pytest

from mgpt3_ros.view.player import Player


def test_time_runs_at_its_speed_and_begins_anew() -> None:
    player = Player()
    player.speed = 0.5
    assert player.advance(1.0, 4.0) == pytest.approx(0.5)
    player.speed = 2.0
    assert player.advance(2.0, 4.0) == pytest.approx(0.5)  # over the end, and on from 0


def test_without_a_loop_it_stops_at_the_end_and_plays_from_there_anew() -> None:
    player = Player()
    player.looping = False
    assert player.advance(9.0, 4.0) == 4.0
    assert not player.playing
    player.play(True, 4.0)
    assert player.advance(0.5, 4.0) == pytest.approx(0.5)


def test_paused_it_stays_and_may_be_put_anywhere() -> None:
    player = Player()
    player.play(False, 4.0)
    player.seek(2.5)
    assert player.advance(1.0, 4.0) == 2.5
    player.seek(99.0)
    assert player.advance(0.0, 4.0) == 4.0
    player.seek(-1.0)
    assert player.advance(0.0, 4.0) == 0.0


def test_with_nothing_to_show_time_stands() -> None:
    assert Player().advance(1.0, 0.0) == 0.0
