# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of `mgpt3 view`: what is clicked, typed and dragged becomes calls of studio and stage.

All pages that are open show the same: who types on one is seen on all.
"""

from __future__ import annotations

import functools
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from mgpt3_ros.model.errors import Cancelled, MotionGPT3Error
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.view import exporting
from mgpt3_ros.view.choice_list import ChoiceList
from mgpt3_ros.view.clip import Clip, Track
from mgpt3_ros.view.controls import PlayControls
from mgpt3_ros.view.robot_choice import RobotChoice
from mgpt3_ros.view.robot_clip import robot_clip
from mgpt3_ros.view.side_by_side import ShownRobot, side_by_side
from mgpt3_ros.view.stage import Stage
from mgpt3_ros.view.studio import MOST_DRAWS, Studio, Take, explain

EXAMPLES = (
    'a person walks forward and turns left',
    'wave with both hands',
    'take a deep bow',
    'run fast',
    'walk forward for 3 seconds, then wave with both hands, then bow',
)
_TICK_S = 1.0 / 30.0
_IDLE_S = 0.2  # between looks where no page is open
_MOST_WAYS = 3  # ghosts
Ghosts = Sequence[Motion]


class Panel:
    """One server's page."""

    def __init__(
        self,
        server: Any,
        studio: Studio,
        motions: Sequence[Motion] = (),
        robot: ShownRobot | None = None,
    ) -> None:
        """Build it; ``motions`` are shown side by side, each with ``robot`` if there is one."""
        self.server = server
        self.studio = studio
        self._lock = threading.RLock()  # callbacks, the worker and the clock's thread meet here
        self._stage = Stage(server)
        self._shown: list[Take] = []
        self._closed = threading.Event()
        self._say()
        self.controls = PlayControls(server, self._stage, self._lock)
        self._lists()
        self._robot = RobotChoice(server, robot, self._guarded(lambda _: self._restage()))
        self._keep()
        for motion in motions:
            self._shown.append(studio.keep(motion, given=True))
        self._restage()
        self._clock = threading.Thread(target=self._run, name='mgpt3_clock', daemon=True)
        self._clock.start()

    def close(self) -> None:
        """Stop the clock and the worker."""
        self._closed.set()
        self._clock.join()
        self.studio.close()

    # ------------------------------------------------------------------ what is on the page

    def _say(self) -> None:
        gui = self.server.gui
        with gui.add_folder('Say'):
            self._text = gui.add_text('Command', EXAMPLES[0])
            examples = gui.add_dropdown('Examples', EXAMPLES)
            self._draws = gui.add_slider('Draws', 1, MOST_DRAWS, 1, 1)
            self._seed = gui.add_text('Seed', '', hint='a number that repeats a draw; empty: new')
            self._as_is = gui.add_checkbox(
                'As is', False, hint='numbers are not kept, nothing is refused'
            )
            generate = gui.add_button('Generate', color='blue')
            stop = gui.add_button('Stop', color='red')
            self._progress = gui.add_progress_bar(0.0, visible=False)
            self._status = gui.add_markdown('Type what the body does.')

        @examples.on_update
        def _(_: Any) -> None:
            self._text.value = examples.value

        generate.on_click(self._guarded(self._on_generate))
        stop.on_click(self._guarded(self._on_stop))

    def _lists(self) -> None:
        gui = self.server.gui
        with gui.add_folder('Timeline'):
            self._takes = ChoiceList(self.server, 'Show', ('-',), self._guarded(self._on_choice))
        with gui.add_folder('Go on', expand_by_default=False):
            self._horizon = gui.add_slider('Seconds ahead', 0.5, 5.0, 0.5, 2.0)
            self._ways = gui.add_slider('Ways', 1, _MOST_WAYS, 1, _MOST_WAYS)
            predict = gui.add_button('Predict')
            self._after = ChoiceList(self.server, 'Then', ('-',))
            self._gap = gui.add_slider('Gap', 0.5, 4.0, 0.5, 1.5)
            between = gui.add_button('Go over')
            caption = gui.add_button('Caption')

        predict.on_click(self._guarded(self._on_predict))
        between.on_click(self._guarded(self._on_inbetween))
        caption.on_click(self._guarded(self._on_caption))

    def _keep(self) -> None:
        with self.server.gui.add_folder('Keep', expand_by_default=False):
            self._kind = self.server.gui.add_dropdown('File', exporting.KINDS)
            save = self.server.gui.add_button('Save')
        save.on_click(self._guarded(self._on_save))

    def _guarded(self, call: Callable[[Any], None]) -> Callable[[Any], None]:
        """A callback whose errors are told on the page."""

        @functools.wraps(call)
        def guarded(event: Any) -> None:
            try:
                call(event)
            except Exception as error:  # whatever it is, the page goes on
                self._tell(explain(error))

        return guarded

    def _tell(self, words: str) -> None:
        self._status.content = words.replace('<', '&lt;')

    # ------------------------------------------------------------------ what is asked for

    def _next_seed(self) -> int:
        given = self._seed.value.strip()
        if not given:
            return secrets.randbelow(10_000)
        try:
            return int(given)
        except ValueError:
            raise MotionGPT3Error(f'seed {given!r}: give a whole number, or nothing') from None

    def _on_generate(self, _: Any) -> None:
        seed, text = self._next_seed(), self._text.value
        draws = int(self._draws.value)

        def done(motions: list[Motion]) -> Ghosts:
            for draw, motion in enumerate(motions):
                named = f'{motion.info.get("text", text)}' + (f' ({draw + 1})' if draw else '')
                self._shown.append(self.studio.keep(motion.with_info(text=named)))
            notes = ''.join(f'; {note}' for note in motions[0].info.get('notes', ()))
            self._tell(
                f'{motions[0].duration_s:.1f} s, seed {seed}{self._confidence(motions[0])}{notes}'
            )
            return ()

        as_is = self._as_is.value
        self._begin(lambda wake: self.studio.generate(text, draws, seed, wake, as_is), done, text)

    def _on_predict(self, _: Any) -> None:
        take, seed = self._first(), self._next_seed()
        horizon, ways = float(self._horizon.value), int(self._ways.value)

        def done(motions: list[Motion]) -> Ghosts:
            self._shown.append(take)
            self._tell(f'{len(motions)} ways to go on, seed {seed}{self._confidence(motions[0])}')
            return motions

        self._begin(
            lambda wake: self.studio.predict(take.motion, horizon, ways, seed, wake),
            done,
            'what follows',
        )

    def _on_inbetween(self, _: Any) -> None:
        first, then = self._first(), self.studio.take(self._after.value)
        seed, gap = self._next_seed(), float(self._gap.value)

        def done(motions: list[Motion]) -> Ghosts:
            self._shown.append(self.studio.keep(motions[0]))
            self._tell(f'{first.name} goes over into {then.name}, seed {seed}')
            return ()

        self._begin(
            lambda wake: self.studio.inbetween(first.motion, then.motion, gap, seed, wake),
            done,
            'what lies between',
        )

    def _on_caption(self, _: Any) -> None:
        take = self._first()

        def done(motions: list[Motion]) -> Ghosts:
            self._shown.append(take)
            self._tell(f'It shows: {motions[0].info["text"]}{self._confidence(take.motion)}')
            return ()

        self._begin(lambda wake: self.studio.caption(take.motion, wake), done, 'its caption')

    def _on_stop(self, _: Any) -> None:
        self.studio.stop()

    def _on_choice(self, name: str) -> None:
        with self._lock:
            self._shown = [self.studio.take(name)]
            self._restage()

    def _on_save(self, event: Any) -> None:
        kind = self._kind.value
        self._tell(f'writing .{kind} ...')

        def told(share: float) -> None:
            words = f'writing .{kind}: {10 * int(10 * share)} %'
            if self._status.content != words:
                self._tell(words)

        content = exporting.file_of(self._first().motion, kind, self._robot.shown, told)
        event.client.send_file_download(f'motion.{kind}', content, save_immediately=True)
        self._tell(f'motion.{kind}: {len(content) / 1000:.0f} kB')

    def _first(self) -> Take:
        with self._lock:
            if not self._shown:
                raise MotionGPT3Error('there is no motion yet: generate one')
            return self._shown[0]

    # ------------------------------------------------------------------ what comes of it

    def _begin(
        self,
        submit: Callable[[Callable[[], None]], Any],
        done: Callable[[list[Motion]], Ghosts],
        what: str,
    ) -> None:
        """Have the worker do it; ``done`` says what is then shown, and which ghosts beside it."""
        with self._lock:
            ready = threading.Event()  # the worker may be done before its job is known here

            def wake() -> None:
                ready.wait()
                self._end(job, done)

            job = submit(wake)
            self._tell(f'drawing: {what}')
            ready.set()

    def _end(self, job: Any, done: Callable[[list[Motion]], Ghosts]) -> None:
        """Called on the worker's thread."""
        with self._lock:
            another = self.studio.job
            try:
                motions = job.result()
            except Cancelled:
                if another is None or another is job:
                    self._tell('stopped')
                return
            except Exception as error:
                self._tell(explain(error))
                return
            self._shown = []
            self._restage(ghosts=done(motions))

    def _restage(self, ghosts: Sequence[Motion] = ()) -> None:
        """Put what is to be shown on the stage, side by side, and its words into the lists."""
        with self._lock:
            self._stage.clear()
            robot = self._robot.shown
            motions = [take.motion for take in self._shown]
            for place in range(len(motions)):
                for who, clip in enumerate(side_by_side(motions, place, robot)):
                    self._stage.add(f'body{place}' + ('r' if who else ''), clip)
            for way, motion in enumerate(ghosts):
                ghost, start_s = self._ghost(motion, robot)
                self._stage.add(f'ghost{way}', ghost, ghost=True, start_s=start_s)
            names = tuple(take.name for take in self.studio.takes) or ('-',)
            self._takes.show(names, self._shown[0].name if self._shown else None)
            self._after.show(names)
            self.controls.restart(self._stage.duration_s)
            self._stage.step_back(self.server.get_clients().values())

    def _confidence(self, motion: Motion) -> str:
        """What is seen in a motion and how surely, where the model says so."""
        seen = self.studio.seen(motion)
        said = ', '.join(f'{event.label} ({event.confidence:.0%})' for event in seen)
        return f'; seen as {said}' if said else ''

    def _ghost(self, motion: Motion, robot: ShownRobot | None) -> tuple[Track, float]:
        """What may follow the first that is shown, and when it begins [s]."""
        before = self._shown[0].motion
        if robot is None or not robot.instead:
            return Clip(motion), before.duration_s
        clip = robot_clip(robot.robot, motion, before=before, words=False)
        return clip, before.duration_s * clip.slower

    # ------------------------------------------------------------------ the clock

    def _run(self) -> None:
        last = time.monotonic()
        while not self._closed.wait(_TICK_S if self.server.get_clients() else _IDLE_S):
            now = time.monotonic()
            with self._lock:
                self.controls.advance(now - last)
                job = self.studio.job
                self._progress.visible = job is not None
                if job is not None:
                    self._progress.value = 100.0 * min(max(job.progress, 0.0), 1.0)
            last = now
