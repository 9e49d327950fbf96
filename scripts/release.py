#!/usr/bin/env python3
# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The version, in all that name it: `setup.py`, `package.xml`, `CITATION.cff`, CHANGELOG.md.

`python scripts/release.py` compares them; `python scripts/release.py 0.2.0` writes a new one, and
today's date, into all of them. Nothing is committed: the last lines say how.
"""

from __future__ import annotations

import datetime
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NUMBER = r'\d+\.\d+\.\d+'
# File: what stands before its version.
PLACES = {
    'setup.py': r"^    version='",
    'package.xml': r'<version>',
    'CITATION.cff': r'^version: ',
    'CHANGELOG.md': r'^## \[',
}
UNRELEASED = '## [Unreleased]\n'


def versions(root: Path) -> dict[str, str]:
    """Return the version that each file names.

    Raises:
        ValueError: a file names none.
    """
    found = {}
    for name, before in PLACES.items():
        match = re.search(f'(?m){before}({NUMBER})', (root / name).read_text(encoding='utf-8'))
        if match is None:
            raise ValueError(f'{name} names no version: it should stand behind {before!r}')
        found[name] = match[1]
    return found


def write(root: Path, version: str, date: datetime.date) -> None:
    """Write ``version`` into all files; what is unreleased in the changelog becomes its section.

    Raises:
        ValueError: it is no version, is not above the last one, or there is nothing to release.
    """
    if not re.fullmatch(NUMBER, version):
        raise ValueError(f'{version!r} is no version: give three numbers, such as 0.2.0')
    last = versions(root)['CHANGELOG.md']
    if [int(part) for part in version.split('.')] <= [int(part) for part in last.split('.')]:
        raise ValueError(f'{version} is not above {last}, the last release')
    changelog = (root / 'CHANGELOG.md').read_text(encoding='utf-8')
    if not re.search(r'## \[Unreleased\]\s+(?!## \[)\S', changelog):
        raise ValueError('CHANGELOG.md has nothing under Unreleased')
    released = changelog.replace(UNRELEASED, f'{UNRELEASED}\n## [{version}] - {date}\n', 1)
    (root / 'CHANGELOG.md').write_text(released, encoding='utf-8')
    for name, before in PLACES.items():
        if name != 'CHANGELOG.md':
            text = (root / name).read_text(encoding='utf-8')
            text = re.sub(f'(?m)({before}){NUMBER}', rf'\g<1>{version}', text, count=1)
            text = re.sub(r'(?m)^date-released: .*$', f'date-released: "{date}"', text)
            (root / name).write_text(text, encoding='utf-8')


def main(arguments: list[str]) -> int:
    """Compare or write; return the exit code."""
    try:
        if arguments:
            write(ROOT, arguments[0], datetime.date.today())
        found = versions(ROOT)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print('\n'.join(f'{version}  {name}' for name, version in found.items()))
    if len(set(found.values())) > 1:
        print('these differ', file=sys.stderr)
        return 1
    if arguments:
        print(f'now: bash .ci/run && git commit -am "Release {arguments[0]}"', end=' && ')
        print(f'git tag -a v{arguments[0]} -m "Release {arguments[0]}"')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
