# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A release writes its version into every place, and refuses what is no release."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

import pytest

from scripts import release

DAY = datetime.date(2031, 2, 3)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in release.PLACES:
        shutil.copy(release.ROOT / name, tmp_path)
    return tmp_path


def add_a_change(tree: Path) -> None:
    path = tree / 'CHANGELOG.md'
    before, after = path.read_text().split(release.UNRELEASED)
    path.write_text(f'{before}{release.UNRELEASED}\n### Added\n\n- A new thing.\n{after}')


def test_the_places_agree_here():
    assert len(set(release.versions(release.ROOT).values())) == 1


def test_a_version_goes_into_every_place(tree: Path):
    add_a_change(tree)
    release.write(tree, '7.0.1', DAY)
    assert set(release.versions(tree).values()) == {'7.0.1'}
    assert 'date-released: "2031-02-03"' in (tree / 'CITATION.cff').read_text()
    changelog = (tree / 'CHANGELOG.md').read_text()
    assert '## [Unreleased]\n\n## [7.0.1] - 2031-02-03\n\n### Added\n\n- A new thing.' in changelog
    assert (tree / 'package.xml').read_text().count('7.0.1') == 1


@pytest.mark.parametrize('version', ['0.0.1', '0.1.0', 'v1.0.0', '1.0', 'next'])
def test_what_is_no_new_version_is_refused(version: str, tree: Path):
    add_a_change(tree)
    before = {name: (tree / name).read_text() for name in release.PLACES}
    with pytest.raises(ValueError, match=version):
        release.write(tree, version, DAY)
    assert before == {name: (tree / name).read_text() for name in release.PLACES}


def test_a_release_of_nothing_is_refused(tree: Path):
    add_a_change(tree)
    release.write(tree, '7.0.1', DAY)
    with pytest.raises(ValueError, match='nothing under Unreleased'):
        release.write(tree, '7.0.2', DAY)


def test_a_file_without_a_version_is_named(tree: Path):
    (tree / 'package.xml').write_text('<package/>')
    with pytest.raises(ValueError, match=r'package\.xml'):
        release.versions(tree)
