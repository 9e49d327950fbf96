# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A body's stream in segments, each of one action.

A bag is read through twice: first for the actions, then for the motion of each segment, so that
no more than a few seconds of it are ever held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mgpt3_ros.bags.body import Body, body_windows
from mgpt3_ros.bags.reading import Bag
from mgpt3_ros.bags.topics import Recorded
from mgpt3_ros.bags.windows import Windows
from mgpt3_ros.body.caption_events import LOOK_S, segments
from mgpt3_ros.model.kinematics.recognition import WINDOW_S, ActionRecogniser
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.motion import Motion

_SEEN_S = 6.0  # of a segment, its last seconds, for a sentence


@dataclass(frozen=True)
class Labelled:
    """A segment of a stream.

    start_ns, end_ns: by the stamps of the joint states. label, sentence, confidence: of its
    action.
    """

    start_ns: int
    end_ns: int
    label: str
    sentence: str
    confidence: float


def find_segments(
    bag: Bag, body: Body, recogniser: ActionRecogniser
) -> tuple[list[Labelled], Windows]:
    """Read a bag through; return its segments in order, and what counted what was left out."""
    windows = Windows(body.profile, WINDOW_S, LOOK_S)
    looks = [
        (window.start_ns, window.end_ns, recogniser.probabilities(window.motion.joints))
        for _, done in body_windows(body, bag.messages(body.topics), windows)
        for window in done
    ]
    found: list[Labelled] = []
    begin = 0
    for index in range(1, len(looks) + 1):
        # A piece of the stream ends where the next window shares nothing with it.
        ends = index == len(looks) or not looks[begin][0] <= looks[index][0] < looks[index - 1][1]
        if ends:
            found += _of_piece(looks[begin:index], recogniser)
            begin = index
    return found, windows


def _of_piece(
    looks: list[tuple[int, int, np.ndarray]], recogniser: ActionRecogniser
) -> list[Labelled]:
    """Segments of one piece; a look speaks of the middle of its window."""
    middles = [(start + end) // 2 for start, end, _ in looks]
    half = round(LOOK_S * 1e9 / 2)
    parts = segments(np.array([row for _, _, row in looks]))
    return [
        Labelled(
            looks[0][0] if part.start == 0 else middles[part.start] - half,
            looks[-1][1] if part.stop == len(looks) else middles[part.stop] - half,
            recogniser.labels[part.label],
            recogniser.sentences[part.label],
            part.confidence,
        )
        for part in parts
    ]


def segment_motions(
    body: Body, messages: Iterator[Recorded], found: list[Labelled]
) -> Iterator[tuple[Recorded | None, list[tuple[Labelled, int, Motion]]]]:
    """Give each message back with the segments that end there.

    A segment comes with when the recorder got its end [ns], and its motion: its last seconds.
    """
    waiting = list(found)
    windows = Windows(body.profile, _SEEN_S, 24 * 3600.0)
    for message, _ in body_windows(body, messages, windows):
        done = []
        newest_ns = windows.buffer.stamp_ns
        while waiting and (message is None or _is_over(waiting[0], newest_ns)):
            segment = waiting.pop(0)
            window = windows.latest()
            if window is not None:
                seconds = min((segment.end_ns - segment.start_ns) * 1e-9, _SEEN_S)
                frames = max(round(seconds * FPS), 2)
                done.append((segment, window.recorded_ns, window.motion.crop(-frames)))
        yield message, done


def _is_over(segment: Labelled, stamp_ns: int) -> bool:
    return segment.end_ns <= stamp_ns <= segment.end_ns + 10**9
