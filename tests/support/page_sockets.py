# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a page says on its socket, for tests without a browser."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import viser

from mgpt3_ros.view.choice_list import ChoiceList

PAGE: dict[str, Any] = {'subprotocols': [f'viser-v{viser.__version__}'], 'max_size': None}
CAMERA = {  # what a page tells first of all: until then the server does not count it
    'wxyz': (1.0, 0.0, 0.0, 0.0),
    'position': (4.0, 0.0, 1.0),
    'fov': 0.6,
    'near': 0.1,
    'far': 100.0,
    'image_height': 100,
    'image_width': 100,
    'look_at': (0.0, 0.0, 1.0),
    'up_direction': (0.0, 0.0, 1.0),
}


def choose(page: Any, choices: ChoiceList, name: str) -> None:
    """Choose in a list of a page; wait until the server has heard it."""
    heard = threading.Event()

    @choices._list.on_update
    async def _(event: Any) -> None:
        if event.client is not None:
            heard.set()

    change = {'uuid': choices.uuid, 'updates': {'value': name}}
    page.send(msgspec.msgpack.encode({'type': 'GuiUpdateMessage', **change}))
    assert heard.wait(30)
