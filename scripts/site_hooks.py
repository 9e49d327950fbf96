# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hooks of the documentation's site: what the pages link to outside docs/ comes along.

Where a page says ``<!-- file: PATH -->`` the site shows the file.

In the repository, links between documents are paths between files, also to files outside docs/.
The site has no such files: Markdown among them becomes pages, other files are copied, and a link
to a folder becomes plain text. README.md is the repository's page; here index.md stands for it.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SHOWN = re.compile(r'^<!-- file: (\S+) -->$', re.MULTILINE)
ROLE = re.compile(r':(?:class|func|meth|mod|attr|data):(<code>)~?(?:[\w.]+\.)?(\w+</code>)')
LINK = re.compile(r'\[([^\]]*)\]\(([^)#\s:]+)(#[^)\s]*)?\)')


def on_files(files: Any, config: Any) -> Any:
    """Add the files that the pages of docs/ link to, and those that these link to."""
    from properdocs.structure.files import File

    docs = Path(config.docs_dir)
    todo = [*docs.rglob('*.md'), *_named_in(config.nav)]
    seen = set(todo)
    while todo:
        page = todo.pop()
        if docs not in page.parents:
            content = page.read_text(encoding='utf-8')
            files.append(File.generated(config, _uri(page, docs), content=content))
        for target in _targets(page):
            if target in seen or docs in target.parents or not target.is_file():
                continue
            seen.add(target)
            if target.suffix == '.md':
                todo.append(target)
            else:
                uri, source = _uri(target, docs), str(target)
                files.append(File.generated(config, uri, abs_src_path=source))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Lead each link to where its file stands in the site, and show files that a page names."""
    docs = Path(config.docs_dir)
    own = page.file.src_uri
    origin = docs / own if (docs / own).is_file() else ROOT / own

    def led(match: re.Match[str]) -> str:
        text, path, anchor = match.groups()
        target = _target(origin, path)
        if not target.exists():
            return match.group()  # the build warns of it
        uri = _uri(target, docs)
        if target.is_dir() or files.get_file_from_path(uri) is None:
            return text
        return f'[{text}]({posixpath.relpath(uri, posixpath.dirname(own))}{anchor or ""})'

    def shown(match: re.Match[str]) -> str:
        text = _target(origin, match.group(1)).read_text(encoding='utf-8')
        code = text.split('SPDX-License-Identifier: Apache-2.0', 1)[-1].strip()
        return f'```python\n{code}\n```'

    return SHOWN.sub(shown, LINK.sub(led, markdown))


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Write the cross-references of docstrings as the plain names that they are for a reader."""
    return ROLE.sub(r'\1\2', html)


def _named_in(nav: Any) -> list[Path]:
    """Return the pages of the navigation that lie outside docs/."""
    if isinstance(nav, str):
        return [ROOT / nav] if (ROOT / nav).is_file() else []
    children = nav.values() if isinstance(nav, dict) else nav or []
    return [path for child in children for path in _named_in(child)]


def _targets(page: Path) -> list[Path]:
    text = page.read_text(encoding='utf-8')
    return [_target(page, match.group(2)) for match in LINK.finditer(text)]


def _target(page: Path, link: str) -> Path:
    path = (page.parent / link).resolve()
    return ROOT / 'docs' / 'index.md' if path == ROOT / 'README.md' else path


def _uri(path: Path, docs: Path) -> str:
    """Return where a file stands in the site."""
    inside = docs in path.parents
    return path.relative_to(docs if inside else ROOT).as_posix()
