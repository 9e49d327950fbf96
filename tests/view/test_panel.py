# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page's server without a browser: nonsense on its socket, many generations, files."""

from __future__ import annotations

import gc
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import psutil
import pytest
from websockets.sync.client import connect

from mgpt3_ros.model import MotionGPT3
from mgpt3_ros.model.errors import RobotError, ViewError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.robots import Robot
from mgpt3_ros.view import exporting
from mgpt3_ros.view.choice_list import call_on_loop
from mgpt3_ros.view.panel import Panel
from mgpt3_ros.view.robot_choice import NOBODY
from mgpt3_ros.view.server import address_of, start_server, stop_server
from mgpt3_ros.view.stage import CAMERA_FROM
from tests.support.page_sockets import CAMERA, PAGE, choose
from tests.support.robots import tin_man

Show = Callable[..., Panel]


def generated(panel: Panel, text: str) -> None:
    """Generate as the page's button does; wait until the worker has shown it."""
    over = threading.Event()
    end = panel._end

    def told(*arguments: Any) -> None:
        end(*arguments)
        over.set()

    panel._end = told  # type: ignore[method-assign]
    panel._text.value = text
    panel._on_generate(None)
    assert over.wait(60)
    panel._end = end  # type: ignore[method-assign]


def test_twenty_generations_do_not_grow(show: Show, model: MotionGPT3) -> None:
    panel = show(lambda: model)
    panel._draws.value = 2
    buffer = panel.server._websock_server._broadcast_buffer

    def size() -> tuple[int, int]:
        with panel._lock:
            panel.controls.advance(0.05)  # every joint has been told its place
        panel.server._run_garbage_collector()
        gc.collect()
        return len(buffer.message_from_id), psutil.Process().memory_info().rss

    for _ in range(3):
        generated(panel, 'a person walks forward')
    messages, memory = size()
    for number in range(20):
        generated(panel, ('wave with both hands', 'take a deep bow')[number % 2])
    after, grown = size()
    assert after <= 1.1 * messages
    assert grown - memory < 60e6
    assert len(panel._stage.actors) == 2


