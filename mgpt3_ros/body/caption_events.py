# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From probabilities of actions over time to events: which action, from when to when, how surely.

Live with hysteresis, for a program that acts on them; over a whole recording by the most likely
course of labels, where each change has a cost.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from mgpt3_ros.model.kinematics.recognition import WINDOW_S, ActionRecogniser
from mgpt3_ros.model.kinematics.skeleton import FPS

LOOK_S = 0.25  # from one look at the last WINDOW_S to the next
# Tuned on training clips strung together (benchmarks.caption_events --split train): lower and the
# label flickers, higher and it comes late.
_SHARE = 0.4  # of a new look in the smoothed probabilities
_LEAD = 0.3  # by which a new label must lead the old one, in two looks on end
_CHANGE_COST = 9.0  # of a change of label in a recording, in nats
_SHORTEST_S = 0.75  # a segment shorter than that goes to its neighbours
_FLOOR = 1e-3


@dataclass(frozen=True)
class CaptionEvent:
    """What a body does, or did.

    label: of the recogniser's list. sentence: stays the same as long as the label. confidence: 0
    to 1, the smoothed probability of the label. start_s, end_s: when it began, and when it was
    seen last [s], by the stamps of the joint states. is_over: nothing more comes of it.
    """

    label: str
    sentence: str
    confidence: float
    start_s: float
    end_s: float
    is_over: bool = False

    def as_json(self) -> str:
        """Return it as JSON, the keys as the attributes."""
        return json.dumps({**asdict(self), 'confidence': round(self.confidence, 3)})


class EventTracker:
    """Follows the label of a stream."""

    def __init__(self, labels: Sequence[str], sentences: Sequence[str]) -> None:
        self._labels, self._sentences = tuple(labels), tuple(sentences)
        self.forget()

    def forget(self) -> None:
        """Begin anew, as after a pause of the stream."""
        self._smooth: np.ndarray | None = None
        self._current: int | None = None
        self._leader: int | None = None
        self._leads_since_s = self._start_s = self._seen_s = 0.0

    @property
    def event(self) -> CaptionEvent | None:
        """What is being done; None before the first look."""
        return self._told(False) if self._current is not None else None

    def look(self, probabilities: np.ndarray, at_s: float) -> list[CaptionEvent]:
        """Take the probabilities (A,) of the window that ends ``at_s``.

        Returns:
            Nothing where the label stays; else what is over, if there was anything, and what
            begins.
        """
        old = self._smooth
        self._smooth = (
            probabilities if old is None else _SHARE * probabilities + (1 - _SHARE) * old
        )
        best = int(self._smooth.argmax())
        if best != self._leader:
            self._leader, self._leads_since_s = best, at_s
        previous_s, self._seen_s = self._seen_s, at_s
        if best == self._current:
            return []
        if self._current is not None:
            lead = self._smooth[best] - self._smooth[self._current]
            if lead < _LEAD or at_s <= self._leads_since_s:
                return []
        # A window speaks of its middle, and the smoothing lags by a look.
        begins_s = max(self._leads_since_s - WINDOW_S / 2, self._start_s)
        events = []
        if self._current is not None:
            self._seen_s = min(begins_s, previous_s)
            events.append(self._told(True))
        else:
            begins_s = at_s - WINDOW_S
        self._current, self._start_s, self._seen_s = best, begins_s, at_s
        return [*events, self._told(False)]

    def end(self) -> list[CaptionEvent]:
        """End what is being done, and begin anew."""
        events = [self._told(True)] if self._current is not None else []
        self.forget()
        return events

    def _told(self, is_over: bool) -> CaptionEvent:
        assert self._current is not None
        assert self._smooth is not None
        return CaptionEvent(
            self._labels[self._current],
            self._sentences[self._current],
            float(self._smooth[self._current]),
            self._start_s,
            self._seen_s,
            is_over,
        )


@dataclass(frozen=True)
class Segment:
    """Looks ``start`` to ``stop`` (not included) with one label, and its mean probability."""

    start: int
    stop: int
    label: int
    confidence: float


def segments(probabilities: np.ndarray) -> list[Segment]:
    """Cut a recording into segments of one label each.

    The most likely course of labels where each change costs ``_CHANGE_COST`` (Viterbi); what is
    still shorter than ``_SHORTEST_S`` goes to the more likely neighbour.

    Args:
        probabilities: (N, A), of looks every ``LOOK_S``.
    """
    if not len(probabilities):
        return []
    scores = np.log(np.maximum(probabilities, _FLOOR))
    total, back = scores[0], np.zeros(probabilities.shape, dtype=int)
    for step in range(1, len(scores)):
        best = int(total.argmax())
        changed = total[best] - _CHANGE_COST > total
        back[step] = np.where(changed, best, np.arange(len(total)))
        total = np.maximum(total, total[best] - _CHANGE_COST) + scores[step]
    path = [int(total.argmax())]
    for step in range(len(scores) - 1, 0, -1):
        path.append(int(back[step, path[-1]]))
    labels = np.array(path[::-1])
    shortest = round(_SHORTEST_S / LOOK_S)
    while True:
        cuts = [0, *(np.flatnonzero(np.diff(labels)) + 1), len(labels)]
        spans = list(itertools.pairwise(cuts))
        short = [span for span in spans if span[1] - span[0] < shortest]
        if not short or len(spans) == 1:
            break
        start, stop = min(short, key=lambda span: span[1] - span[0])
        beside = [int(labels[at]) for at in (start - 1, stop) if 0 <= at < len(labels)]
        labels[start:stop] = max(beside, key=lambda label: scores[start:stop, label].sum())
    return [
        Segment(
            int(start),
            int(stop),
            int(labels[start]),
            float(probabilities[start:stop, labels[start]].mean()),
        )
        for start, stop in spans
    ]


def events_of(joints: np.ndarray, recogniser: ActionRecogniser) -> list[CaptionEvent]:
    """Say what is done in a motion, from when to when [s] and how surely; all of it is over.

    A look speaks of the middle of its window. One shorter than ``WINDOW_S`` is one look.

    Args:
        joints: (T, 22, 3) [m], Y up, at 20 frames per second.
        recogniser: gives the probabilities.
    """
    window, step = round(WINDOW_S * FPS), round(LOOK_S * FPS)
    stops = range(min(window, len(joints)), len(joints) + 1, step)
    found = segments(np.array([recogniser.probabilities(joints[:stop]) for stop in stops]))
    first_s = WINDOW_S / 2 - LOOK_S / 2  # where what a look speaks of begins
    ends_s = [first_s + LOOK_S * part.stop for part in found]
    ends_s[-1] = len(joints) / FPS
    return [
        CaptionEvent(
            recogniser.labels[part.label],
            recogniser.sentences[part.label],
            part.confidence,
            start_s,
            end_s,
            is_over=True,
        )
        for part, start_s, end_s in zip(found, [0.0, *ends_s[:-1]], ends_s, strict=True)
    ]
