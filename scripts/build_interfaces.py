#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Build ``interfaces/`` (mgpt3_interfaces) into a Python environment that has the wheels of ROS 2.

Where ROS 2 is sourced, colcon builds it beside mgpt3_ros and this is not needed. Run it with the
environment's own Python: ``.venv/bin/python scripts/build_interfaces.py``. Needed: cmake and a C++
compiler. Nothing is done a second time while the definitions stay the same.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / 'interfaces'
NEEDED = ('cmake', 'c++')
WITHOUT = (
    'going without mgpt3_interfaces; nodes work with topics alone. Later: '
    '.venv/bin/python scripts/build_interfaces.py'
)
# Where the wheels of messages were built: their exports name headers by these paths.
_BUILDER = '/'.join(('', 'opt', 'python', ''))
_BAKED = re.compile(rf'{_BUILDER}[^;"\s]*?/(?:include/python[\d.]+|numpy/_?core/include)')


class BuildError(Exception):
    """The interfaces cannot be built; the message says what to do."""


def fingerprint() -> str:
    """Return a hash of the definitions."""
    digest = hashlib.sha256()
    for path in sorted(path for path in SOURCE.rglob('*') if path.is_file()):
        digest.update(path.relative_to(SOURCE).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def correct_exports(prefix: Path) -> int:
    """Have the wheels' CMake exports name this environment's headers; return how many changed."""
    import numpy as np

    places = {'python': sysconfig.get_path('include'), 'numpy': np.get_include()}
    changed = 0
    for path in prefix.glob('share/*/cmake/*.cmake'):
        text = path.read_text(encoding='utf-8')
        new = _BAKED.sub(lambda m: places['numpy' if 'numpy' in m[0] else 'python'], text)
        if new != text:
            path.write_text(new, encoding='utf-8')
            changed += 1
    return changed


def build(prefix: Path) -> bool:
    """Build and install into ``prefix``; return whether there was anything to do.

    Raises:
        BuildError: a tool is missing.
        subprocess.CalledProcessError: cmake failed (it said why).
    """
    stamp = prefix / 'share' / 'mgpt3_interfaces' / 'built_from.txt'
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text(encoding='utf-8') == wanted:
        return False
    missing = [tool for tool in NEEDED if shutil.which(tool) is None]
    if missing:
        raise BuildError(
            f'{" and ".join(missing)} missing (on Debian and Ubuntu: apt install cmake g++): '
            f'{WITHOUT}'
        )
    if not (Path(sysconfig.get_path('include')) / 'Python.h').is_file():
        raise BuildError(
            f'Python.h is missing (on Debian and Ubuntu: apt install python3-dev): {WITHOUT}'
        )
    home = Path(sys.prefix)
    correct_exports(home)
    environment = {
        **os.environ,
        'AMENT_PREFIX_PATH': str(home),
        'LD_LIBRARY_PATH': f'{home / "lib"}:{os.environ.get("LD_LIBRARY_PATH", "")}',
        'PATH': f'{home / "bin"}:{os.environ["PATH"]}',
    }
    with tempfile.TemporaryDirectory() as folder:
        configure = ['cmake', '-S', str(SOURCE), '-B', folder, '-DBUILD_TESTING=OFF']
        configure += [f'-DCMAKE_INSTALL_PREFIX={prefix}', f'-DCMAKE_PREFIX_PATH={home}']
        configure += [f'-DPython3_EXECUTABLE={sys.executable}', '-DCMAKE_CXX_FLAGS=-O0']
        make = ['cmake', '--build', folder, '--target', 'install', '--parallel']
        for command in (configure, make):
            subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE)
    stamp.write_text(wanted, encoding='utf-8')
    return True


def main() -> int:
    """Parse the command line and build; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('prefix', nargs='?', type=Path, default=Path(sys.prefix))
    prefix = parser.parse_args().prefix.resolve()
    try:
        done = build(prefix)
    except BuildError as error:
        print(f'[interfaces] {error}', flush=True)
        return 1
    except subprocess.CalledProcessError as error:
        print(f'[interfaces] failed: {" ".join(error.cmd)}\n{error.stdout.decode()[-4000:]}')
        return 1
    print(f'[interfaces] mgpt3_interfaces is {"built" if done else "there"}: {prefix}', flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
