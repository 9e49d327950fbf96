# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`make docs` fails on what it should fail on."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

pytest.importorskip('properdocs', reason='the site is built with ProperDocs')


def build(page: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Build a site of one page, by the command and with the settings of the repository."""
    recipe = re.search(r'^docs: .*\n\t\$\(PY\) (.*)$', (ROOT / 'Makefile').read_text(), re.M)
    assert recipe is not None
    text = (ROOT / 'properdocs.yml').read_text(encoding='utf-8')
    settings = {**yaml.safe_load(text), 'nav': [{'Home': 'index.md'}]}
    settings['hooks'] = [str(ROOT / hook) for hook in settings['hooks']]
    (folder / 'properdocs.yml').write_text(yaml.safe_dump(settings), encoding='utf-8')
    (folder / 'docs').mkdir(exist_ok=True)
    (folder / 'docs' / 'index.md').write_text(page, encoding='utf-8')
    return subprocess.run(
        [sys.executable, *shlex.split(recipe[1])],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_whole_page_is_built(tmp_path: Path) -> None:
    done = build('# All\n\n[below](#more)\n\n## More\n\n| a |\n|---|\n| b |\n', tmp_path)
    assert done.returncode == 0, done.stderr
    assert '<table>' in (tmp_path / 'site' / 'index.html').read_text(encoding='utf-8')


@pytest.mark.parametrize('page', ['[x](nowhere.md)', '[x](#nowhere)', '![x](nothing.png)'])
def test_a_link_to_nowhere_fails(page: str, tmp_path: Path) -> None:
    done = build(page, tmp_path)
    assert done.returncode != 0
    assert 'WARNING' in done.stderr


def test_a_page_that_no_menu_leads_to_fails(tmp_path: Path) -> None:
    (tmp_path / 'docs').mkdir()
    (tmp_path / 'docs' / 'lost.md').write_text('lost\n')
    assert build('found', tmp_path).returncode != 0
