# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A release writes its version into every place, and is refused where they differ."""

from __future__ import annotations

import datetime
import re
import shutil
from pathlib import Path

import pytest
from bumpversion.cli import cli
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]
PLACES = ('setup.py', 'package.xml', 'interfaces/package.xml', 'CITATION.cff', 'CHANGELOG.md')
UNRELEASED = '## [Unreleased]\n'
(VERSION,) = re.findall(r"^    version='(.*)'", (ROOT / 'setup.py').read_text(), re.MULTILINE)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The places, with something to release."""
    (tmp_path / 'interfaces').mkdir()
    for name in ('.bumpversion.toml', *PLACES):
        shutil.copy(ROOT / name, tmp_path / name)
    path = tmp_path / 'CHANGELOG.md'
    before, after = path.read_text().split(UNRELEASED)
    path.write_text(f'{before}{UNRELEASED}\n### Added\n\n- A new thing.\n{after}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bump() -> int:
    return CliRunner().invoke(cli, ['bump', 'minor', '--no-commit', '--no-tag']).exit_code


def test_a_version_goes_into_every_place(tree: Path):
    assert bump() == 0
    texts = {name: (tree / name).read_text() for name in PLACES}
    major, minor, _ = VERSION.split('.')
    version, today = f'{major}.{int(minor) + 1}.0', datetime.date.today()
    assert f"    version='{version}'," in texts['setup.py']
    assert f'<version>{version}</version>' in texts['package.xml']
    assert f'<version>{version}</version>' in texts['interfaces/package.xml']
    assert f'\nversion: {version}\ndate-released: "{today}"\n' in texts['CITATION.cff']
    section = f'{UNRELEASED}\n## [{version}] - {today}\n\n### Added\n\n- A new thing.'
    assert section in texts['CHANGELOG.md']
    for name, changed in zip(PLACES, (1, 1, 1, 2, 0), strict=True):  # nothing else is lost
        lost = set((ROOT / name).read_text().splitlines()) - set(texts[name].splitlines())
        assert len(lost) == changed, lost


@pytest.mark.parametrize('name', PLACES)
def test_a_place_that_differs_is_refused(name: str, tree: Path):
    text = (tree / name).read_text()
    (tree / name).write_text(text.replace(VERSION, '9.9.9').replace('[Unreleased]', '[Next]'))
    before = {name: (tree / name).read_text() for name in PLACES}
    assert bump() != 0
    assert before == {name: (tree / name).read_text() for name in PLACES}


def test_a_release_of_nothing_is_refused(tree: Path):
    assert bump() == 0
    assert bump() != 0


def test_the_changelog_begins_with_the_version():
    (released,) = re.findall(r'(?m)^## \[(\d\S*)\]', (ROOT / 'CHANGELOG.md').read_text())[:1]
    assert released == VERSION
