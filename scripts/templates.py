# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Jinja templates that lie beside the scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2


def render(name: str, **values: Any) -> str:
    """Return the text of a template; a value that it does not find is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name).render(**values)
