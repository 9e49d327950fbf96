# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.prompts --data PACK``: how often README's prompts give what they ask for.

Twenty motions of each prompt, their actions named by the recogniser that the model card uses.

``--blind``: the same of the blind prompts, ``blind_prompts.yaml`` for the old fifteen actions and
``blind_prompts_new.yaml`` for the new ones: those that the checkpoint lists, drawn from the words
as they are, and as ``MotionGPT3.generate`` draws them, without a sentence encoder and with it; and
how often side, number and negation survive.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import TypedDict

from benchmarks.table import circumstances
from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.model.language.pretrained import MINILM, NO_ENCODER, installed
from mgpt3_ros.model.language.sentence_lookup import SentenceLookup, side_of
from mgpt3_ros.model.language.understanding import understood
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.classifier import ActionClassifier
from mgpt3_ros.training.evaluation.measures import drawn_or_refused, recognition

MOTIONS = 20


class _Way(TypedDict):
    encoder: str
    as_is: bool


PROMPTS = {
    'raise your left arm': 'raise-up-left-hand',
    'raise your right arm': 'raise-up-right-hand',
    'lift both arms above your head': 'raise-up-both-hands',
    'run fast': 'run',
    'a person jogs forward': 'run',
    'walk backward': 'walk-back',
    'walk forward and turn left': 'walk-turn-left',
    'walk, then turn right': 'walk-turn-right',
    'sidestep to the left': 'walk-left',
    'take a deep bow': 'bow',
    'say goodbye': 'bye',
}

BLIND = ('blind_prompts.yaml', 'blind_prompts_new.yaml')
WAYS: dict[str, _Way] = {
    'words as they are': {'encoder': 'off', 'as_is': True},
    'understood by rules': {'encoder': 'off', 'as_is': False},
    'understood with a sentence encoder': {'encoder': 'auto', 'as_is': False},
}


def main(argv: list[str] | None = None) -> int:
    """Print a line for each prompt: how many are right, and what the others are."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.prompts', description=__doc__)
    parser.add_argument('--data', type=Path, required=True, help='folder of the mocap22 pack')
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    parser.add_argument('--blind', action='store_true', help='the blind prompts (pack motion52)')
    parser.add_argument('--draws', type=int, default=1, help='of each blind prompt')
    arguments = parser.parse_args(argv)
    if arguments.blind:
        return blind(arguments)
    recogniser = ActionClassifier(load_pack(arguments.data).train)
    model = MotionGPT3.from_pretrained(arguments.checkpoint)
    for prompt, wanted in PROMPTS.items():
        motions = model.generate([prompt] * MOTIONS, generator=noise_source(3))
        found = Counter(recogniser.predict([motion.joints for motion in motions]))
        right = found.pop(wanted, 0)
        others = ', '.join(f'{count} {action}' for action, count in found.items())
        print(f'{right:2d} of {MOTIONS}  {prompt}' + (f'  (others: {others})' if others else ''))
    return 0


def blind(arguments: argparse.Namespace) -> int:
    """Print a line for each list and each way to draw."""
    print(circumstances())
    judge = ActionClassifier(load_pack(arguments.data).train, uncounted=())
    for name, options in WAYS.items():
        if options['encoder'] != 'off' and not installed(MINILM):
            print(f'{name}: skipped, {NO_ENCODER}')
            continue
        model = MotionGPT3.from_pretrained(arguments.checkpoint, encoder=options['encoder'])
        if model.lookup is not None:
            survival(model, model.lookup)
        labels = {action.label for action in model.known_actions()}
        for file in BLIND:
            rows = rows_of(file, labels)
            wanted, texts = [label for label, _ in rows], [text for _, text in rows]
            found = list[str | None]()
            for draw in range(arguments.draws if rows else 0):
                lengths = [None] * len(texts)
                drawn = drawn_or_refused(model, texts, 100 * draw, lengths, options['as_is'])
                seen = iter(judge.predict([joints for joints in drawn if joints is not None]))
                found += [None if joints is None else next(seen) for joints in drawn]
            right = recognition(wanted * arguments.draws, found) if rows else None
            if right is not None:
                print(
                    f'{model.name}, {file}, {name}: right action {right.action}, mean over '
                    f'actions {right.mean_over_actions:.3f}, wrong side {right.side_wrong.right} '
                    f'of {right.side_wrong.count}, refused {found.count(None)}'
                )
    return 0


def survival(model: MotionGPT3, lookup: SentenceLookup) -> None:
    """Print how often side, number and negation survive the look-up: by vectors alone, by rule.

    Of the blind prompts of listed actions; counted ("... three times") and denied ("do not ...")
    they should find no known sentence.
    """
    known = model.known_actions()
    labels = {action.label for action in known}
    texts = [text for file in BLIND for _, text in rows_of(file, labels)]
    sided = [text for text in texts if side_of(text) in ('left', 'right')]
    alone = [lookup.nearest(text, labels, sure=True, sides=False) for text in sided]
    ruled = [lookup.nearest(text, labels, sure=True) for text in sided]
    for name, found in (('vectors alone', alone), ('vectors and rule', ruled)):
        said = [None if one is None else side_of(one.sentence) for one in found]
        kept = sum(a == side_of(text) for a, text in zip(said, sided, strict=True))
        print(f'{model.name}, side kept by {name}: {kept} of {len(sided)}')
    for name, change in (('counted', '{} three times'), ('denied', 'do not {}')):
        asked = [change.format(text) for text in texts]
        near = sum(lookup.nearest(text, labels) is not None for text in asked)
        taken = sum(understood(text, known, lambda: lookup) is not None for text in asked)
        print(
            f'{model.name}, {name}: {near} of {len(asked)} are near to a known sentence by '
            f'vectors alone, {taken} are understood as one'
        )


def rows_of(file: str, labels: Collection[str]) -> list[tuple[str, str]]:
    """Action and text of each prompt of a list that asks for one of some actions."""
    listed = load_yaml(Path(__file__).with_name(file))
    return [(label, text) for label, own in listed.items() if label in labels for text in own]


if __name__ == '__main__':
    raise SystemExit(main())
