# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `mgpt3 view` can do, without its page: motions are drawn on a worker and kept in a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgpt3_ros.body.caption_events import CaptionEvent, events_of
from mgpt3_ros.body.commands.carrying_out import carry_out_all
from mgpt3_ros.body.commands.confidence import further
from mgpt3_ros.body.commands.memory import Memory
from mgpt3_ros.body.commands.reading import understand
from mgpt3_ros.model.errors import MotionError, MotionGPT3Error
from mgpt3_ros.model.kinematics.heading import heading
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.motion import Motion, MotionPart
from mgpt3_ros.model.sampling import SamplingOptions
from mgpt3_ros.model.worker import Job, Worker
from mgpt3_ros.view.clip import parts_of

if TYPE_CHECKING:
    from mgpt3_ros.model.motiongpt3 import MotionGPT3

MOST_TAKES = 50  # what is kept; older ones that were not given as files go first
MOST_DRAWS = 4  # side by side
_CLOSE_S = 5.0


@dataclass(frozen=True)
class Take:
    """A motion that is kept; ``given``: from a file, so that it stays."""

    number: int
    motion: Motion
    given: bool = False

    @property
    def name(self) -> str:
        """Its number and words, for a list."""
        words = str(self.motion.info.get('text') or 'motion')
        return f'{self.number}: {words if len(words) < 48 else words[:45] + "..."}'


class Studio:
    """Draws motions one at a time: a new command cancels the one that is being drawn."""

    def __init__(self, load: Callable[[], MotionGPT3]) -> None:
        """Begin; the model is loaded by ``load`` on the worker, when it is first needed."""
        self._load = load
        self.model: MotionGPT3 | None = None
        self._worker = Worker('mgpt3_view')
        self._job: Job[list[Motion]] | None = None
        self._memory = Memory()  # of what "faster" and "again" go back to
        self._numbers = 0
        self.takes: list[Take] = []

    # ------------------------------------------------------------------ what is kept

    def keep(self, motion: Motion, given: bool = False) -> Take:
        """Add a motion to the list."""
        self._numbers += 1
        take = Take(self._numbers, motion, given)
        self.takes.append(take)
        drawn = [each for each in self.takes if not each.given]
        if len(drawn) > MOST_TAKES:
            self.takes.remove(drawn[0])
        return take

    def take(self, name: str) -> Take:
        """The take of a name.

        Raises:
            MotionError: it is not there any more.
        """
        for each in self.takes:
            if each.name == name:
                return each
        raise MotionError(f'there is no motion {name!r} any more')

    # ------------------------------------------------------------------ what is drawn

    @property
    def job(self) -> Job[list[Motion]] | None:
        """What is being drawn; None while nothing is."""
        return self._job if self._job is not None and not self._job.done() else None

    def generate(
        self, text: str, draws: int, seed: int, wake: Callable[[], None], as_is: bool = False
    ) -> Job:
        """Draw a command ``draws`` times with seeds from ``seed``, as ``mgpt3 generate`` does.

        ``as_is``: what the model makes of the words; numbers are not kept, nothing is refused.

        Raises:
            TextError: the command is not understood, or nothing that the model knows.
        """
        known = () if self.model is None else self.model.known_actions()
        also = further(action.label for action in known)
        parts = () if as_is else self._memory.resolved(understand(text, also))
        self._memory.remember(parts)

        def call(model: MotionGPT3, job: Job) -> list[Motion]:
            motions = []
            for draw in range(draws):
                sampling = SamplingOptions(
                    generator=_noise(seed + draw),
                    should_stop=job.should_stop,
                    on_progress=_rising(job, draw, draws, max(len(parts), 1)),
                )
                if as_is:
                    motions.append(model.generate_sequence(text, sampling=sampling))
                else:
                    motions.append(carry_out_all(model, parts, sampling))
            return motions

        return self._submit(call, wake)

    def predict(
        self, motion: Motion, horizon_s: float, ways: int, seed: int, wake: Callable[[], None]
    ) -> Job:
        """Draw what may follow a motion, in several ways."""

        def call(model: MotionGPT3, job: Job) -> list[Motion]:
            return model.predict_many(motion, horizon_s, ways, sampling=_sampling(seed, job))

        return self._submit(call, wake)

    def inbetween(
        self, start: Motion, end: Motion, duration_s: float, seed: int, wake: Callable[[], None]
    ) -> Job:
        """Draw one motion that goes from one over into another, moved to where the first leads."""
        before = start.resample(FPS, keep='last')
        after = led_to(before, end.resample(FPS), duration_s)

        def call(model: MotionGPT3, job: Job) -> list[Motion]:
            gap = model.inbetween(before, after, duration_s, sampling=_sampling(seed, job))
            return [in_a_row([before, gap, after], ['', '(in between)', ''])]

        return self._submit(call, wake)

    def caption(self, motion: Motion, wake: Callable[[], None]) -> Job:
        """Say what a motion shows: the motion with its caption as text."""

        def call(model: MotionGPT3, job: Job) -> list[Motion]:
            return [motion.with_info(text=str(model.caption(motion, should_stop=job.should_stop)))]

        return self._submit(call, wake)

    def seen(self, motion: Motion) -> list[CaptionEvent]:
        """What the loaded model's recogniser sees in a motion, and how surely; nothing without."""
        recogniser = None if self.model is None else self.model.recogniser
        return [] if recogniser is None else events_of(motion.resample(FPS).joints, recogniser)

    def stop(self) -> None:
        """Cancel what is being drawn."""
        if self._job is not None:
            self._job.stop()

    def close(self) -> None:
        """Stop the worker."""
        self._worker.close(_CLOSE_S)

    def _submit(
        self, call: Callable[[MotionGPT3, Job], list[Motion]], wake: Callable[[], None]
    ) -> Job:
        self.stop()

        def run(job: Job) -> list[Motion]:
            if self.model is None:
                self.model = self._load()
            return call(self.model, job)

        self._job = self._worker.submit(run, wake)
        return self._job


