# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from mgpt3_ros.cli import doctor
from mgpt3_ros.cli.doctor import Finding
from mgpt3_ros.cli.main import main
from mgpt3_ros.model.language.pretrained import SMOLLM2

OK = Finding('a', 'ok', 'is here')
NOTE = Finding('bcd', 'note', 'is not here', 'fetch it')
MISSING = Finding('e', 'missing', 'is not here', 'install it')


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    (tmp_path / 'config.json').write_text(json.dumps({'licence': 'CC BY-NC 4.0'}))
    save_file({'a': np.zeros((500, 2000), np.float16)}, tmp_path / 'model.safetensors')
    np.savez(tmp_path / 'stats.npz', mean=np.zeros(3))
    return tmp_path


def test_a_whole_checkpoint_is_described(checkpoint: Path):
    finding = doctor.check_checkpoint(checkpoint)
    assert finding.state == 'ok'
    assert '1.0 M weights' in finding.text
    assert '2.0 MB' in finding.text
    assert 'CC BY-NC 4.0' in finding.text


def test_a_language_model_that_is_not_installed_is_missing(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
):
    config = {'licence': 'MIT', 'language_model': {'source': SMOLLM2, 'digest': '0'}}
    (checkpoint / 'config.json').write_text(json.dumps(config))
    for found, state in ((object(), 'ok'), (None, 'missing')):
        monkeypatch.setattr(doctor, 'find_spec', lambda _, found=found: found)
        finding = doctor.check_checkpoint(checkpoint)
        assert finding.state == state
    assert 'language model is not installed' in finding.text
    assert finding.remedy.startswith('make language')
    assert doctor.SMOLLM2 == SMOLLM2


@pytest.mark.parametrize('name', ['config.json', 'model.safetensors', 'stats.npz'])
def test_a_file_that_lacks_is_named(checkpoint: Path, name: str):
    (checkpoint / name).unlink()
    finding = doctor.check_checkpoint(checkpoint)
    assert finding.state == 'missing'
    assert name in finding.text
    assert finding.remedy


@pytest.mark.parametrize('name', ['config.json', 'model.safetensors'])
def test_a_damaged_file_is_reported_and_not_raised(checkpoint: Path, name: str):
    data = (checkpoint / name).read_bytes()
    (checkpoint / name).write_bytes(data[: len(data) // 2])
    finding = doctor.check_checkpoint(checkpoint)
    assert finding.state == 'missing'
    assert 'cannot be read' in finding.text


def test_the_report_is_aligned_and_names_remedies():
    report = doctor.format_report([OK, NOTE, MISSING])
    lines = report.splitlines()
    assert lines[0].index('is here') == lines[1].index('is not here') == lines[2].index('->')
    assert lines[2].strip() == '-> fetch it'
    assert 'cannot run here yet: see e above' in lines[-1]
    assert 'can run here' in doctor.format_report([OK, NOTE])


def test_the_exit_code_says_whether_something_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(doctor, 'examine', lambda checkpoint: [OK, NOTE])
    assert main(['doctor']) == 0
    monkeypatch.setattr(doctor, 'examine', lambda checkpoint: [OK, NOTE, MISSING])
    assert main(['doctor']) == 1
    assert 'install it' in capsys.readouterr().out


def test_it_runs_where_torch_ros_and_video_are_missing(tmp_path: Path):
    """The very machine that it is made for: it must not stumble over what it reports."""
    for name in ('torch', 'rclpy', 'av', 'cv2'):
        (tmp_path / f'{name}.py').write_text('raise ImportError("broken on purpose")')
    code = (
        f'import sys; sys.path.insert(0, {str(tmp_path)!r})\n'
        'from mgpt3_ros.cli.main import main\n'
        'sys.exit(main(["doctor"]))\n'
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, '-c', code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert 'torch' in done.stdout.splitlines()[-1]
    for line in done.stdout.splitlines():
        assert 'Traceback' not in line
    assert 'broken on purpose' in done.stdout


def test_this_machine(capsys: pytest.CaptureFixture[str]):
    code = main(['doctor'])
    report = capsys.readouterr().out
    for name in ('mgpt3_ros', 'python', 'torch', 'numpy', '[train]', 'opencv', 'gpu', 'ros'):
        assert name in report
    missing = [line for line in report.splitlines() if line.startswith('missing')]
    assert code == (1 if missing else 0)


def test_a_library_that_is_not_installed():
    finding = doctor.check_library('no-such-library-anywhere')
    assert finding.state == 'missing'
    assert 'requirements/runtime.txt' in finding.remedy


def test_an_extra_that_is_not_installed_is_no_obstacle(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(doctor.EXTRAS, 'bags', ('numpy', 'no-such-library-anywhere'))
    finding = doctor.check_extra('bags')
    assert (finding.state, finding.text) == ('note', 'without no-such-library-anywhere')
    assert 'mgpt3_ros[bags]' in finding.remedy


def test_a_middleware_that_does_not_load(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip('rclpy', reason='no ROS 2 here')
    monkeypatch.setenv('RMW_IMPLEMENTATION', 'rmw_none_such')
    finding = doctor.check_rmw()
    assert finding.state == 'missing'
    assert 'rmw_none_such' in finding.text
    assert doctor.check_ros().state == 'ok'  # one fault, reported once
