# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A page of `mgpt3 view` in this process, with the shipped model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from mgpt3_ros.model import MotionGPT3
from mgpt3_ros.model.motion import Motion

pytest.importorskip('viser', reason='the extra view is not installed')

from mgpt3_ros.view.panel import Panel
from mgpt3_ros.view.server import start_server, stop_server
from mgpt3_ros.view.studio import Studio


@pytest.fixture(scope='session')
def model() -> MotionGPT3:
    torch.set_num_threads(1)
    return MotionGPT3.from_pretrained(device='cpu')


@pytest.fixture(scope='session')
def walk(model: MotionGPT3) -> Motion:
    text = 'a person walks forward and turns left'
    return model.generate(text, 4.0, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def show() -> Iterator[Callable[..., Panel]]:
    """Serve a panel on any port; ``panel.server`` is its server."""
    open_panels: list[Panel] = []

    def made(load: Callable[[], MotionGPT3], *motions: Motion) -> Panel:
        panel = Panel(start_server(), Studio(load), motions)
        open_panels.append(panel)
        return panel

    yield made
    for panel in open_panels:
        panel.close()
        stop_server(panel.server)
