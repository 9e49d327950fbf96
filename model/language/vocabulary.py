# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a motion stands in a sentence: its token ids, and what stands for it in a text."""

from __future__ import annotations

# Stands for a motion inside a prompt or an answer: Unicode's object replacement character, which
# nobody types. In a prompt it becomes input holders, in an answer output holders.
MOTION = '\ufffc'
MASKED = '\x1a'  # the same for a motion that is missing: Unicode's control character SUBSTITUTE

MARKERS = 2  # <start_of_motion> and <end_of_motion>
MOTION_TOKENS = 6  # rows of the motion vocabulary; the authors leave the last two unused


class Vocabulary:
    """Token ids: ``vocab_size`` words V, then two markers, then the motion vocabulary.

    V and V + 1 begin and end a motion and belong to the text; V + 2 to V + 5 stand for a motion:
    masked, padding, held for output, held for input (the order of MotionGPT3's vocabulary). Codes
    of a model that writes motions as such (`network.code_network`) follow from ``first_code`` on.
    """

    def __init__(self, vocab_size: int) -> None:
        self.vocab_size = vocab_size
        self.start_of_motion = vocab_size
        self.end_of_motion = vocab_size + 1
        self.first_motion = vocab_size + MARKERS  # row 0 of the motion vocabulary
        self.masked_motion = self.first_motion
        self.pad_motion = self.first_motion + 1
        self.output_holder = self.first_motion + 2
        self.input_holder = self.first_motion + 3
        self.first_code = self.first_motion + MOTION_TOKENS
