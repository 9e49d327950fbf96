#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Make ``.venv``, with everything that the package, its demo and its tests need.

ROS 2 comes from where it is: from the shell, if that has sourced a Jazzy (then the environment
sees the system's packages), else from PyPI's wheels of Jazzy. Nothing is done a second time: a
file in the environment says what it was made from.

Run it through ``make venv``, or by hand with any Python 3: ``python3 scripts/setup_venv.py``.
Environment variables: ``PYTHON`` (the interpreter to use) and ``TORCH_INDEX_URL`` (the index that
PyTorch comes from).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ((3, 11), (3, 12), (3, 13))
# ROS 2 Jazzy's own messages are built with NumPy 1.26, and its C parts see NumPy 2 differently.
JAZZY_CONSTRAINT = 'numpy<2'
_ENCODER = 'requirements/minilm.txt'


class SetupError(Exception):
    """The environment cannot be made; the message says what to do."""


def answers(python: str, code: str) -> bool:
    """Return whether the interpreter exists and runs ``code`` without an error."""
    try:
        done = subprocess.run([python, '-c', code], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def choose_python(need_rclpy: bool) -> str | None:
    """Return the first interpreter that fits: of a right version, with venv, with rclpy if asked.

    Args:
        need_rclpy: whether it must import the rclpy of the ROS 2 that the shell has sourced.
    """
    candidates = [f'python{major}.{minor}' for major, minor in reversed(PYTHONS)]
    candidates = ['python3', '/usr/bin/python3', *candidates]
    if os.environ.get('PYTHON'):
        candidates = [os.environ['PYTHON']]
    check = f'import sys, venv, ensurepip; assert sys.version_info[:2] in {PYTHONS}'
    if need_rclpy:
        check += '; import rclpy'
    for candidate in candidates:
        if answers(candidate, check):
            return candidate
    return None


def choose() -> tuple[str, str]:
    """Return the interpreter and where ROS 2 comes from: 'sourced', 'wheels' or 'none'.

    Raises:
        SetupError: another ROS than Jazzy is sourced, or no interpreter fits.
    """
    distro = os.environ.get('ROS_DISTRO', '')
    if distro and distro != 'jazzy':
        raise SetupError(
            f'ROS 2 {distro} is sourced in this shell, and mgpt3_ros is made for Jazzy: source '
            'that, or use a shell with no ROS (the wheels of Jazzy are then taken from PyPI).'
        )
    if distro:
        python = choose_python(need_rclpy=True)
        if python:
            return python, 'sourced'
        say('ROS_DISTRO is jazzy, but no Python here imports rclpy: taking the wheels instead')
    python = choose_python(need_rclpy=False)
    if python is None:
        asked = os.environ.get('PYTHON')
        raise SetupError(
            f'{asked} is no Python 3.11 to 3.13 with venv: choose another with PYTHON=...'
            if asked
            else 'no Python 3.11 to 3.13 with venv was found: install one (on Debian and Ubuntu: '
            'apt install python3 python3-venv) or name it with PYTHON=...'
        )
    if platform.system() == 'Linux' and platform.machine() == 'x86_64':
        return python, 'wheels'
    say('no ROS 2 Jazzy is sourced and its wheels are for x86-64 Linux only: going without ROS;')
    say('`mgpt3` works, the nodes do not. Source a Jazzy and run this again to have them.')
    return python, 'none'


def fingerprint(python: str, ros: str) -> str:
    """Return a text that changes whenever the environment must be made anew."""
    code = 'import sys; print(sys.version, sys.base_prefix)'
    version = subprocess.run([python, '-c', code], capture_output=True, text=True, check=True)
    digest = hashlib.sha256()
    described = sorted(path for path in (ROOT / 'interfaces').rglob('*') if path.is_file())
    for path in [*sorted((ROOT / 'requirements').glob('*.txt')), ROOT / 'setup.py', *described]:
        digest.update(path.read_bytes())
    lines = [
        f'place {ROOT}',
        f'python {version.stdout.strip()}',
        f'ros {ros}',
        f'torch index {os.environ.get("TORCH_INDEX_URL", "")}',
        f'requirements {digest.hexdigest()}',
    ]
    return '\n'.join(lines) + '\n'


def pip_steps(ros: str) -> list[tuple[str, list[str]]]:
    """Return what pip is asked for, in order: (what it is, arguments of ``pip install``)."""
    torch = ['-r', 'requirements/torch.txt']
    if os.environ.get('TORCH_INDEX_URL'):
        torch += ['--index-url', os.environ['TORCH_INDEX_URL']]
    needed = [
        'torch',
        'runtime',
        'bags',
        'eval',
        'language',
        'serve',
        'sim',
        'train',
        'view',
        'dev',
    ]
    needed += {'wheels': ['ros', 'interfaces', 'oracles'], 'none': ['oracles']}.get(ros, [])
    rest = [part for name in needed for part in ('-r', f'requirements/{name}.txt')]
    if ros == 'sourced':
        torch.append(JAZZY_CONSTRAINT)
        rest.append(JAZZY_CONSTRAINT)
    names = {'wheels': 'libraries and the wheels of ROS 2 Jazzy', 'sourced': 'libraries'}
    return [
        ('PyTorch', torch),
        (names.get(ros, 'libraries'), rest),
        # What it asks for is heavy, and of no use here.
        ('the sentence encoder', ['--no-deps', '--require-hashes', '-r', _ENCODER]),
        ('mgpt3_ros itself', ['--no-deps', '--no-build-isolation', '--editable', '.']),
    ]


def make(venv: Path) -> None:
    """Bring ``venv`` up to date; do nothing if it is.

    Raises:
        SetupError: it cannot be made.
        subprocess.CalledProcessError: pip or venv failed (they said why).
    """
    python, ros = choose()
    wanted, stamp = fingerprint(python, ros), venv / 'made_from.txt'
    found = stamp.read_text(encoding='utf-8') if stamp.is_file() else ''
    inner = venv / 'bin' / 'python'
    usable = 'from importlib.util import find_spec as f; assert f("torch") and f("mgpt3_ros")'
    if found == wanted and answers(str(inner), usable):
        return
    start = time.monotonic()
    # Another interpreter, another ROS or another place: nothing in it can be kept. A half-made
    # one (no stamp) or one with other requirements is completed.
    keep = not found or found.splitlines()[:3] == wanted.splitlines()[:3]
    if venv.exists() and not (keep and answers(str(inner), 'import pip')):
        shutil.rmtree(venv)
    stamp.unlink(missing_ok=True)
    say(f'making {venv} with {python}; ROS 2: {ros}')
    options = ['--system-site-packages'] if ros == 'sourced' else []
    subprocess.run([python, '-m', 'venv', *options, str(venv)], check=True)
    (venv / 'COLCON_IGNORE').touch()  # share/mgpt3_ros in it is no second package
    for what, arguments in pip_steps(ros):
        say(f'installing {what} ...')
        pip = [str(inner), '-m', 'pip', 'install', '-qq', '--disable-pip-version-check']
        # Compiling everything to bytecode takes longer than the demo: Python does it on import.
        subprocess.run([*pip, '--no-compile', *arguments], cwd=ROOT, check=True)
    if ros == 'wheels':
        # Of no use to more than actions: where a compiler is missing, it says so and goes on.
        subprocess.run([str(inner), 'scripts/build_interfaces.py'], cwd=ROOT, check=False)
    stamp.write_text(wanted, encoding='utf-8')
    say(f'{venv} is ready after {time.monotonic() - start:.0f} s')


def say(text: str) -> None:
    """Tell the user something, in order with what pip prints."""
    print(f'[setup] {text}', flush=True)


def main() -> int:
    """Parse the command line and make the environment; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('venv', nargs='?', type=Path, default=ROOT / '.venv')
    try:
        make(parser.parse_args().venv.resolve())
    except SetupError as error:
        say(str(error))
        return 1
    except subprocess.CalledProcessError as error:
        say(f'failed: {" ".join(map(str, error.cmd))}')
        say('its message stands above; after a broken download, run the same again')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
