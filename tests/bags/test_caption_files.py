# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Captions in files: exact in each format, and whole or not there."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mgpt3_ros.bags import (
    BagError,
)
from mgpt3_ros.bags.caption_files import Caption, caption_file


def test_formats_are_exact(tmp_path: Path) -> None:
    shown = [
        Caption(0.003, 6.003, 10, 20, 'a person walks, then "stops".'),
        Caption(3.003, 9.003, 13, 23, 'eine Person läuft.'),
        Caption(3725.5, 3731.25, 30, 40, 'a person bows.', 'bow', 0.9),
    ]
    for suffix in ('.jsonl', '.csv', '.srt'):
        with caption_file(tmp_path / f'a{suffix}') as add:
            for caption in shown:
                add(caption)
    assert (tmp_path / 'a.jsonl').read_text('utf-8').splitlines()[1] == (
        '{"start_s": 3.003, "end_s": 9.003, "start_stamp_ns": 13, "end_stamp_ns": 23, '
        '"caption": "eine Person läuft.", "label": "", "confidence": 0.0}'
    )
    assert (tmp_path / 'a.csv').read_bytes().decode() == (
        'start_s,end_s,start_stamp_ns,end_stamp_ns,caption,label,confidence\n'
        '0.003,6.003,10,20,"a person walks, then ""stops"".",,0.0\n'
        '3.003,9.003,13,23,eine Person läuft.,,0.0\n'
        '3725.5,3731.25,30,40,a person bows.,bow,0.9\n'
    )
    assert (tmp_path / 'a.srt').read_bytes().decode() == (
        '1\n00:00:00,003 --> 00:00:03,003\na person walks, then "stops".\n\n'
        '2\n00:00:03,003 --> 00:00:09,003\neine Person läuft.\n\n'
        '3\n01:02:05,500 --> 01:02:11,250\na person bows.\n\n'
    )
    with (tmp_path / 'a.csv').open(newline='') as file:
        assert [row['caption'] for row in csv.DictReader(file)] == [c.caption for c in shown]
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a.csv', 'a.jsonl', 'a.srt']


def test_a_file_of_captions_is_whole_or_not_there(tmp_path: Path) -> None:
    def fail() -> None:
        with caption_file(tmp_path / 'a.srt') as add:
            add(Caption(0, 1, 0, 1, 'a'))
            raise BagError('the bag broke')

    with pytest.raises(BagError):
        fail()
    assert list(tmp_path.iterdir()) == []
