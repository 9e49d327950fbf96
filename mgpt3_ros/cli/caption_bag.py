# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``mgpt3 caption-bag``: what a body in a bag does, over time."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from typing import TYPE_CHECKING

from mgpt3_ros.cli import bag_options, options
from mgpt3_ros.cli.outputs import add_output_option, names, output_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgpt3_ros.bags import Bag, BagCopy, Body, Window, Windows
    from mgpt3_ros.bags.caption_files import Caption
    from mgpt3_ros.bags.segments import Labelled
    from mgpt3_ros.model.motiongpt3 import MotionGPT3

_STRIDE_S = 3.0

SUMMARY = 'what a body in a bag of ROS 2 does, over time'
DESCRIPTION = """\
Caption a rosbag2 (sqlite3 or mcap, compressed or not): the motion in its joint states falls into
segments of one action each, with a label and a sentence. --window asks for a sentence for each of
sliding windows instead. ROS need not be installed; the memory used does not grow with the bag.
Joints may come at any rate; a gap of more than half a second ends a segment. Without -o and
--write-bag the captions go to standard output.
"""
EXAMPLES = """\
  mgpt3 caption-bag recording -o captions.srt -o captions.jsonl
  mgpt3 caption-bag recording --topic /anna/joint_states --window 4 --stride 1 -o captions.csv
  mgpt3 caption-bag recording --write-bag recording_with_captions
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    bag_options.add_bag_argument(parser)
    kind = output_file('.jsonl', '.csv', '.srt')
    add_output_option(parser, kind, '.jsonl, .csv, or .srt subtitles', required=False)
    bag_options.add_write_bag_option(parser, 'the captions as std_msgs/String')
    parser.add_argument(
        '--caption-topic',
        metavar='NAME',
        help='topic of the captions in OUT (default: caption beside the joint states)',
    )
    group = bag_options.add_which_body(parser)
    options.add_seconds_option(
        group, '--window', None, 'length of sliding windows', 'none: segments of one action each'
    )
    options.add_seconds_option(group, '--stride', None, 'time from one to the next', 'half of one')
    options.add_model_options(parser, draws=False)


def run(arguments: argparse.Namespace) -> int:
    """Caption, write, and say in one line what was done."""
    from mgpt3_ros.bags import Windows, open_bag
    from mgpt3_ros.bags.segments import find_segments

    began = time.perf_counter()
    with open_bag(arguments.bag) as bag:
        body = bag_options.body_of(bag, arguments)
        length_s = arguments.window or 2 * (arguments.stride or _STRIDE_S)
        windows = Windows(body.profile, length_s, arguments.stride or length_s / 2)
        model = options.load_model(arguments)
        found, recogniser = None, model.recogniser
        if recogniser is not None and not (arguments.window or arguments.stride):
            found, windows = find_segments(bag, body, recogniser)
        count = _caption_all(arguments, bag, body, windows, model, found)
        bag_options.say_what_was_wrong(bag, windows)
        seconds = (bag.end_ns - bag.start_ns) * 1e-9
    if not count:
        sys.stderr.write(f'warning: {bag_options.NOTHING}\n')
    written = [path for path in (*arguments.output, arguments.write_bag) if path is not None]
    took_s = time.perf_counter() - began
    said = f'{bag_options.counted(count, "caption")} of {seconds:.1f} s in {took_s:.1f} s'
    if written:
        sys.stdout.write(f'{said}: {names(written)}\n')
    else:
        sys.stderr.write(f'{said}\n')
    return 0


def _caption_all(
    arguments: argparse.Namespace,
    bag: Bag,
    body: Body,
    windows: Windows,
    model: MotionGPT3,
    found: list[Labelled] | None,
) -> int:
    """Read the bag through and write its captions; return how many there are.

    Of the segments that were ``found``, or of ``windows``.
    """
    from mgpt3_ros.bags import BagCopy
    from mgpt3_ros.bags.caption_files import caption_file
    from mgpt3_ros.bags.messages import STRING, text_message

    topic = arguments.caption_topic or bag_options.beside(body.joint_topic, 'caption')
    count = 0
    with contextlib.ExitStack() as stack:
        copy = None
        if arguments.write_bag is not None:
            copy = stack.enter_context(BagCopy(arguments.write_bag, bag, {topic: STRING}))
        files = [stack.enter_context(caption_file(path)) for path in arguments.output]
        if found is None:
            captions = _of_windows(bag, body, windows, copy, model)
        else:
            captions = _of_segments(bag, body, found, copy, model)
        for caption, recorded_ns in captions:
            count += 1
            for add in files:
                add(caption)
            if copy:
                copy.add(topic, recorded_ns, text_message(caption.caption))
            if not copy and not files:
                span = f'{caption.start_s:8.2f} {caption.end_s:8.2f}'
                sys.stdout.write(f'{span}  {caption.caption}\n')
                sys.stdout.flush()
    return count


def _of_windows(
    bag: Bag, body: Body, windows: Windows, copy: BagCopy | None, model: MotionGPT3
) -> Iterator[tuple[Caption, int]]:
    """Give the caption of each window, and when the recorder got its end [ns]."""
    for window in bag_options.read_windows(bag, body, windows, copy):
        yield timed(bag, window, str(model.caption(window.motion))), window.recorded_ns


def _of_segments(
    bag: Bag, body: Body, found: list[Labelled], copy: BagCopy | None, model: MotionGPT3
) -> Iterator[tuple[Caption, int]]:
    """Give the caption of each segment, and when the recorder got its end [ns].

    The model's sentence where it names the segment's action, else the one of its label.
    """
    from mgpt3_ros.bags.segments import segment_motions

    messages = bag_options.read_with_progress(bag, None if copy else body.topics)
    last_s = 0.0
    for message, done in segment_motions(body, messages, found):
        if copy and message is not None:
            copy.copy(message)
        for segment, recorded_ns, motion in done:
            caption = captioned(bag, segment, recorded_ns, last_s, str(model.caption(motion)))
            last_s = caption.end_s
            yield caption, recorded_ns


def captioned(bag: Bag, segment: Labelled, recorded_ns: int, last_s: float, said: str) -> Caption:
    """Return the caption of a segment: what was said where it names the action, else its label's.

    Args:
        bag: that it is of.
        segment: of one action.
        recorded_ns: when the recorder got its end.
        last_s: where the segment before it ended.
        said: by the model.
    """
    from mgpt3_ros.bags.caption_files import Caption
    from mgpt3_ros.model.language.caption_actions import read_action

    text = said if read_action(said) == segment.label else segment.sentence
    end_s = (recorded_ns - bag.start_ns) * 1e-9
    start_s = max(end_s - (segment.end_ns - segment.start_ns) * 1e-9, last_s)
    stamps = segment.start_ns, segment.end_ns
    about = segment.label, round(segment.confidence, 3)
    return Caption(round(start_s, 3), round(end_s, 3), *stamps, text, *about)


def timed(bag: Bag, window: Window, text: str) -> Caption:
    """Return a caption with the times of its window.

    Stamps may be of another clock than the recorder's, such as a simulation's: the seconds since
    the beginning of the bag are the recorder's.
    """
    from mgpt3_ros.bags.caption_files import Caption

    end_s = (window.recorded_ns - bag.start_ns) * 1e-9
    start_s = max(end_s - (window.end_ns - window.start_ns) * 1e-9, 0.0)
    return Caption(round(start_s, 3), round(end_s, 3), window.start_ns, window.end_ns, text)
