# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every command in the documents works: it is run where it can be, else read by its program."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.cli import main as cli
from mgpt3_ros.model import motiongpt3
from mgpt3_ros.model.errors import MotionGPT3Error
from mgpt3_ros.training import train
from mgpt3_ros.training.run_config import load_run_config
from tests.support import apart, fences, programs
from tests.support.bag_maker import stream, write_bag
from tests.support.tiny_humanml3d import write_tiny_humanml3d
from tests.support.tiny_pack import write_tiny_pack

ROOT = fences.ROOT
# `motion.joints  # (60, 22, 3) [m]`: such comments must be true.
SHAPE = re.compile(r'^(\S+) +# (\(\d+(?:, \d+)+\))', re.MULTILINE)
HAS_ROS = importlib.util.find_spec('rclpy') is not None
# Programs whose lines another test checks, the shell's own, and those that are the reader's own.
NODES = set(re.findall(r"'(\w+) = mgpt3_ros", (ROOT / 'setup.py').read_text())) - {'mgpt3'}
SHELL = {'cd', 'echo', 'export', 'printf', 'source', 'unset'}
OTHERS = {
    *('mkdir', 'git', 'ls', 'cat', 'bash', 'sudo', 'pip'),
    *('tensorboard', 'torchrun', 'sqlite3', 'zstd', 'nvidia-smi', 'colcon', 'cp', 'hf'),
    'blender',
    'ray',
}
QUICK = {'help', 'lint', 'docs'}  # targets of make that a test can run
LONGEST_S = 60.0  # of a command that is not marked
# A variable of make that documents give must be one that the Makefile reads.
MAKE_VARIABLE = re.compile(r'([A-Z_]+)=')


@pytest.fixture(scope='module')
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the documents' names in capitals stand for."""
    folder = tmp_path_factory.mktemp('things')
    model = motiongpt3.MotionGPT3.from_pretrained(device='cpu')
    motion = model.generate('a person runs fast', 4.0, generator=torch.Generator().manual_seed(0))
    write_bag(folder / 'BAG', stream(motion))
    write_tiny_pack(folder / 'PACK')
    write_tiny_humanml3d(folder / 'HumanML3D')
    captures = folder / 'captures'
    captures.mkdir()
    for number in range(20):
        motion.save(captures / f'run{number}.npy')
        (captures / f'run{number}.txt').write_text('a person runs.\n')
    for name in ('models', 'config', 'urdf', 'scripts', 'examples'):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture
def place(things: Path, tmp_path: Path) -> Path:
    """Where a reader of one page stands: what is made there is there for that page alone."""
    for thing in things.iterdir():
        (tmp_path / thing.name).symlink_to(thing)
    return tmp_path


