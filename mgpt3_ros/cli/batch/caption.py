# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 batch caption``: what motion files and bags show, a .jsonl of captions for each."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mgpt3_ros.cli import bag_options, options
from mgpt3_ros.cli.batch.inputs import by_weight, is_bag, named
from mgpt3_ros.cli.batch.work import (
    Do,
    Failure,
    Item,
    Job,
    Remark,
    Unit,
    load_model,
    reason_of,
)

if TYPE_CHECKING:
    from mgpt3_ros.bags.caption_files import Caption
    from mgpt3_ros.model.motion import Motion
    from mgpt3_ros.model.motiongpt3 import MotionGPT3

T = TypeVar('T')
_AT_ONCE = 32  # segments of a bag that are captioned in one batch

SUMMARY = 'caption a tree of motion files and bags'
DESCRIPTION = """\
Caption every motion file (.npz, .npy, .bvh, .glb, .vrma) and every bag of ROS 2 in the folders.
Each gives OUT/NAME.jsonl, NAME as it lies in its folder: one line for a motion file, as
`mgpt3 caption` says it of its last ten seconds; for a bag a line for each segment, as
`mgpt3 caption-bag` finds them.
"""
EXAMPLES = """\
  mgpt3 batch caption recordings -o captions
  mgpt3 batch caption recordings -o captions --workers 8 --resume
  mgpt3 batch caption /shared/recordings -o /shared/captions --ray head:6379
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what beside inputs and workers can be said."""
    options.add_reading_options(parser)
    bag_options.add_which_body(parser)
    options.add_model_options(parser, draws=False)


@dataclass(frozen=True)
class CaptionJob(Job):
    """Captions of files. inputs: files and folders. size: motion files in a unit."""

    inputs: tuple[Path, ...]
    size: int
    arguments: argparse.Namespace

    def settings(self) -> dict[str, Any]:
        """Which model, and how files are read."""
        given = vars(self.arguments)
        names = 'checkpoint', 'fps', 'up', 'topic', 'odom', 'profile', 'body_id'
        return {**{n: given[n] for n in names}, 'skeleton': [str(s) for s in given['skeleton']]}

    def units(self) -> list[Unit]:
        """Motion files together, bags alone."""
        from mgpt3_ros.training.data.raw import motion_files

        return by_weight(named(self.inputs, motion_files), self.size)

    def load(self) -> Do:
        """Load the model."""
        given = self.arguments
        model = load_model(given.checkpoint, given.device)
        reading = options.reading_options(given)

        def do(unit: Unit, folder: Path) -> list[Failure | Remark]:
            if is_bag(unit.items[0]):
                found, told = _of_bag(model, unit.items[0], given)
            else:
                found, told = _of_files(model, unit.items, reading)
            for name, captions in found.items():
                _write(folder / f'{name}.jsonl', captions)
            return told

        return do


Found = tuple[dict[str, list['Caption']], list[Failure | Remark]]


def _of_files(model: MotionGPT3, items: Sequence[Item], reading: dict[str, Any]) -> Found:
    """Captions of motion files, read in one batch."""
    from mgpt3_ros.bags.caption_files import Caption
    from mgpt3_ros.model.motion import Motion

    motions: dict[str, Motion] = {}
    told: list[Failure | Remark] = []
    for item in items:
        try:
            motion = Motion.load(Path(item.source), **reading)
            remarks = options.motion_remarks(motion, reading['up'])
            told += [Remark(item.name, remark) for remark in remarks]
            motions[item.name] = motion
        except Exception as error:  # one file must not end the others
            told.append(Failure(item.name, reason_of(error)))
    said, refused = _said(model, motions)
    found = {
        name: [Caption(0.0, round(motions[name].duration_s, 3), 0, 0, text)]
        for name, text in said.items()
    }
    return found, [*told, *refused]


def _said(model: MotionGPT3, motions: dict[str, Motion]) -> tuple[dict[str, str], list[Failure]]:
    """Sentences by name; where a batch cannot be read, each by itself shows what is at fault."""
    if not motions:
        return {}, []
    try:
        texts = model.caption(list(motions.values()))
        return dict(zip(motions, texts, strict=True)), []
    except Exception as error:
        if len(motions) == 1:
            return {}, [Failure(name, reason_of(error)) for name in motions]
    parts = [_said(model, {name: motion}) for name, motion in motions.items()]
    return {k: v for said, _ in parts for k, v in said.items()}, [f for _, fs in parts for f in fs]


def _of_bag(model: MotionGPT3, item: Item, given: argparse.Namespace) -> Found:
    try:
        captions, remarks = _bag_captions(model, Path(item.source), given)
    except Exception as error:
        return {}, [Failure(item.name, reason_of(error))]
    if not captions:
        remarks.append(bag_options.NOTHING)
    return {item.name: captions}, [Remark(item.name, remark) for remark in remarks]


def _bag_captions(
    model: MotionGPT3, path: Path, given: argparse.Namespace
) -> tuple[list[Caption], list[str]]:
    """Captions of a bag's segments, and what was wrong with it.

    Of windows where the checkpoint names no actions.
    """
    from mgpt3_ros.bags import Windows, body_windows, find_body, open_bag
    from mgpt3_ros.bags.segments import find_segments, segment_motions
    from mgpt3_ros.cli.caption_bag import captioned, timed

    captions: list[Caption] = []
    with open_bag(path) as bag:
        odometry = '' if given.odom == 'none' else given.odom
        which = given.topic, odometry, given.profile, given.body_id
        body = find_body(bag, *which, bag_options.known_robots())
        remarks = [] if body.odometry or given.odom == 'none' else [bag_options.NO_ODOMETRY]
        messages = bag.messages(body.topics)
        if model.recogniser is None:
            windows = Windows(body.profile)
            ends = (done for _, done in body_windows(body, messages, windows))
            for part in _batches(window for done in ends for window in done):
                texts = model.caption([window.motion for window in part])
                captions += [timed(bag, *pair) for pair in zip(part, texts, strict=True)]
            return captions, remarks + bag_options.what_was_wrong(bag, windows)
        found, windows = find_segments(bag, body, model.recogniser)
        done_there = (done for _, done in segment_motions(body, messages, found))
        for batch in _batches(each for done in done_there for each in done):
            texts = model.caption([motion for _, _, motion in batch])
            for (segment, recorded_ns, _), text in zip(batch, texts, strict=True):
                last_s = captions[-1].end_s if captions else 0.0
                captions.append(captioned(bag, segment, recorded_ns, last_s, text))
        return captions, remarks + bag_options.what_was_wrong(bag, windows)


def _batches(stream: Iterable[T]) -> Iterator[list[T]]:
    """Lists of what a stream gives, so that never more than a batch of it is held."""
    source = iter(stream)
    while batch := list(islice(source, _AT_ONCE)):
        yield batch


def _write(path: Path, captions: list[Caption]) -> None:
    from mgpt3_ros.bags.caption_files import caption_file

    path.parent.mkdir(parents=True, exist_ok=True)
    with caption_file(path) as add:
        for caption in captions:
            add(caption)
