# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several works that each ask for motions as they go, and what they ask for drawn as one batch.

A work is a generator: it yields a :class:`Request` and is sent what was drawn. Alone it is served
at once; of several, requests that fit are answered by one pass of the network. What a work gets is
the same either way, to rounding: each has noise of its own, and what goes wrong in one (words
that no model can draw, a motion that no body can do) is raised in that work alone.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from mgpt3_ros.model.errors import Cancelled, MotionGPT3Error

if TYPE_CHECKING:
    import torch

    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.pipelines.base import Pipeline
    from mgpt3_ros.model.sampling import SamplingOptions

_LOG = logging.getLogger(__name__)

T = TypeVar('T')
Outcome: TypeAlias = Any  # what a request or a work gives, or the exception that it ends with


class Request(ABC):
    """Something that a work wants drawn, of a kind that knows how to draw many."""

    @abstractmethod
    def key(self) -> Hashable:
        """What requests that can be drawn as one batch have in common."""

    @abstractmethod
    def drawn(self, pipeline: Pipeline, requests: Sequence[Any]) -> list[Outcome]:
        """What comes of each of ``requests``, this one among them, drawn as one batch.

        Raises:
            Exception: the batch failed as a whole; every request is as it was before.
        """


Work: TypeAlias = Generator[Request, Any, T]


@dataclass(frozen=True)
class Texts(Request):
    """Motions of texts, as :meth:`Pipeline.generate` draws them.

    texts: that have one length and one source of noise. duration_s: of each [s]; None: what text
    and model say. spare_s: what is drawn beyond it [s].
    """

    texts: tuple[str, ...]
    duration_s: float | None
    sampling: SamplingOptions
    spare_s: float = 0.0

    def key(self) -> Hashable:
        """How they are drawn; requests without a source of noise of their own stay alone."""
        how = self.sampling
        alone = id(self) if how.generator is None else None
        return Texts, how.guidance_scale, how.num_inference_steps, how.temperature, alone

    def drawn(self, pipeline: Pipeline, requests: Sequence[Texts]) -> list[Outcome]:
        """The motions of each request, or why there are none."""
        if len(requests) == 1:
            spare_s = [self.spare_s] * len(self.texts)
            return [pipeline.generate(self.texts, self.duration_s, self.sampling, spare_s)]
        sources = [request.sampling.generator for request in requests]
        with as_before([source for source in sources if source is not None]):
            return self._batch(pipeline, requests)

    def _batch(self, pipeline: Pipeline, requests: Sequence[Texts]) -> list[Outcome]:
        rows = [(request, text) for request in requests for text in request.texts]
        jobs = [request.sampling for request in requests]

        def should_stop() -> bool:
            return all(job.should_stop is not None and job.should_stop() for job in jobs)

        def on_progress(share: float) -> None:
            for job in jobs:
                if job.on_progress is not None:
                    job.on_progress(share)

        sources = [request.sampling.generator for request, _ in rows]
        each = pipeline.generate_each(
            [text for _, text in rows],
            [request.duration_s for request, _ in rows],
            replace(
                self.sampling,
                generator=None,
                generators=[source for source in sources if source is not None],
                should_stop=should_stop,
                on_progress=on_progress,
            ),
            [request.spare_s for request, _ in rows],
        )
        outcomes: list[Outcome] = []
        for request in requests:
            own, each = each[: len(request.texts)], each[len(request.texts) :]
            outcomes.append(self._outcome(request, own))
        return outcomes

    @staticmethod
    def _outcome(request: Texts, own: Sequence[tuple[Motion, Exception | None]]) -> Outcome:
        should_stop = request.sampling.should_stop
        if should_stop is not None and should_stop():
            return Cancelled('stopped while it was drawn with others')
        refused = [reason for _, reason in own if reason is not None]
        return refused[0] if refused else [motion for motion, _ in own]


@contextmanager
def as_before(sources: Sequence[torch.Generator]) -> Iterator[None]:
    """Set sources of noise back to where they were, where what happens inside fails."""
    states = [source.get_state() for source in sources]
    try:
        yield
    except BaseException:  # also where somebody interrupts it
        for source, state in zip(sources, states, strict=True):
            source.set_state(state)
        raise


def draw_together(
    pipeline: Pipeline, works: Sequence[Work[Any]], done: Callable[[int, Outcome], None]
) -> None:
    """Go through all works, their requests drawn in batches as far as they fit.

    Args:
        pipeline: draws.
        works: that have not begun.
        done: told the number of a work and what it gave, or the exception that it ended with, as
            soon as it has ended.
    """
    asked: dict[int, Request] = {}

    def go_on(number: int, answer: Outcome) -> None:
        asked.pop(number, None)
        try:
            if isinstance(answer, Exception):
                asked[number] = works[number].throw(answer)
            else:
                asked[number] = works[number].send(answer)
        except StopIteration as end:
            done(number, end.value)
        except Exception as error:
            done(number, error)

    for number in range(len(works)):
        go_on(number, None)
    while asked:
        first = next(iter(asked.values()))
        alike = [n for n, one in asked.items() if pipeline.batches and one.key() == first.key()]
        numbers = alike or [next(iter(asked))]
        outcomes = _answers(pipeline, [asked[number] for number in numbers])
        for number, outcome in zip(numbers, outcomes, strict=True):
            go_on(number, outcome)


def _answers(pipeline: Pipeline, requests: list[Request]) -> list[Outcome]:
    """What comes of requests of one key; where the batch fails, each is drawn by itself.

    What one request alone is to blame for is told to its work; of anything else, which the others
    would hide by being drawn, the log tells.
    """
    try:
        return requests[0].drawn(pipeline, requests)
    except Exception as error:
        if len(requests) == 1:
            return [error]
        if not isinstance(error, MotionGPT3Error):
            _LOG.warning('%d motions are drawn one by one: %r', len(requests), error)
        return [_answers(pipeline, [request])[0] for request in requests]


def draw_alone(pipeline: Pipeline, work: Work[T]) -> T:
    """Go through one work.

    Raises:
        Exception: what the work raises.
    """
    outcomes: list[Outcome] = []
    draw_together(pipeline, [work], lambda _, outcome: outcomes.append(outcome))
    if isinstance(outcomes[0], Exception):
        raise outcomes[0]
    result: T = outcomes[0]
    return result
