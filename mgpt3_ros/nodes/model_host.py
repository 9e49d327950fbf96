# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one place that loads the model, and keeps it for all nodes of a process."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from mgpt3_ros.model.errors import CheckpointError, GenerationError
from mgpt3_ros.model.kinematics.recognition import ActionRecogniser
from mgpt3_ros.model.language.known_actions import KnownAction
from mgpt3_ros.model.worker import Job, Worker
from mgpt3_ros.nodes.ears import Ears

if TYPE_CHECKING:
    from mgpt3_ros.model.motiongpt3 import MotionGPT3
    from mgpt3_ros.model.pipelines.together import Work

T = TypeVar('T')

# Below this size a step's matrices are too small to share: two threads gain nothing on an idle
# machine, and on a busy one each waits for the other (measured: 0.02 s became 1.3 s).
_SMALL_MODEL = 50_000_000

# Commands that are sent to several bodies at once come one after the other, a few milliseconds
# apart; none of them waits for longer than this for the others.
GATHER_S = 0.01


@dataclass(frozen=True)
class ModelChoice:
    """A checkpoint ('' for the shipped one), a device and a dtype ('auto' for the best).

    num_threads: of the CPU; 0 takes one for a small model and torch's own choice for a large one.
    """

    checkpoint: str
    device: str
    dtype: str
    num_threads: int = 0


@dataclass(frozen=True)
class ModelFacts:
    """What a loaded model says of itself; its form of motion is clip or stream.

    recogniser: of actions, where the checkpoint has one. known: what it can do, where that was
    measured.
    """

    name: str
    licence: str
    device: str
    form: str
    recogniser: ActionRecogniser | None = None
    known: tuple[KnownAction, ...] = ()


class DeviceMemoryError(GenerationError):
    """The accelerator had too little memory for a request."""


class ModelHost:
    """One model and the thread that owns it, shared by the nodes of a process.

    Every node that uses the model calls :meth:`load` once and :meth:`release` once; the first
    loads, the last frees. All of it happens on the worker, so nothing here needs a lock.

    Attributes:
        ears: what the nodes hear together.
        drawn_together: the most works that were drawn as one batch so far.
    """

    def __init__(self) -> None:
        self.worker = Worker()
        self.ears = Ears()
        self.drawn_together = 0
        self._model: MotionGPT3 | None = None
        self._choice: ModelChoice | None = None
        self._users = 0

    def expect(self, bodies: int) -> None:
        """Draw what so many bodies are told within ``GATHER_S`` as one batch, see :meth:`draw`."""
        self.worker.expected = bodies
        self.worker.gather_s = GATHER_S if bodies > 1 else 0.0

    def load(self, choice: ModelChoice) -> Job[ModelFacts]:
        """Load the model, unless it is there already.

        The job raises:
            CheckpointError: the checkpoint or the device cannot be had, or another one is loaded.
        """
        return self.worker.submit(lambda job: self._load(choice))

    def release(self) -> Job[None]:
        """Give up one use of the model; the last one frees it."""
        return self.worker.submit(lambda job: self._release())

    def run(self, call: Callable[[MotionGPT3, Job[T]], T], wake: Callable[[], None]) -> Job[T]:
        """Run ``call(model, job)`` on the worker; ``wake`` is called there when it is done."""
        return self.worker.submit(lambda job: self._run(call, job), wake)

    def draw(
        self, call: Callable[[MotionGPT3, Job[T]], Work[T]], wake: Callable[[], None]
    ) -> Job[T]:
        """Do a work on the worker, together with all others that wait to be drawn then.

        What comes of it is what would come of it alone, see
        :mod:`mgpt3_ros.model.pipelines.together`.
        """
        # The jobs of a batch are begun by _draw, which finds a work where others have a result.
        return self.worker.submit(lambda job: self._work(call, job), wake, self._draw)  # type: ignore[arg-type, return-value]

    def _load(self, choice: ModelChoice) -> ModelFacts:
        # Here and not above: torch takes seconds and hundreds of MB.
        import torch
        from scipy.spatial import transform  # noqa: F401 - and not at the first command

        from mgpt3_ros.body.commands import carrying_out  # noqa: F401 - the same
        from mgpt3_ros.model.motiongpt3 import MotionGPT3
        from mgpt3_ros.model.pipelines.stream import StreamPipeline

        if self._model is None:
            self._model = MotionGPT3.from_pretrained(
                choice.checkpoint or None,
                device=choice.device,
                dtype=choice.dtype,
                encoder='off',  # commands are judged in callbacks, by rules, and so alike here
            )
            self._choice = choice
            size = sum(parameter.numel() for parameter in self._model.network.parameters())
            if choice.num_threads or size < _SMALL_MODEL:
                torch.set_num_threads(choice.num_threads or 1)
        elif choice != self._choice:
            raise CheckpointError(
                f'this process holds {self._choice}, not {choice}: one process has one model'
            )
        self._users += 1
        model = self._model
        form = 'stream' if isinstance(model.pipeline, StreamPipeline) else 'clip'
        facts = model.name, model.licence, str(model.device), form
        return ModelFacts(*facts, model.recogniser, model.known_actions())

    def _release(self) -> None:
        from mgpt3_ros.model.devices import return_memory  # beside torch, as in _load

        self._users -= 1
        if self._users > 0:
            return
        self._model = self._choice = None
        gc.collect()
        return_memory()

    def _run(self, call: Callable[[MotionGPT3, Job[T]], T], job: Job[T]) -> T:
        if self._model is None:
            raise GenerationError('no model is loaded')
        try:
            return call(self._model, job)
        except Exception as error:
            raise self._said(error) from None

    def _work(self, call: Callable[[MotionGPT3, Job[T]], Work[T]], job: Job[T]) -> Work[T]:
        if self._model is None:
            raise GenerationError('no model is loaded')
        return call(self._model, job)

    def _draw(self, jobs: list[Job[Any]]) -> None:
        """Draw for jobs of :meth:`draw` as one batch."""
        from mgpt3_ros.model.pipelines.together import draw_together

        begun: list[Job[Any]] = []
        works: list[Work[Any]] = []
        for job in jobs:
            call = job.begin()
            if call is not None:
                try:
                    works.append(call(job))
                    begun.append(job)
                except Exception as error:
                    job.end(error)
        if self._model is None:
            return  # every work has said so
        self.drawn_together = max(self.drawn_together, len(works))

        def done(number: int, outcome: Any) -> None:
            begun[number].end(self._said(outcome) if isinstance(outcome, Exception) else outcome)

        draw_together(self._model.pipeline, works, done)

    def _said(self, error: Exception) -> Exception:
        """The error as nodes are told it."""
        import torch

        if not isinstance(error, torch.cuda.OutOfMemoryError) or self._model is None:
            return error
        torch.cuda.empty_cache()
        return DeviceMemoryError(f'out of memory on {self._model.device}: {error}')
