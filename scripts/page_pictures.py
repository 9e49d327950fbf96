# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Take the pictures of docs/view.md in a real browser: ``python -m scripts.page_pictures``."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mgpt3_ros.model import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.robots import Robot
from mgpt3_ros.view.page import write_page
from mgpt3_ros.view.panel import Panel
from mgpt3_ros.view.server import address_of, start_server, stop_server
from mgpt3_ros.view.studio import Studio

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / 'docs' / 'images'
SIZE = (1000, 720)
_COLOURFUL = 150  # pixels
NOTICE = '.mantine-Notification-closeButton'  # the browser draws in software, viser says


def main() -> None:
    """Write docs/images/view.jpg, page.jpg and, where its model is, robot_page.jpg."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    from tests.support.browser import Browser

    model = MotionGPT3.from_pretrained(device='cpu')
    said = 'walk forward for 3 seconds, then wave with both hands, then bow'
    motion = model.generate_sequence(said, generator=noise_source(4))
    with Browser(SIZE, scale=1.0) as browser:
        panel = Panel(start_server(), Studio(lambda: model), [motion])
        page = _opened(browser, address_of(panel.server))
        page.click('Pause')
        panel.controls.player.seek(5.5)
        panel.controls.show_path_and_contacts()
        _shoot(page, 'view.jpg')
        panel.close()
        stop_server(panel.server)
        page.close()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'walk.html'
            write_page(path, motion)
            _shoot(_opened(browser, path.as_uri()), 'page.jpg')
            write_page(path, motion, robot=Robot.from_name_or_file('g1'))
            _shoot(_opened(browser, path.as_uri()), 'robot_page.jpg')


def _opened(browser: Any, url: str) -> Any:
    page = browser.open(url)
    page.wait(f"document.querySelector('{NOTICE}')")
    page.evaluate(f"document.querySelector('{NOTICE}').click()")
    page.wait(f"!document.querySelector('{NOTICE}')")
    return page


def _shoot(page: Any, name: str) -> None:
    """Take a picture once the body is there in all its colours: a scene fades in."""
    colourful = 0
    while colourful < _COLOURFUL:
        image = np.ascontiguousarray(page.picture()[..., ::-1])
        left = image[:, : SIZE[0] // 2].astype(int)
        colourful = int(np.sum(left[..., 2] - left[..., 0] > 140))  # the orange of its limbs
    cv2.imwrite(str(IMAGES / name), image, [cv2.IMWRITE_JPEG_QUALITY, 80])
    print(IMAGES / name)


if __name__ == '__main__':
    main()
