# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A real Chromium without a window, driven over its DevTools protocol."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
FLAGS = (
    '--headless=new',
    '--no-sandbox',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--disable-component-update',
    '--no-first-run',
    '--use-angle=swiftshader',  # WebGL without a GPU
    '--enable-unsafe-swiftshader',
    '--hide-scrollbars',
    '--mute-audio',
    '--remote-debugging-port=0',
)
WAIT_S = 90.0  # software rendering of a scene takes seconds a picture on a busy machine


def find_browser() -> str:
    """The program; skips where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip('no Chromium: install the package chromium, or Google Chrome')
    return found


class Browser:
    """A process of Chromium; pages are opened one by one."""

    def __init__(self, size: tuple[int, int] = (700, 500), scale: float = 0.5) -> None:
        """Start it; ``scale`` is pixels drawn for each of ``size``, as they cost CPU time."""
        self._folder = tempfile.mkdtemp(prefix='chromium-')
        self._process = subprocess.Popen(
            [
                *(find_browser(), *FLAGS, f'--user-data-dir={self._folder}'),
                f'--window-size={size[0]},{size[1]}',
                f'--force-device-scale-factor={scale}',
                'about:blank',
            ],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:  # it says so when it listens
            if 'DevTools listening on' in line:
                self._address = line.rsplit(maxsplit=1)[-1]
                break
        else:
            raise RuntimeError('Chromium did not start')
        self._pages: list[Page] = []

    def open(self, url: str) -> Page:
        """A new page at ``url``."""
        with _Socket(self._address) as socket:
            made = socket.call('Target.createTarget', url='about:blank')
        base = self._address.split('/devtools')[0]
        page = Page(f'{base}/devtools/page/{made["targetId"]}')
        self._pages.append(page)
        page.go(url)
        return page

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        for page in self._pages:
            page.close()
        self._process.terminate()
        self._process.wait(30)
        assert self._process.stderr is not None
        self._process.stderr.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class _Socket:
    """Calls and their answers; events are kept."""

    def __init__(self, address: str) -> None:
        from websockets.sync.client import connect

        self._connection = connect(address, max_size=None, open_timeout=30, ping_interval=None)
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> _Socket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._connection.send(json.dumps({'id': number, 'method': method, 'params': parameters}))
        while True:
            answer = json.loads(self._connection.recv(timeout=WAIT_S))
            if answer.get('id') == number:
                assert 'error' not in answer, answer
                return answer['result']
            if 'method' in answer:
                self.events.append(answer)


class Page:
    """A page: what it asked the network for, what it shows, and hands on it."""

    def __init__(self, address: str) -> None:
        self.socket = _Socket(address)
        self.closed = False
        for domain in ('Page', 'Runtime', 'Network'):
            self.socket.call(f'{domain}.enable')

    def go(self, url: str) -> None:
        self.socket.call('Page.navigate', url=url)

    def close(self) -> None:
        if not self.closed:
            self.socket.call('Page.close')
            self.socket.close()
        self.closed = True

    def evaluate(self, code: str) -> Any:
        """The value of JavaScript; a promise is waited for."""
        answer = self.socket.call(
            'Runtime.evaluate', expression=code, awaitPromise=True, returnByValue=True
        )
        assert 'exceptionDetails' not in answer, answer['exceptionDetails']
        return answer['result'].get('value')

    def wait(self, condition: str) -> Any:
        """Wait until JavaScript is true of the page; return its value."""
        code = f"""new Promise((done, fail) => {{
            const late = Date.now() + {1000 * WAIT_S - 5000};
            const look = () => {{
                let value;
                try {{ value = ({condition}); }} catch (error) {{ value = undefined; }}
                if (value) done(typeof value === 'object' ? true : value);
                else if (Date.now() > late) fail(new Error('not so: ' + document.body.innerText));
                else setTimeout(look, 50);
            }};
            look();
        }})"""
        return self.evaluate(code)

    def wait_for_text(self, words: str) -> None:
        self.wait(f'document.body.innerText.includes({json.dumps(words)})')

    def type(self, label: str, text: str) -> None:
        """Put text into the input that ``label`` stands before."""
        self.evaluate(f'({_INPUT})({json.dumps(label)}).focus()')
        self.evaluate(f'({_INPUT})({json.dumps(label)}).select()')
        self.socket.call('Input.insertText', text=text)

    def click(self, words: str) -> None:
        """Click the button that shows ``words``."""
        self.wait(f'({_BUTTON})({json.dumps(words)})')
        self.evaluate(f'({_BUTTON})({json.dumps(words)}).click()')

    def picture(self, path: Path | None = None) -> np.ndarray:
        """What it shows, (H, W, 3) uint8 RGB; also written to ``path``."""
        data = base64.b64decode(self.socket.call('Page.captureScreenshot')['data'])
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        image = decoded[..., ::-1]
        if path is not None:
            cv2.imwrite(str(path), image[..., ::-1])
        return image

    def drawn_picture(self) -> np.ndarray:
        """What it shows once all that has come from the server so far is drawn.

        The scene is brought up to date by one animation frame and drawn by the next.
        """
        frames = 'requestAnimationFrame(() => requestAnimationFrame(done))'
        self.evaluate(f'new Promise((done) => {frames})')
        return self.picture()

    @property
    def requests(self) -> list[str]:
        """Addresses that it asked for, those inside itself (data:, blob:) left out."""
        self.evaluate('1')  # events that are under way come before the answer
        asked = [
            event['params'].get('request', event['params']).get('url', '')
            for event in self.socket.events
            if event['method'] in ('Network.requestWillBeSent', 'Network.webSocketCreated')
        ]
        return [url for url in asked if not url.startswith(('data:', 'blob:'))]

    @property
    def faults(self) -> list[str]:
        """Exceptions of the page's own code."""
        self.evaluate('1')
        return [
            str(event['params']['exceptionDetails'])
            for event in self.socket.events
            if event['method'] == 'Runtime.exceptionThrown'
        ]


_INPUT = """label => {
    const named = [...document.querySelectorAll('label')].find(
        (each) => each.innerText.trim() === label);
    let row = named;
    while (row && !row.querySelector('input, textarea')) row = row.parentElement;
    return row.querySelector('input, textarea');
}"""
_BUTTON = """words => [...document.querySelectorAll('button')].find(
    (each) => each.innerText.trim() === words)"""
