# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What holds for every file of the repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEADER = '# Copyright 2026 The mgpt3_ros authors\n# SPDX-License-Identifier: Apache-2.0\n'
TEXT = {'.py', '.md', '.txt', '.yaml', '.xml', '.cfg', '.toml', '.sh', '.json', '.urdf', ''}
# Folders that exist on one machine only. (The word "home/" alone is a user's own.)
MACHINE = re.compile(r'(?<![\w.])/(work|root|home/\w+|Users/\w+|opt/(?!ros)\w+)/')
CHECKPOINT_LIMIT_MB = 40  # two of them; every retraining stays in the history
FILE_LIMIT_MB = 3  # of anything else


@pytest.fixture(scope='module')
def files() -> list[Path]:
    """All files that git has or would take."""
    command = ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip('not in a git repository')
    paths = [ROOT / name for name in done.stdout.split('\0') if name]
    return [path for path in paths if path.is_file()]


def text_of(path: Path) -> str:
    return path.read_text(encoding='utf-8')


def test_no_path_of_one_machine(files: list[Path]):
    found = []
    for path in files:
        if path.suffix in TEXT and path != Path(__file__).resolve():
            for number, line in enumerate(text_of(path).splitlines(), 1):
                if MACHINE.search(line):
                    found.append(f'{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}')
    assert found == []


def test_every_source_begins_with_its_licence(files: list[Path]):
    for path in files:
        if path.suffix in ('.py', '.sh'):
            text = text_of(path)
            if text.startswith('#!'):
                text = text.split('\n', 1)[1]
            assert text.startswith(HEADER), path.relative_to(ROOT)


def test_sizes(files: list[Path]):
    checkpoint = [path for path in files if ROOT / 'models' in path.parents]
    assert sum(path.stat().st_size for path in checkpoint) <= CHECKPOINT_LIMIT_MB * 1e6
    for path in set(files) - set(checkpoint):
        assert path.stat().st_size <= FILE_LIMIT_MB * 1e6, path.relative_to(ROOT)


def test_nothing_that_was_made_is_kept(files: list[Path]):
    for path in files:
        parts = path.relative_to(ROOT).parts
        assert not {'__pycache__', '.venv', 'out', 'runs', 'build'} & set(parts[:-1]), path
        assert path.suffix not in ('.pyc', '.pt', '.ckpt', '.pkl', '.pickle'), path


def test_links_between_documents_lead_somewhere(files: list[Path]):
    broken = []
    for path in files:
        if path.suffix == '.md':
            for target in re.findall(r'\]\(([^)#\s]+)[^)]*\)', text_of(path)):
                if '://' not in target and not (path.parent / target).exists():
                    broken.append(f'{path.relative_to(ROOT)} -> {target}')
    assert broken == []


def test_every_make_target_that_documents_name_exists(files: list[Path]):
    makefile = text_of(ROOT / 'Makefile')
    targets = set(re.findall(r'^([a-z-]+):', makefile, re.MULTILINE))
    phony = re.search(r'^\.PHONY: (.*)$', makefile, re.MULTILINE)
    assert phony is not None
    assert set(phony.group(1).split()) == targets
    for path in files:
        if path.suffix == '.md' or path.name == 'run':
            for name in re.findall(r'`make ([a-z-]+)', text_of(path)):
                assert name in targets, f'{path.relative_to(ROOT)} names make {name}'


def test_files_stay_readable(files: list[Path]):
    """One topic a file: 400 lines are its measure, and past 500 it surely holds two."""
    long = {
        str(path.relative_to(ROOT)): count
        for path in files
        if path.suffix == '.py' and (count := len(text_of(path).splitlines())) > 500
    }
    assert long == {}


def test_the_ci_script_runs_what_it_should():
    script = text_of(ROOT / '.ci' / 'run')
    steps = re.findall(r'^step (\w+)', script, re.MULTILINE)
    assert {'lint', 'types', 'installs', 'test'} <= set(steps)
    assert steps[-1] == 'test'  # its output ends with pytest's summary
