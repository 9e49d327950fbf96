# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rosbags of a body's joint states as motions to train on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mgpt3_ros.bags import (
    MIN_WINDOW_S,
    Bag,
    Body,
    Window,
    Windows,
    body_windows,
    find_body,
    open_bag,
)
from mgpt3_ros.model.errors import MotionGPT3Error
from mgpt3_ros.training.data.caption_lines import CaptionLine, load_captions
from mgpt3_ros.training.data.clip import DataError
from mgpt3_ros.training.data.takes import ReadOptions, Take, Takes

_INSIDE = 0.9  # of a caption's time, to count as one of the piece
_WHOLE_S = 24 * 3600.0  # a window longer than any piece: each comes out in one


def read_bag_takes(path: Path, options: ReadOptions) -> Takes:
    """Read a bag: one take, or one for each piece where the joint states break off.

    Captions of parts count seconds from the beginning of the bag, as ``mgpt3 caption-bag`` writes
    them, and go to the piece in which they lie.

    Raises:
        DataError: there is no body, no motion or no caption in it, or a caption of the whole for
            several pieces.
    """
    lines = load_captions(path)
    try:
        with open_bag(path) as bag:
            which = options.topic, options.odometry, options.profile, options.body_id
            body = find_body(bag, *which, options.robots)
            pieces, remarks = _pieces(bag, body)
            began_ns = bag.start_ns
    except MotionGPT3Error as error:
        raise DataError(str(error)) from error
    if not body.odometry:
        remarks.append('no odometry: the body is taken to stay in place')
    if not pieces:
        raise DataError(
            f'{body.joint_topic} holds no {MIN_WINDOW_S:g} s of motion on end; '
            + ('; '.join(remarks) or 'record it longer')
        )
    whole = [line for line in lines if not line.is_part]
    if whole and len(pieces) > 1:
        raise DataError(
            f'{body.joint_topic} breaks off {len(pieces) - 1} times, so that {whole[0].text!r} '
            'may speak of any piece: write when it is done (caption#tokens#start#end)'
        )
    found = Takes(remarks=remarks)
    placed: set[CaptionLine] = set(whole)
    for number, piece in enumerate(pieces, 1):
        within = {line: _within(line, piece, began_ns) for line in lines if line.is_part}
        own = [*whole, *(moved for moved in within.values() if moved)]
        placed |= {line for line, moved in within.items() if moved}
        suffix = f'_{number}' if len(pieces) > 1 else ''
        if own:
            found.takes.append(Take(suffix, piece.motion, own))
        else:
            found.remarks.append(f'piece {number} of {len(pieces)} has no caption within it')
    found.remarks += [
        f'{line.text!r} ({line.start_s:g} to {line.end_s:g} s) lies in no piece of the stream'
        for line in lines
        if line not in placed
    ]
    if not found.takes:
        raise DataError('; '.join(found.remarks))
    return found


def _pieces(bag: Bag, body: Body) -> tuple[list[Window], list[str]]:
    """The pieces of a body's stream, and remarks on what was left out."""
    windows = Windows(body.profile, _WHOLE_S, _WHOLE_S)
    pieces = [
        piece
        for _, done in body_windows(body, bag.messages(body.topics), windows)
        for piece in done
    ]
    buffer = windows.buffer
    remarks = [f'{count} messages left out ({kind})' for kind, count in buffer.dropped.items()]
    if windows.apart:
        remarks.append(
            f'odometry does not fit in {windows.apart} of {len(pieces)} pieces: the body is taken '
            'to stay in place there'
        )
    # The stream breaks once more than it has pieces; what is missing was too short.
    short = buffer.gaps + buffer.jumps + 1 - len(pieces)
    if buffer.accepted and short > 0:
        remarks.append(f'{short} pieces shorter than {MIN_WINDOW_S:g} s left out')
    return pieces, [*remarks, *bag.broken]


def _within(line: CaptionLine, piece: Window, began_ns: int) -> CaptionLine | None:
    """A caption with times from the beginning of a piece; None if it speaks of another time."""
    length_s = (piece.end_ns - piece.start_ns) * 1e-9
    start_s = (piece.recorded_ns - began_ns) * 1e-9 - length_s
    begin = max(line.start_s - start_s, 0.0)
    end = min(line.end_s - start_s, length_s)
    if end - begin < _INSIDE * (line.end_s - line.start_s):
        return None
    return replace(line, start_s=begin, end_s=end)