@pytest.mark.parametrize(
    'data',
    [
        b'',
        b'\x00garbage',
        'a text',
        msgspec.msgpack.encode({'type': 'NoSuchMessage'}),
        msgspec.msgpack.encode({'type': 'GuiUpdateMessage', 'uuid': 7, 'updates': 'x'}),
        msgspec.msgpack.encode({'type': 'GuiUpdateMessage'}),
        msgspec.msgpack.encode({'type': 'ShareUrlRequest'}),
        msgspec.msgpack.encode([1, 2, 3]),
    ],
    ids=range(8),
)
def test_nonsense_on_the_socket_leaves_no_traceback(
    data: bytes | str,
    show: Show,
    model: MotionGPT3,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    panel = show(lambda: model)
    address = address_of(panel.server).replace('http', 'ws')
    with connect(address, **PAGE) as page:
        page.recv(timeout=30)
        page.send(data)
    with connect(address, **PAGE) as page:
        page.recv(timeout=30)  # it still serves
    generated(panel, 'a person walks forward')
    said = capfd.readouterr()
    assert 'Traceback' not in said.err + said.out
    assert all(record.exc_info is None for record in caplog.records if record.name != 'asyncio')
    assert panel.server.request_share_url() is None


def test_what_is_seen_in_a_motion_is_told_with_its_confidence(
    show: Show, model: MotionGPT3
) -> None:
    panel = show(lambda: model)
    panel._seed.value = '1'
    generated(panel, 'a person walks forward for 4 seconds')
    assert re.fullmatch(r'[\d.]+ s, seed 1; seen as walk \(\d+%\).*', panel._status.content)


def test_draws_stand_side_by_side_in_sight(show: Show, model: MotionGPT3) -> None:
    panel = show(lambda: model)
    near = np.linalg.norm(panel.server.initial_camera.position)
    panel._draws.value = 3
    generated(panel, 'take a deep bow')
    starts = [actor.clip.path[0, 1] for actor in panel._stage.actors.values()]
    np.testing.assert_allclose(np.diff(starts), -1.4, atol=0.3)
    assert np.linalg.norm(panel.server.initial_camera.position) > 1.4 * near


def test_a_page_that_has_not_told_its_camera_yet_stops_nothing(
    show: Show, model: MotionGPT3, walk: Motion
) -> None:
    class Silent:
        @property
        def camera(self) -> Any:
            raise AssertionError  # as viser's, before its first message

    stage = show(lambda: model, walk, walk)._stage
    stage.remove('body1')
    stage.step_back([Silent()])
    assert np.linalg.norm(stage.server.initial_camera.position) == pytest.approx(
        np.linalg.norm(CAMERA_FROM)
    )


def test_wrong_input_is_told_on_the_page(show: Show, model: MotionGPT3, walk: Motion) -> None:
    panel = show(lambda: model)
    panel._seed.value = 'many'
    panel._guarded(panel._on_generate)(None)
    assert "seed 'many': give a whole number" in panel._status.content
    panel._guarded(panel._on_predict)(None)
    assert 'no motion yet' in panel._status.content
    panel._seed.value = ''
    for text, said in ((' ', 'the text is empty'), ('fly to the moon', 'I do not know')):
        panel._text.value = text
        panel._guarded(panel._on_generate)(None)
        assert said in panel._status.content
    panel._as_is.value = True
    generated(panel, 'fly to the moon for 300 seconds')
    assert panel._stage.actors


def test_ghosts_follow_and_a_take_may_be_shown_again(
    show: Show, model: MotionGPT3, walk: Motion
) -> None:
    panel = show(lambda: model, walk)
    over = threading.Event()
    end = panel._end
    panel._end = lambda *a: (end(*a), over.set())  # type: ignore[method-assign,func-returns-value]
    panel._on_predict(None)
    assert over.wait(60)
    ghosts = [actor for actor in panel._stage.actors.values() if actor.ghost]
    assert len(ghosts) == 3
    assert all(ghost.start_s == walk.duration_s for ghost in ghosts)
    assert panel._stage.duration_s > walk.duration_s + 1.5
    panel._on_choice(panel._takes.value)
    assert list(panel._stage.actors) == ['body0']


def test_one_motion_of_the_list_goes_over_into_another(
    show: Show, model: MotionGPT3, walk: Motion
) -> None:
    panel = show(lambda: model, walk)
    generated(panel, 'take a deep bow for 3 seconds')
    first, bow = panel.studio.takes
    with connect(address_of(panel.server).replace('http', 'ws'), **PAGE) as page:
        page.recv(timeout=30)
        page.send(msgspec.msgpack.encode({'type': 'ViewerCameraMessage', **CAMERA}))
        choose(page, panel._after, bow.name)
    panel._on_choice(first.name)
    over = threading.Event()
    end = panel._end
    panel._end = lambda *a: (end(*a), over.set())  # type: ignore[method-assign,func-returns-value]
    panel._on_inbetween(None)
    assert over.wait(60)
    words = [text for _, text in panel._stage.actors['body0'].clip.parts]
    assert words == [
        'a person walks forward and turns left',
        '(in between)',
        bow.motion.info['text'],
    ]
    assert panel.controls._time.max > walk.duration_s + 3.0


def test_a_choice_at_the_instant_a_generation_ends_is_not_lost(
    show: Show, model: MotionGPT3, walk: Motion
) -> None:
    panel = show(lambda: model, walk)
    (first,) = panel.studio.takes
    generated(panel, 'take a deep bow for 2 seconds')
    restaged, restage = threading.Event(), panel._restage
    with connect(address_of(panel.server).replace('http', 'ws'), **PAGE) as page:
        page.recv(timeout=30)
        page.send(msgspec.msgpack.encode({'type': 'ViewerCameraMessage', **CAMERA}))
        with panel._lock:  # as the worker has it while it shows what it has drawn
            choose(page, panel._takes, first.name)
            panel._shown = [panel.studio.keep(walk.crop(0, 20))]
            panel._restage()
            panel._restage = lambda: (restage(), restaged.set())  # type: ignore
        assert restaged.wait(30)
    assert panel._shown == [first]
    assert panel._stage.duration_s == pytest.approx(walk.duration_s, abs=0.06)
    told = threading.Event()
    call_on_loop(panel.server, told.set)  # after what the lists were told
    assert told.wait(30)
    assert panel._takes.value == first.name


def test_a_robot_that_cannot_be_had_takes_no_later_choice_away(
    show: Show, model: MotionGPT3, walk: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = show(lambda: model, walk)
    choice, chosen, shown = panel._robot, threading.Event(), threading.Event()
    missing, here = [name for name in choice._name._list.options if name != NOBODY][:2]
    robot = tin_man(tmp_path)

    def find(name: str) -> Robot:
        if name == here:
            return robot
        assert chosen.wait(30)
        raise RobotError(f'{name} is not here')

    monkeypatch.setattr(Robot, 'from_name_or_file', find)
    restage = panel._stage.step_back
    monkeypatch.setattr(
        panel._stage,
        'step_back',
        lambda clients: (restage(clients), shown.set() if choice.shown else None),
    )
    with connect(address_of(panel.server).replace('http', 'ws'), **PAGE) as page:
        page.recv(timeout=30)
        page.send(msgspec.msgpack.encode({'type': 'ViewerCameraMessage', **CAMERA}))
        choose(page, choice._name, missing)
        choose(page, choice._name, here)
        chosen.set()
        assert shown.wait(60)
    assert choice.shown is not None
    assert choice.shown.robot is robot
    assert choice._name.value == here


def test_path_contacts_and_the_camera_that_follows_or_stays(
    show: Show, model: MotionGPT3, walk: Motion
) -> None:
    panel = show(lambda: model, walk)
    actor, controls = panel._stage.actors['body0'], panel.controls
    with panel._lock:
        controls.player.play(False, walk.duration_s)
        controls.player.seek(3.0)
        controls.advance(0.0)
        assert not actor._path.visible
        followed = np.array(panel._stage.world.position)
        np.testing.assert_allclose(followed, -actor.clip.focus(3.0), atol=1e-6)
        controls.show_path_and_contacts()
        controls._follow.value = False
        controls.player.seek(1.5)
        controls.advance(0.0)
        assert actor._path.visible
        assert [mark.visible for mark in actor._contacts] == list(actor.clip.standing(1.5))
        np.testing.assert_array_equal(panel._stage.world.position, followed)  # it stays
        assert '**a person walks forward and turns left**' in controls._words.content
        # The caption goes along above the head, whatever the camera does.
        assert actor._label.text == 'a person walks forward and turns left'
        np.testing.assert_allclose(actor._label.position, actor.clip.pose(1.5).top, atol=1e-6)


def test_speed_and_loop_are_those_of_the_page(show: Show, model: MotionGPT3, walk: Motion) -> None:
    controls = show(lambda: model, walk).controls
    controls._speed.value, controls._loop.value = '0.25x', False
    assert (controls.player.speed, controls.player.looping) == (0.25, False)
    controls._speed.value, controls._loop.value = '2x', True
    assert (controls.player.speed, controls.player.looping) == (2.0, True)


def test_a_time_that_a_page_asks_for_is_not_lost_to_the_clock(
    show: Show, model: MotionGPT3, walk: Motion
) -> None:
    panel = show(lambda: model, walk)
    controls, heard = panel.controls, threading.Event()
    address = address_of(panel.server).replace('http', 'ws')
    with connect(address, **PAGE) as page:
        page.recv(timeout=30)
        page.send(msgspec.msgpack.encode({'type': 'ViewerCameraMessage', **CAMERA}))
        with panel._lock:  # nobody else moves on meanwhile
            controls.player.play(False, walk.duration_s)
            line = controls._time

            @line.on_update
            async def _(event: Any) -> None:
                if event.client is not None:
                    heard.set()

            change = {'uuid': line._impl.uuid, 'updates': {'value': 2.5}}
            page.send(msgspec.msgpack.encode({'type': 'GuiUpdateMessage', **change}))
            assert heard.wait(30)
            controls.advance(0.0)  # the clock looks before anything else does
            assert controls.player.time_s == 2.5


@pytest.mark.parametrize('kind', exporting.KINDS)
def test_every_kind_of_file_can_be_kept(
    kind: str, show: Show, model: MotionGPT3, walk: Motion
) -> None:
    panel = show(lambda: model, walk.crop(0, 10))
    kept: dict[str, bytes] = {}
    client = SimpleNamespace(
        send_file_download=lambda name, content, save_immediately: kept.update({name: content})
    )
    panel._kind.value = kind
    panel._on_save(SimpleNamespace(client=client))
    begins = {
        'npz': b'PK', 'bvh': b'HIERARCHY', 'glb': b'glTF', 'vrma': b'glTF', 'html': b'<!doctype',
    }  # fmt: skip
    content = kept[f'motion.{kind}']
    assert content[:9].lower().startswith(begins.get(kind, b'\0\0\0').lower())
    assert len(content) > 1000


def test_a_port_in_use_is_said() -> None:
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ViewError, match=f'port {port} of 127.0.0.1 is in use: give another'):
            start_server(port=port)
    with pytest.raises(ViewError, match='give a number from 0 to 65535'):
        start_server(port=70000)
    with pytest.raises(ViewError, match='cannot be listened on'):
        start_server(host='192.0.2.1')


def test_the_server_is_this_machines_alone(capfd: pytest.CaptureFixture[str]) -> None:
    server = start_server()
    assert address_of(server).startswith('http://127.0.0.1:')
    stop_server(server)
    assert capfd.readouterr().out == ''