def led_to(before: Motion, after: Motion, duration_s: float) -> Motion:
    """``after``, turned and moved to where ``before`` leads: its last heading, its mean way on.

    The gap lasts ``duration_s``; the way on is that of the last second.
    """
    yaw = heading(before.joints[-1]) - heading(after.joints[0])
    last = before.joints[-min(round(before.fps) + 1, before.num_frames) :, 0].astype(np.float64)
    speed = (last[-1] - last[0]) / (len(last) - 1) * before.fps
    turned = after.transform(yaw=float(yaw))
    goal = last[-1] + duration_s * speed
    move = goal - turned.joints[0, 0]
    return turned.transform(translation=[move[0], 0.0, move[2]])


def in_a_row(motions: Sequence[Motion], texts: Sequence[str]) -> Motion:
    """Motions of the same rate in the same world as one; ``texts`` where their own lack."""
    parts: list[MotionPart] = []
    begins_s = 0.0
    for motion, text in zip(motions, texts, strict=True):
        for start_s, words in parts_of(motion):
            said = words or str(motion.info.get('text') or text)
            parts.append({'text': said, 'start_s': begins_s + start_s, 'duration_from': 'asked'})
        begins_s += motion.num_frames / motion.fps
    joints = np.concatenate([motion.joints for motion in motions])
    said = ', then '.join(part['text'] for part in parts if part['text'])
    return Motion(joints, motions[0].fps, {'text': said, 'parts': parts})


def explain(error: BaseException) -> str:
    """One line about what went wrong, for the page."""
    said = ' '.join(str(error).split()) or type(error).__name__
    return said if isinstance(error, MotionGPT3Error) else f'{type(error).__name__}: {said}'


def _rising(job: Job, draw: int, draws: int, parts: int) -> Callable[[float], None]:
    """Report how far one of several draws is, which is made of ``parts`` one after the other."""
    done, last = 0, 0.0

    def told(share: float) -> None:
        nonlocal done, last
        if share < last:
            done += 1
        last = share
        job.report((draw + min((done + share) / parts, 1.0)) / draws)

    return told


def _sampling(seed: int, job: Job) -> SamplingOptions:
    """Noise of a seed, and the job's way to stop and to tell how far it is."""
    return SamplingOptions(
        generator=_noise(seed), should_stop=job.should_stop, on_progress=job.report
    )


def _noise(seed: int):  # type: ignore[no-untyped-def] # torch is imported where it is needed
    from mgpt3_ros.model.sampling import noise_source

    return noise_source(seed)
