# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: it loads nothing from outside, a sentence typed becomes a body."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from mgpt3_ros.model import MotionGPT3
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.view.page import write_page
from mgpt3_ros.view.panel import Panel
from mgpt3_ros.view.server import address_of
from tests.support.browser import Browser, Page
from tests.support.robots import tin_man

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
Show = Callable[..., Panel]
PROGRESS = "document.querySelector('[role=progressbar]')"
NOTICE = '.mantine-Notification-closeButton'


@pytest.fixture(scope='module')
def browser() -> Iterator[Browser]:
    with Browser() as started:
        yield started


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[[str], Page]]:
    pages: list[Page] = []

    def opened(url: str) -> Page:
        pages.append(browser.open(url))
        pages[-1].wait("document.querySelector('canvas')")
        # viser tells that the browser draws in software: that lies over the scene.
        pages[-1].wait(f"document.querySelector('{NOTICE}')")
        pages[-1].evaluate(f"document.querySelector('{NOTICE}').click()")
        pages[-1].wait(f"!document.querySelector('{NOTICE}')")
        return pages[-1]

    yield opened
    for page in pages:
        page.close()


def body_pixels(image: np.ndarray) -> int:
    """How many pixels have the orange and the blue of the limbs, not counting the panel."""
    scene = image[:, : int(0.52 * image.shape[1])].astype(int)
    red, green, blue = np.moveaxis(scene, -1, 0)
    orange = (red - blue > 80) & (red > green)
    return int(np.sum(orange | ((blue - red > 60) & (blue > green))))


def changed(image: np.ndarray, before: np.ndarray) -> int:
    """How many pixels are clearly others."""
    return int(np.sum(np.abs(image.astype(int) - before).max(axis=-1) > 40))


def drawn(page: Page, least: int) -> np.ndarray:
    """A picture of a scene whose body has so many pixels at least: it fades in."""
    while body_pixels(image := page.drawn_picture()) <= least:
        pass  # the test's timeout ends this
    return image


def test_a_sentence_typed_becomes_a_moving_body(
    show: Show, visit: Callable[[str], Page], model: MotionGPT3
) -> None:
    panel = show(lambda: model)
    address = address_of(panel.server)
    page = visit(address)
    page.wait_for_text('Command')
    assert body_pixels(page.picture()) < 10
    page.type('Command', 'wave with both hands')
    told = threading.Event()  # the page tells of what is typed a moment later
    panel._seed.on_update(lambda _: told.set())
    page.type('Seed', '3')
    assert told.wait(30)
    page.click('Generate')
    page.wait_for_text('s, seed 3')
    page.wait_for_text('wave with both hands')
    slider = f'({NUMBER})("Time")'
    first = page.evaluate(f'Number({slider}.value)')
    page.wait(f'Math.abs(Number({slider}.value) - {first}) > 0.5')  # it plays, over and over
    page.click('Pause')
    page.wait_for_text('Play')
    stands = panel.controls.player.time_s
    page.wait(f'Number({slider}.value) === {round(stands, 2)}')
    before = drawn(page, 200)
    # The time line: another moment is another picture, and the body stays there.
    asked = 1.0 if stands > 2.0 else 4.0
    sought, seek = threading.Event(), panel.controls.player.seek
    panel.controls.player.seek = lambda time_s: (seek(time_s), sought.set())  # type: ignore
    page.evaluate(f'{slider}.focus()')
    page.evaluate(f'{slider}.select()')
    page.socket.call('Input.insertText', text=str(asked))
    page.evaluate(f'{slider}.blur()')
    assert sought.wait(60)
    assert panel.controls.player.time_s == pytest.approx(asked, abs=0.06)
    page.wait(f'Number({slider}.value) === {asked}')
    while changed(page.drawn_picture(), before) <= 50:
        pass  # the server tells the page where the body is then; the test's timeout ends this
    assert panel.controls.player.time_s == pytest.approx(asked, abs=0.06)
    # Nothing came from outside.
    assert page.requests
    assert all(url.startswith((address, address.replace('http', 'ws'))) for url in page.requests)
    assert page.faults == []


NUMBER = """label => {
    let row = [...document.querySelectorAll('label')].find((e) => e.innerText.trim() === label);
    while (row && !row.querySelector('input[inputmode]')) row = row.parentElement;
    return row.querySelector('input[inputmode]');
}"""


def test_two_pages_see_the_same_and_a_page_may_be_closed_meanwhile(
    show: Show, visit: Callable[[str], Page], model: MotionGPT3, walk: Motion
) -> None:
    loaded = threading.Event()

    def load() -> MotionGPT3:
        assert loaded.wait(120)
        return model

    panel = show(load, walk)
    first, second = (visit(address_of(panel.server)) for _ in range(2))
    for page in (first, second):
        page.wait_for_text('walks forward and turns left')
    first.click('Generate')
    second.wait_for_text('drawing:')
    second.wait(PROGRESS)
    first.close()  # in the middle of a generation
    loaded.set()
    second.wait_for_text('s, seed')
    second.wait(f'!({PROGRESS})')
    # Stop: what is being drawn ends, and the page says so.
    loaded.clear()
    panel.studio.model = None  # it is loaded again
    second.click('Generate')
    second.wait_for_text('drawing:')
    second.click('Stop')
    loaded.set()
    second.wait_for_text('stopped')
    assert second.faults == []


def test_a_page_to_keep_plays_without_a_network(
    visit: Callable[[str], Page], walk: Motion, tmp_path: Path
) -> None:
    path = tmp_path / 'walk.html'
    write_page(path, walk)
    assert path.stat().st_size < 3_000_000
    page = visit(path.as_uri())
    assert page.evaluate('document.title') == walk.info['text']
    clock = "Number(document.querySelector('input[inputmode=decimal]').value)"
    begin = page.evaluate(clock)
    page.wait(f'Math.abs({clock} - {begin}) > 0.3')  # it plays by itself
    drawn(page, 100)
    assert page.requests == [path.as_uri()]
    assert page.faults == []


def test_a_robot_moves_in_the_place_of_the_human(
    visit: Callable[[str], Page], walk: Motion, tmp_path: Path
) -> None:
    path = tmp_path / 'robot.html'
    write_page(path, walk, robot=tin_man(tmp_path), robot_only=True)
    page = visit(path.as_uri())
    drawn(page, 40)  # bars, in the colours of its sides
    assert page.requests == [path.as_uri()]
    assert page.faults == []
