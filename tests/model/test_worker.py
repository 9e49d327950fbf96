# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
import threading

import pytest

from mgpt3_ros.model.errors import Cancelled, GenerationError
from mgpt3_ros.model.worker import Worker

LONG_S = 10.0


@pytest.fixture
def worker():
    made = Worker()
    yield made
    assert made.close(LONG_S)


def test_jobs_run_in_order_on_one_other_thread(worker):
    seen = []
    jobs = [
        worker.submit(lambda job, n=n: seen.append((n, threading.get_ident()))) for n in range(20)
    ]
    for job in jobs:
        job.result(LONG_S)
    assert [number for number, _ in seen] == list(range(20))
    assert {thread for _, thread in seen} not in ({threading.get_ident()}, set())
    assert len({thread for _, thread in seen}) == 1


def test_a_result_wakes_the_caller(worker):
    woken = threading.Event()
    job = worker.submit(lambda job: 6 * 7, woken.set)
    assert woken.wait(LONG_S)
    assert job.done()
    assert job.result() == 42


def test_a_job_is_stopped_at_its_next_step(worker):
    started = threading.Event()

    def endless(job):
        started.set()
        while not job.should_stop():
            job.report(0.5)
        raise Cancelled('stopped')

    job = worker.submit(endless)
    assert started.wait(LONG_S)
    job.stop()
    with pytest.raises(Cancelled):
        job.result(LONG_S)
    assert job.progress == 0.5


def test_a_job_stopped_before_its_turn_is_never_begun(worker):
    gate, ran = threading.Event(), []
    worker.submit(lambda job: gate.wait(LONG_S))
    job = worker.submit(lambda job: ran.append(1))
    job.stop()
    gate.set()
    assert isinstance(job.exception(LONG_S), Cancelled)
    assert ran == []


def test_errors_are_kept_and_the_thread_lives_on(worker):
    def foreseen(job):
        raise GenerationError('NaN')

    def unforeseen(job):
        return {}['missing']

    one, two = worker.submit(foreseen), worker.submit(unforeseen)
    assert isinstance(two.exception(LONG_S), KeyError)
    assert (str(one.exception()), one.trace) == ('NaN', '')
    assert 'unforeseen' in two.trace
    assert two.exception().__traceback__ is None  # frames would keep the model's tensors alive
    assert worker.submit(lambda job: 'alive').result(LONG_S) == 'alive'


def test_a_wake_that_fails_does_not_end_the_thread(worker):
    def broken():
        raise RuntimeError('the node is gone')

    worker.submit(lambda job: 1, broken)
    assert worker.submit(lambda job: 2).result(LONG_S) == 2


def test_closing_stops_the_running_job_and_those_that_wait():
    worker = Worker()
    started = threading.Event()

    def until_stopped(job):
        started.set()
        while not job.should_stop():
            pass
        raise Cancelled('stopped')

    running, waiting = worker.submit(until_stopped), worker.submit(lambda job: 1)
    assert started.wait(LONG_S)
    assert worker.close(LONG_S)
    assert isinstance(running.exception(), Cancelled)
    assert isinstance(waiting.exception(), Cancelled)


def test_closing_reports_a_thread_that_cannot_be_stopped():
    worker, started, gate = Worker(), threading.Event(), threading.Event()

    def native(job):
        started.set()
        gate.wait(LONG_S)

    worker.submit(native)
    assert started.wait(LONG_S)
    assert not worker.close(0.01)
    gate.set()
    assert worker.close(LONG_S)
