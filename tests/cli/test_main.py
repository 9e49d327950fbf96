# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line: what it writes, what it says, and how it fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mgpt3_ros.cli import doctor, render
from mgpt3_ros.cli import main as cli
from mgpt3_ros.model.released import convert
from mgpt3_ros.training import train
from tests.support.command_line import one_line

ROOT = Path(__file__).resolve().parents[2]
GENERATE = ('generate', 'a', '-o', '{tmp}/a.npz')
CONVERT = ('convert', '--mean', 'm', '--std', 's', '--tokenizer', 't', '-o', 'out')
MOTIONS = ('generate', 'stream', 'view', 'caption', 'predict', 'inbetween', 'ask', 'render')
BAGS = ('caption-bag', 'predict-bag', 'bag-info')
COMMANDS = (
    *MOTIONS,
    *BAGS,
    'robot',
    'serve',
    'batch',
    'convert',
    'data',
    'train',
    'actions',
    'plot',
    'evaluate',
    'doctor',
)


def test_help_answers_without_the_slow_imports() -> None:
    code = (
        'import sys\n'
        'from mgpt3_ros.cli.main import main\n'
        'try:\n'
        '    main({})\n'
        'except SystemExit as end:\n'
        '    assert end.code == 0, end.code\n'
        'slow = {"torch", "cv2", "numpy", "scipy", "transformers", "av", "rosbags"}\n'
        'slow.add("matplotlib")\n'
        'slow &= set(sys.modules)\n'
        'assert not slow, slow\n'
    )
    for arguments in (['--help'], ['generate', '--help'], ['caption-bag', '--help']):
        done = subprocess.run(
            [sys.executable, '-c', code.replace('{}', repr(arguments))],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
        assert 'usage: mgpt3' in done.stdout


@pytest.mark.parametrize('command', COMMANDS)
def test_help_of_each_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([command, '--help'])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert f'usage: mgpt3 {command}' in said
    if command != 'train':
        assert 'examples:\n  mgpt3 ' in said


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(['--help'])
    said = capsys.readouterr().out
    assert all(re.search(rf'^ +{command}  ', said, re.M) for command in COMMANDS)


def test_alone_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == cli.MISUSED
    said = capsys.readouterr()
    assert said.out == ''
    assert all(re.search(rf'^ +{command}  ', said.err, re.M) for command in COMMANDS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(['--version'])
    assert end.value.code == 0
    assert one_line(capsys.readouterr().out).startswith('mgpt3_ros ')


@pytest.mark.parametrize(
    ('call', 'complaint'),
    [
        (['caption', '{tmp}/nothing.npz'], 'nothing.npz'),
        ([*GENERATE, '--checkpoint', '{tmp}/nothing'], 'nothing'),
        (['generate', ' ', '-o', '{tmp}/a.npz', '--checkpoint', '{model}'], 'the text is empty'),
        (
            [*GENERATE, '--as-is', '--duration', '99', '--checkpoint', '{model}'],
            '',
        ),
        (
            ['generate', 'walk', '-o', '{tmp}/a.npz', '--checkpoint', '{model}', '--steps', '0'],
            '0',
        ),
        (['generate', 'sit down', '-o', '{tmp}/a.npz', '--checkpoint', '{model}'], 'how to sit'),
        (['render', '{tmp}', '-o', '{tmp}/a.mp4'], 'no motion file'),
    ],
)
def test_expected_errors_are_one_line(
    call: list[str],
    complaint: str,
    checkpoint: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    filled = [word.replace('{tmp}', str(tmp_path)).replace('{model}', checkpoint) for word in call]
    assert cli.main(filled) == cli.MISUSED
    said, noted = capsys.readouterr()
    assert said == ''
    last = noted.splitlines()[-1]
    assert last.startswith('mgpt3: ')
    assert complaint in last
    assert 'Traceback' not in noted
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ('call', 'complaint'),
    [
        (['fly'], 'fly'),
        (['generate', 'a'], '-o/--output'),
        (['generate', 'a', '-o', 'a.gif'], r'\.mp4, \.html, \.png'),
        (['generate', 'a', '-o', 'no/where/a.mp4'], 'no folder no/where'),
        (['generate', 'a', '-o', 'a.mp4', '--duration', '-1'], 'above 0'),
        (['generate', 'a', '-o', 'a.mp4', '--sed', '1'], 'unknown argument: --sed 1'),
        ([*CONVERT, 'motiongpt3', 'a.ckpt', '--gpt2', 'g'], 'for mld-vae'),
        (['convert', 'motiongpt3', 'a.ckpt'], '--mean, --std, --tokenizer'),
    ],
)
def test_misuse_is_explained(
    call: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(call)
    assert end.value.code == cli.MISUSED
    assert re.search(complaint, capsys.readouterr().err)


@pytest.mark.parametrize(
    ('error', 'code', 'line'),
    [
        (PermissionError(13, 'Permission denied', 'a.npz'), 2, 'a.npz: Permission denied'),
        (ValueError('two\nlines'), 1, 'ValueError: two lines (--debug shows where)'),
        (ModuleNotFoundError("No module named 'av'"), 1, "No module named 'av' (`mgpt3 doctor`"),
        (KeyboardInterrupt(), 130, 'interrupted'),
    ],
)
def test_exit_codes(
    error: BaseException,
    code: int,
    line: str,
    walk: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(render, 'write_all', fail)
    assert cli.main(['render', walk, '-o', 'a.npz']) == code
    noted = capsys.readouterr().err
    assert one_line(noted.lstrip()).startswith(f'mgpt3: {line}')
    if code != cli.INTERRUPTED:
        assert cli.main(['render', walk, '-o', 'a.npz', '--debug']) == code
        assert 'Traceback' in capsys.readouterr().err


def test_train_gets_its_arguments_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(train, 'main', lambda argv: seen.append(argv) or 0)
    given = ['t2m', '--data', 'x', '--output', 'y', 'stages.t2m.optim.steps=5']
    assert cli.main(['train', *given]) == 0
    assert cli.main(['--debug', 'train', '--data', 'x', 't2m']) == 0
    assert seen == [given, ['--data', 'x', 't2m']]


@pytest.mark.parametrize('kind', ['motiongpt3', 'mld-vae'])
def test_convert_calls_the_converter(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[tuple, dict]] = []

    def converted(*given: object, **options: object) -> convert.Conversion:
        seen.append((given, options))
        return convert.Conversion(Path('out'), 646, {'metrics': 84}, ())

    monkeypatch.setattr(convert, f'convert_{kind.replace("-", "_")}', converted)
    extra = ['--gpt2', 'g'] if kind == 'mld-vae' else ['--latent-scale', '0.7281']
    assert cli.main([*CONVERT, kind, 'a.ckpt', *extra]) == 0
    ((given, options),) = seen
    assert given == (Path('a.ckpt'), Path('out'))
    expected = {'gpt2': 'g'} if kind == 'mld-vae' else {'latent_scale': 0.7281}
    assert options == {'stats': (Path('m'), Path('s')), 'tokenizer': Path('t'), **expected}
    said = one_line(capsys.readouterr().out)
    assert said == 'a.ckpt: 646 tensors used, not needed: 84 of metrics; written to out'


FINE = doctor.Finding('all', 'ok', 'is here')


def test_doctor_gets_the_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str | None] = []
    monkeypatch.setattr(doctor, 'examine', lambda folder: looked_at.append(folder) or [FINE])
    assert cli.main(['doctor', '--checkpoint', 'x']) == 0
    assert cli.main(['doctor']) == 0
    assert looked_at == ['x', None]


def test_it_is_a_program(walk: str, tmp_path: Path) -> None:
    call = [sys.executable, '-m', 'mgpt3_ros.cli.main', 'render', walk]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    for name, code in (('a.npy', 0), ('a.gif', 2)):
        done = subprocess.run(
            [*call, '-o', str(tmp_path / name)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment,
        )
        assert done.returncode == code, done.stderr
