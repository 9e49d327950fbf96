# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that stand at their place once they are whole; a full disk or a kill leaves the old."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name to write to; what is there at the end of the block becomes ``path``.

    If the block raises, ``path`` stays as it was and nothing is left beside it.
    """
    partial = path.with_name(path.name + '.partial')
    try:
        yield partial
        _to_disk(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_files(folder: Path) -> Iterator[Path]:
    """Give a folder to write to; its files go to ``folder`` at the end of the block, or none.

    Those in folders below it go to folders of the same names. ``folder`` is made where it is
    missing; other files in it stay.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix='.partial-', dir=folder))
    try:
        yield partial
        files = sorted(path for path in partial.rglob('*') if path.is_file())
        for file in files:
            _to_disk(file)
        for file in files:
            place = folder / file.relative_to(partial)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, place)
        made = False
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if made:
            with contextlib.suppress(OSError):  # another process has written there meanwhile
                folder.rmdir()


def _to_disk(path: Path) -> None:
    """Wait until the content is on the disk: else a power cut may leave a name without it."""
    with path.open('rb') as file:
        os.fsync(file.fileno())


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an ``.npy``; a full disk says so.

    ``np.save`` alone hides the reason behind "3960 requested and 468 written".

    Raises:
        OSError: it cannot be written.
    """
    array = np.ascontiguousarray(array)
    header = np.lib.format.header_data_from_array_1_0(array)
    try:
        with path.open('wb') as file:
            np.lib.format.write_array_header_1_0(file, header)
            file.write(array.data)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
