# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""BVH as it stands in a file: a tree of joints with channels, a table of numbers, kinematics.

Any tree and any order of channels; which joint is which is the business of ``bvh.py``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mgpt3_ros.model.errors import MotionError

Array = NDArray[np.float64]

CHANNELS = tuple(f'{axis}{kind}' for kind in ('position', 'rotation') for axis in 'XYZ')


@dataclass(frozen=True)
class BvhJoint:
    """A joint: its parent's position in the list (-1 for the root), offset and channels.

    End sites are joints without channels, named after their parent: ``LeftHand (end)``.
    """

    name: str
    parent: int
    offset: tuple[float, float, float]
    channels: tuple[str, ...]

    @property
    def is_end(self) -> bool:
        """Whether it is an end site."""
        return self.name.endswith(' (end)')


@dataclass(frozen=True)
class BvhFile:
    """Joints, parents before children; values (T, channels of all joints); frames per second.

    remarks: where the file contradicts itself, a line each.
    """

    joints: tuple[BvhJoint, ...]
    values: Array
    fps: float
    remarks: tuple[str, ...] = ()

    def positions(self) -> Array:
        """Forward kinematics: (T, joints, 3) in the file's unit, end sites included.

        Rotations are applied in the order of a joint's channels. Position channels replace the
        joint's offset, as capture systems and animation programs write them; those of a joint
        below the root that are zero in all frames add nothing to it, and the offset stays.
        """
        frames = len(self.values)
        positions = np.empty((frames, len(self.joints), 3))
        rotations: list[Rotation] = []
        column = 0
        for index, joint in enumerate(self.joints):
            values = self.values[:, column : column + len(joint.channels)]
            column += len(joint.channels)
            offset = np.tile(joint.offset, (frames, 1))
            axes = ''
            angles = []
            places = [name.endswith('position') for name in joint.channels]
            placed = joint.parent < 0 or values[:, places].any()
            for name, value in zip(joint.channels, values.T, strict=True):
                if name.endswith('position'):
                    if not placed:
                        continue
                    offset[:, 'XYZ'.index(name[0])] = value
                else:
                    axes += name[0]
                    angles.append(value)
            local = Rotation.identity(frames)
            if axes:
                local = Rotation.from_euler(axes, np.stack(angles, axis=1), degrees=True)
            if joint.parent < 0:
                positions[:, index] = offset
                rotations.append(local)
            else:
                above = rotations[joint.parent]
                positions[:, index] = positions[:, joint.parent] + above.apply(offset)
                rotations.append(above * local)
        return positions


class _Lines:
    """Words of a file, line by line; a brace makes a line of its own wherever it stands."""

    def __init__(self, text: str) -> None:
        self.lines = [
            (number, part.split())
            for number, line in enumerate(text.splitlines(), start=1)
            for part in re.findall(r'[{}]|[^{}]+', line)
            if part.strip()
        ]
        self.read = 0

    @property
    def number(self) -> int:
        """Number of the line that was read last, from 1; 0 before the first."""
        return self.lines[self.read - 1][0] if self.read else 0

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self.read == len(self.lines)

    def coming(self) -> str:
        """First word of the next line, in capitals; '' at the end."""
        return '' if self.is_done else self.lines[self.read][1][0].upper()

    def next(self, expected: str) -> list[str]:
        """Words of the next line that is not blank."""
        if self.is_done:
            raise MotionError(f'the file ends after line {self.number}: {expected} is missing')
        self.read += 1
        return self.lines[self.read - 1][1]

    def wrong(self, expected: str) -> MotionError:
        """What to raise when the line that was read last is not what was expected."""
        found = ' '.join(self.lines[self.read - 1][1])
        return MotionError(f'line {self.number}: {expected} expected, not {_shown(found)}')

    def keyword(self, words: str) -> list[str]:
        """Read a line that begins with these words, in any case; gives what follows them."""
        found = self.next(f'"{words}"')
        line = ' '.join(found)
        written = r'\s+'.join(re.escape(word) for word in words.rstrip(':').split())
        colon = r'\s*:' if words.endswith(':') else r'(?=\s|$)'
        match = re.match(written + colon, line, re.IGNORECASE)
        if match is None:
            raise self.wrong(f'"{words}"')
        return line[match.end() :].split()

    def numbers(self, words: Sequence[str], count: int, what: str) -> list[float]:
        """``count`` finite numbers; a comma may stand for the point, or between them."""
        if len(words) != count:
            words = [part for word in words for part in word.split(',') if part]
        if len(words) != count:
            raise MotionError(f'line {self.number}: {count} {what} expected, not {len(words)}')
        found = []
        for word in words:
            try:
                found.append(float(word.removesuffix(',').replace(',', '.')))
            except ValueError:
                found.append(math.nan)
            if not math.isfinite(found[-1]):
                raise MotionError(f'line {self.number}: a number expected, not {_shown(word)}')
        return found