@pytest.mark.parametrize('page', fences.PAGES, ids=lambda page: page.name)
def test_what_a_page_tells_to_type(
    page: Path,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(place)
    names: dict[str, object] = {'__name__': '__main__'}
    for block in fences.blocks(page):
        if block.language == 'python':
            code = compile(block.text, block.place, 'exec')
            if not block.reason:
                exec(code, names)  # one program a page, as one would type it
                for value, shape in SHAPE.findall(block.text):
                    assert np.shape(eval(value, names)) == ast.literal_eval(shape), value
        elif block.language == 'bash':
            for command in block.commands():
                run(command, capsys)
        else:
            assert block.language in ('', 'text', 'yaml', 'json'), block.place


@pytest.mark.parametrize('page', fences.PAGES, ids=lambda page: page.name)
def test_what_a_sentence_names(page: Path) -> None:
    """In sentences commands are named without all that they need: name and options must be."""
    parsers = commands_of_mgpt3()
    for command in fences.inline_commands(page, 'mgpt3'):
        options = {word.split('=')[0] for word in command.words if word.startswith('-')}
        name = command.words[1]
        known = set(parsers.get(name, {})) | {'--debug', '--help', '--version'}
        if name != 'train' and not fences.PLACEHOLDER.fullmatch(name):
            assert name in {*parsers, *known}, f'{command}: there is no such command'
            assert options <= known, f'{command}: {options - known}'
    for command in fences.inline_commands(page, 'python'):
        if command.words[1] == '-m':
            source = module_file(command.words[2])
            assert source is not None, f'{command}: there is no such module'
            text = source.read_text(encoding='utf-8')
            for word in command.words[3:]:
                assert not word.startswith('--') or f"'{word}'" in text, f'{command}: {word}'
        elif command.words[1].endswith('.py'):
            assert (ROOT / command.words[1]).is_file(), f'{command}: there is no such file'


# Messages in the table of symptoms that other programs write.
OF_OTHERS = re.compile(
    "Trying to set|expecting type|Package 'mgpt3_ros' not found|No module named|externally-"
    'managed|cannot open shared object|logging directory|Expected RMW'
)


def test_messages_in_the_table_of_symptoms_are_those_of_the_program() -> None:
    rooms = ('mgpt3_ros', 'model', 'training', 'scripts')
    files = [path for room in rooms for path in (ROOT / room).rglob('*.py')]
    # As it is said: the pieces of a message that goes over several lines joined.
    code = re.sub(r"'\n\s+f?'", '', ''.join(path.read_text(encoding='utf-8') for path in files))
    page = (ROOT / 'docs' / 'troubleshooting.md').read_text(encoding='utf-8')
    begun = [match.group(1) for match in re.finditer(r'^\| `([^`]+ [^`]+)`', page, re.MULTILINE)]
    messages = [message for message in begun if not OF_OTHERS.search(message)]
    assert len(messages) >= 8
    for message in messages:
        for part in message.split('...'):
            assert part.strip(' :') in code, f'nothing says {message!r}'


def commands_of_mgpt3() -> dict[str, set[str]]:
    """Return the options of each command, those of its parts with it."""
    found: dict[str, set[str]] = {}

    def visit(name: str, parser: argparse.ArgumentParser) -> None:
        options = found.setdefault(name, set())
        for action in parser._actions:
            options.update(action.option_strings)
            for part, inner in (action.choices or {}).items() if is_group(action) else ():
                visit(name or part, inner)

    def is_group(action: argparse.Action) -> bool:
        return isinstance(action, argparse._SubParsersAction)

    visit('', cli.build_parser())
    return found


def module_file(name: str) -> Path | None:
    """Return the file of a module of this repository."""
    parts = name.split('.')
    if parts[:2] in (['mgpt3_ros', 'model'], ['mgpt3_ros', 'training']):
        parts = parts[1:]
    places = [ROOT.joinpath(*parts).with_suffix('.py'), ROOT.joinpath(*parts, '__main__.py')]
    return next((path for path in places if path.is_file()), None)


READ, RUN = 'takes long', ''
WRONG = [
    ('mgpt3 caption nothing.npz', RUN),
    ('mgpt3 generate "walk" --sped 2 -o a.npz', READ),
    ('mgpt3 sing', READ),
    (r"printf 'walk\n\n' | mgpt3 stream --sing", READ),
    ('mgpt3 doctor | sing', READ),
    ('mgpt3 train all --config small --data PACK --output runs/a stages.t2m.steps=5', READ),
    ('make sing', READ),
    ('make card DATE=PACK', READ),
    ('make test', RUN),
    ('python -m scripts.interface_docs --sing', READ),
    ('python scripts/sing.py', RUN),
    ('sing', RUN),
]


@pytest.mark.parametrize(('line', 'reason'), WRONG)
def test_what_does_not_work_is_found(
    line: str,
    reason: str,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(place)
    *before, last = fences.Block(Path('here.md'), 1, 'bash', line, reason).commands()
    for command in before:
        run(command, capsys)
    with pytest.raises((AssertionError, SystemExit, MotionGPT3Error)):
        run(last, capsys)


def run(command: fences.Command, capsys: pytest.CaptureFixture[str]) -> None:
    """Run one command, or have its program read it."""
    program, arguments = command.program, list(command.words[1:])
    if program == 'mgpt3':
        if command.reason:
            read_by_mgpt3(arguments)
        else:
            assert arguments[:1] != ['train'], f'{command}: mark it as not run'
            code = cli.main(arguments)
            # The doctor finds fault with a place that has no ROS, and is right.
            well = HAS_ROS or arguments[0] != 'doctor'
            assert code == 0 or not well, f'{command}: {capsys.readouterr().err}'
    elif program == 'make':
        make(command, arguments)
    elif program in ('python', 'python3', 'torchrun', 'accelerate'):
        python(command, program, arguments)
    else:
        assert program in {'ros2', *NODES, *SHELL, *OTHERS}, f'{command}: who checks this?'


def read_by_mgpt3(arguments: list[str]) -> None:
    _, unread = cli.build_parser().parse_known_args(arguments)
    if 'train' not in arguments[:1]:
        assert unread == []
        return
    read_by_train(unread)


def read_by_train(arguments: list[str]) -> None:
    """The options of training, and the preset with the overrides, read as training reads them."""
    read: list[str] = []

    def stage(name: str, *_: object) -> None:
        read.append(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, 'run_stage', stage)
        # Nor are the folders that a page names: tests/training/test_run_checks.py looks for such.
        patch.setattr(train, 'check_run', lambda *_: None)
        # The reader's own preset is not here; its overrides are read over the shipped one.
        patch.setattr(
            train,
            'load_run_config',
            lambda name, changes: load_run_config(
                'small' if name.endswith('.yaml') else name, changes
            ),
        )
        assert train.main(arguments) == 0
    assert read


def make(command: fences.Command, arguments: list[str]) -> None:
    makefile = (ROOT / 'Makefile').read_text()
    for name in MAKE_VARIABLE.findall(' '.join(arguments)):
        assert re.search(rf'\b{name}\b', makefile), f'{command}: the Makefile does not read {name}'
    targets = {word for word in arguments if '=' not in word}
    assert command.reason or targets <= QUICK, f'{command}: mark it as not run'
    only_read = ['-n'] if command.reason else []
    done = subprocess.run(
        ['make', '-C', str(ROOT), *only_read, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_S,
    )
    assert done.returncode == 0, f'{command}: {done.stderr}'


def python(command: fences.Command, program: str, arguments: list[str]) -> None:
    if program in ('torchrun', 'accelerate'):
        arguments = arguments[next(i for i, word in enumerate(arguments) if word == '-m') :]
    if arguments[:2] == ['-m', 'mgpt3_ros.training.train']:
        assert command.reason
        read_by_train(arguments[2:])
        return
    # As in ~/ws: the repository is src/mgpt3_ros there.
    arguments = [re.sub('^src/mgpt3_ros/', '', word) for word in arguments]
    log = Path.cwd() / 'program.log'
    call = programs.read if command.reason else programs.run
    program = apart.Program(log, call, arguments, folder=Path.cwd())
    try:
        code = program.wait(LONGEST_S)
    finally:
        program.kill()
    assert code == 0, f'{command}: {code}, {log.read_text()}'
