# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.language CHECKPOINT``: did its language model keep its language?

Loss on English text and greedy answers to fifty questions, beside those of the language model as
it came, or of the checkpoint that ``--before`` names.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.table import circumstances
from mgpt3_ros.model.errors import ConfigError, MotionGPT3Error
from mgpt3_ros.model.language.pretrained import SMOLLM2, language_folder
from mgpt3_ros.model.language.tokenizer import MotionTokenizer
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network import build_network
from mgpt3_ros.training.evaluation.language import measure_language, questions

SHOWN = 3


def as_it_came(model: MotionGPT3, source: str = SMOLLM2) -> MotionGPT3:
    """A model of the same sizes with the text branch of ``source``, the rest untrained."""
    network = build_network(model.config.network)
    network.backbone.load_text(source)
    tokenizer = MotionTokenizer.load(language_folder(source))
    return MotionGPT3(model.config, network, tokenizer, model.stats)


def main(argv: Sequence[str] | None = None) -> int:
    """Print both losses and how many answers are the same."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.language')
    parser.add_argument('checkpoint', help='checkpoint folder')
    parser.add_argument('--before', help='checkpoint folder to compare with')
    parser.add_argument('--source', default=SMOLLM2, help='its language model (%(default)s)')
    parser.add_argument('--dtype', default='float32', help='of the checkpoint (%(default)s)')
    parser.add_argument('--windows', type=int, help='of the text, of 256 tokens each (all)')
    parser.add_argument('--questions', type=int, default=50, help='how many (all 50)')
    options = parser.parse_args(argv)
    try:
        model = MotionGPT3.from_pretrained(options.checkpoint, 'cpu', options.dtype)
        if options.before is not None:
            before = MotionGPT3.from_pretrained(options.before, 'cpu', 'float32')
        else:
            before = as_it_came(model, options.source)
        asked = questions()[: options.questions]
        if not asked:
            raise ConfigError(f'--questions is {options.questions}: ask one at least')
        found = [measure_language(each, asked, options.windows) for each in (before, model)]
    except MotionGPT3Error as error:
        sys.stderr.write(f'{error}\n')
        return 2
    print(circumstances())
    was, now = found
    print(f'loss on {now.tokens} tokens of {now.text}: {was.loss:.4f} before, {now.loss:.4f} now')
    print(f'answers that are the same: {now.same_answers(was)} of {len(asked)}')
    for question, one, other in list(zip(asked, was.answers, now.answers, strict=True))[:SHOWN]:
        print(f'  {question} {before.tokenizer.decode(one)!r} {model.tokenizer.decode(other)!r}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