def parse_bvh(text: str) -> BvhFile:
    """Read the text of a BVH file.

    Raises:
        MotionError: anything is not as the format has it; names the line and what was expected.
    """
    # Old programs end a file with ^Z, or fill it up with zeros.
    lines = _Lines(text.removeprefix('\ufeff').rstrip('\x00\x1a\r\n\t '))
    lines.keyword('HIERARCHY')
    joints = _read_tree(lines)
    lines.keyword('MOTION')
    (frames,) = lines.numbers(lines.keyword('Frames:'), 1, 'number of frames')
    if frames < 1 or frames != int(frames):
        raise lines.wrong('a number of frames')
    words = lines.keyword('Frame Time:')
    (seconds,) = lines.numbers(words, 1, 'time in seconds')
    if seconds <= 0:
        raise lines.wrong('a positive time')
    width = sum(len(joint.channels) for joint in joints)
    rows: list[list[float]] = []
    while not lines.is_done:
        rows.append(lines.numbers(_words_of_frame(lines, width), width, 'channel values'))
    if len(rows) < frames - 1 or not rows:
        raise MotionError(
            f'the file ends after line {lines.number} with {len(rows)} of {int(frames)} frames: '
            f'was it cut off? If not, write "Frames: {len(rows)}" into it'
        )
    remarks = []
    if len(rows) != frames:
        remarks.append(f'it speaks of {int(frames)} frames and has {len(rows)}: all were read')
    return BvhFile(
        tuple(joints), np.array(rows), _rate(words[0].replace(',', '.')), tuple(remarks)
    )


def _words_of_frame(lines: _Lines, width: int) -> list[str]:
    """The values of a frame, from one line or from several that hold ``width`` together."""
    words = lines.next('a frame')
    begun, read = words, lines.read
    while len(words) < width and not lines.is_done:
        words = words + lines.next('a frame')
    if len(words) != width and lines.read != read:
        lines.read, words = read, begun  # no frame in several lines: this one is wrong
    return words


def _read_tree(lines: _Lines) -> list[BvhJoint]:
    """The root and all below it, up to the brace that closes it."""
    joints: list[BvhJoint] = []
    above: list[int] = []
    name = ' '.join(lines.keyword('ROOT'))
    while True:
        if not name:
            raise lines.wrong('a name')
        lines.keyword('{')
        if lines.coming() == 'CHANNELS':
            channels, offset = _read_channels(lines), _read_offset(lines)
        else:
            offset, channels = _read_offset(lines), _read_channels(lines)
        joints.append(BvhJoint(name, above[-1] if above else -1, offset, channels))
        above.append(len(joints) - 1)
        while (words := lines.next('"JOINT", "End Site" or "}"'))[0].upper() != 'JOINT':
            if words == ['}']:
                above.pop()
                if not above:
                    return joints
            elif [word.upper() for word in words[:2]] == ['END', 'SITE']:  # some name it
                lines.keyword('{')
                end = f'{joints[above[-1]].name} (end)'
                joints.append(BvhJoint(end, above[-1], _read_offset(lines), ()))
                lines.keyword('}')
            else:
                raise lines.wrong('"JOINT", "End Site" or "}"')
        name = ' '.join(words[1:])


def _read_offset(lines: _Lines) -> tuple[float, float, float]:
    x, y, z = lines.numbers(lines.keyword('OFFSET'), 3, 'numbers')
    return x, y, z


def _read_channels(lines: _Lines) -> tuple[str, ...]:
    count, *names = lines.keyword('CHANNELS') or ['']
    known = {channel.upper(): channel for channel in CHANNELS}
    channels = tuple(known.get(name.upper(), '') for name in names)
    if count != str(len(names)) or '' in channels or len(set(channels)) != len(channels):
        raise lines.wrong(f'"CHANNELS", their number and as many names like {CHANNELS[0]}')
    return channels


def _rate(seconds: str) -> float:
    """Frames per second; a whole number where the frame time is one, rounded to its digits."""
    time = Decimal(seconds)
    digit = 10.0 ** int(time.as_tuple().exponent)
    whole = max(round(1 / float(time)), 1)
    return float(whole) if abs(1 / whole - float(time)) <= digit else 1 / float(time)


def _shown(found: str) -> str:
    return f'"{found}"' if len(found) <= 60 else f'"{found[:57]}..."'
