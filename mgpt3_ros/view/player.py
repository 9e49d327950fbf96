# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The time of a scene: it runs, stops, goes over and over, and is put where one likes."""

from __future__ import annotations

SPEEDS = (0.25, 0.5, 1.0, 1.5, 2.0)


class Player:
    """Keeps a time between 0 and the end of what is shown."""

    def __init__(self) -> None:
        self.time_s = 0.0
        self.playing = True
        self.looping = True
        self.speed = 1.0

    def advance(self, passed_s: float, duration_s: float) -> float:
        """Let time pass; return where it is now [s].

        Args:
            passed_s: how much time passed in the world.
            duration_s: the end of what is shown.
        """
        if self.playing and duration_s > 0.0:
            self.time_s += self.speed * passed_s
            if self.time_s > duration_s:
                self.time_s = self.time_s % duration_s if self.looping else duration_s
                self.playing = self.looping
        self.time_s = min(max(self.time_s, 0.0), duration_s)
        return self.time_s

    def seek(self, time_s: float) -> None:
        """Go to a time."""
        self.time_s = max(time_s, 0.0)

    def play(self, playing: bool, duration_s: float) -> None:
        """Let it run or stop; at its end it begins anew."""
        self.playing = playing
        if playing and self.time_s >= duration_s:
            self.time_s = 0.0
