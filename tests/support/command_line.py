# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a command says."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Return a text that must be one line, without its end."""
    assert text.endswith('\n')
    assert text.count('\n') == 1
    return text[:-1]
