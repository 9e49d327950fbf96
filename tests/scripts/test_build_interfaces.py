# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Building mgpt3_interfaces on the wheels: what is asked of the machine, what is made once."""

from __future__ import annotations

import importlib.util
import re
import sysconfig
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        'build_interfaces', ROOT / 'scripts' / 'build_interfaces.py'
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_exports_of_the_wheels_come_to_name_these_headers(
    script: ModuleType, tmp_path: Path
) -> None:
    folder = tmp_path / 'share' / 'std_msgs' / 'cmake'
    folder.mkdir(parents=True)
    builder = '/'.join(('', 'opt', 'python', 'cp311-cp311'))
    text = (
        f'INCLUDES "${{_IMPORT_PREFIX}}/include;{builder}/include/python3.11;'
        f'{builder}/lib/python3.11/site-packages/numpy/_core/include"'
    )
    (folder / 'export.cmake').write_text(text)
    assert script.correct_exports(tmp_path) == 1
    found = (folder / 'export.cmake').read_text()
    assert found == (
        f'INCLUDES "${{_IMPORT_PREFIX}}/include;{sysconfig.get_path("include")};'
        f'{np.get_include()}"'
    )
    assert script.correct_exports(tmp_path) == 0


def test_a_missing_tool_is_named_and_topics_are_enough(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(script.BuildError, match=r'cmake and c\+\+ missing.*topics alone'):
        script.build(tmp_path)


def test_nothing_is_built_twice(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = tmp_path / 'share' / 'mgpt3_interfaces' / 'built_from.txt'
    stamp.parent.mkdir(parents=True)
    stamp.write_text(script.fingerprint())
    monkeypatch.setenv('PATH', str(tmp_path))  # a build would fail
    assert script.build(tmp_path) is False


def test_all_definitions_are_generated() -> None:
    folder = ROOT / 'interfaces'
    listed = re.findall(r'"((?:action|msg|srv)/\S+)"', (folder / 'CMakeLists.txt').read_text())
    files = [f for kind in ('action', 'msg', 'srv') for f in folder.glob(f'{kind}/*.{kind}')]
    assert sorted(listed) == sorted(str(file.relative_to(folder)) for file in files)
