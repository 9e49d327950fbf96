# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure a checkpoint on two lists of actions, and write the tables into its card.

``python -m scripts.two_lists CHECKPOINT --data PACK``: the fifteen actions of mocap22, on the
pack's val clips, and all others with six train clips and more, on takes that `held_out` of a
training keeps back. What the card says besides stays; the tables stand between two comments, at
its end where it has none. ``make card DATA=PACK CHECKPOINT=stream`` does the same.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from mgpt3_ros.model.checkpoints import checkpoint
from mgpt3_ros.model.config import load_yaml
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.confidence import names_action
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.action_lists import split
from mgpt3_ros.training.evaluation.classifier import ActionClassifier
from mgpt3_ros.training.evaluation.measures import (
    Recognition,
    Share,
    drawn_or_refused,
    grouped,
    recognition,
    spread_ratio,
)
from mgpt3_ros.training.evaluation.motion_quality import bodies
from mgpt3_ros.training.evaluation.naturalness import Distance, naturalness
from scripts.card_block import placed
from scripts.model_card import commit
from scripts.templates import render

PROMPTS = Path(__file__).resolve().parent.parent / 'benchmarks' / 'confidence.yaml'
FIGURES = 'two_lists.json'
SUNK_M = 0.01
_SHORTEST_S = 0.5  # that a model draws


@dataclass(frozen=True)
class ActionList:
    """A list's figures; jitter, slide, floating: drawn beside real ones.

    captions, readable: clips whose caption by the model, and by the data, the look-up reads as
    their action. refused: draws that no body could do.
    """

    clips: int
    actions: int
    real: Recognition
    made: Recognition
    captions: Share
    readable: Share
    free: Recognition
    refused: Share
    sunk: Share
    jitter: float
    slide: tuple[float, float]
    floating_mm: tuple[float, float]
    spread: float

    @property
    def over_real(self) -> float:
        """Recognised of the drawn over recognised of the real ones."""
        return self.made.action.value / self.real.action.value


def measured(
    model: MotionGPT3, judge: ActionClassifier, clips: Sequence[Clip], seeds: int
) -> ActionList:
    """The figures of a list."""
    wanted = [str(clip.action) for clip in clips]
    real = [clip.joints for clip in clips]
    texts = [clip.captions[0] for clip in clips]
    longest_s = model.config.max_frames / FPS
    seconds = [min(max(len(joints) / FPS, _SHORTEST_S), longest_s) for joints in real]
    made, found = list[np.ndarray](), list[str | None]()
    kept_names, refused = list[str](), 0
    for seed in range(seeds):
        drawn = drawn_or_refused(model, texts, 1000 * seed, seconds)
        seen = iter(judge.predict([joints for joints in drawn if joints is not None]))
        for joints, name in zip(drawn, wanted, strict=True):
            found.append(None if joints is None else next(seen))
            refused += joints is None
            if joints is not None:
                made.append(joints)
                kept_names.append(name)
    said = model.caption([Motion(joints) for joints in real])
    named = sum(names_action(text, name) for text, name in zip(said, wanted, strict=True))
    readable = sum(names_action(text, name) for text, name in zip(texts, wanted, strict=True))
    bodies_made, bodies_real = bodies(made), bodies(real)
    return ActionList(
        clips=len(clips),
        actions=len(set(wanted)),
        real=recognition(wanted, judge.predict(real)),
        made=recognition(wanted * seeds, found),
        captions=Share(named, len(clips)),
        readable=Share(readable, len(clips)),
        free=_in_free_words(model, judge, set(wanted)),
        refused=Share(refused, len(found)),
        sunk=Share(sum(bool(m[..., 1].min() < -SUNK_M) for m in made), len(made)),
        jitter=bodies_made['jitter [m/s^3]'] / bodies_real['jitter [m/s^3]'],
        slide=(bodies_made['foot slide [m/s]'], bodies_real['foot slide [m/s]']),
        floating_mm=(bodies_made['floating [mm]'], bodies_real['floating [mm]']),
        spread=spread_ratio(grouped(wanted, real), grouped(kept_names, made)),
    )


def _in_free_words(model: MotionGPT3, judge: ActionClassifier, names: set[str]) -> Recognition:
    """The known prompts of the benchmark of confidence that ask for such actions."""
    known = load_yaml(PROMPTS)['known']
    rows = [(text, name) for name, own in known.items() if name in names for text in own]
    wanted = [name for _, name in rows]
    lengths: list[float] = [3.0] * len(rows)
    texts = [text for text, _ in rows]
    drawn = drawn_or_refused(model, texts, 7000, lengths, as_is=False)
    found = [None if joints is None else judge.predict([joints])[0] for joints in drawn]
    return recognition(wanted, found)


def tables(
    lists: dict[str, ActionList], natural: dict[str, dict[str, Distance]], command: str
) -> str:
    """The part of the card that is measured."""
    return render(
        'two_lists.md.j2',
        lists=lists,
        natural=natural,
        isnan=math.isnan,
        command=command,
        measured_on=f'{date.today()}, commit {commit()}, {platform.machine()}',
    )


def main(argv: list[str] | None = None) -> int:
    """Measure, print the tables, write them into the card and ``two_lists.json`` beside it."""
    parser = argparse.ArgumentParser(prog='python -m scripts.two_lists', description=__doc__)
    parser.add_argument('checkpoint', help='checkpoint folder, or the name of a shipped one')
    parser.add_argument('--data', type=Path, required=True, help='folder of the motion52 pack')
    parser.add_argument('--seeds', type=int, default=1, help='motions of each clip (default: 1)')
    parser.add_argument(
        '--held-out', type=float, default=0.15, help='share of takes that its training kept back'
    )
    arguments = parser.parse_args(argv)
    folder, pack = checkpoint.find_checkpoint(arguments.checkpoint), load_pack(arguments.data)
    model = MotionGPT3.from_pretrained(folder)
    train, old, new = split(pack, arguments.held_out)
    judge = ActionClassifier(train, uncounted=())
    lists = {
        'fifteen old actions': measured(model, judge, old, arguments.seeds),
        'new actions': measured(model, judge, new, arguments.seeds),
    }
    natural = naturalness(model, [*pack.train, *pack.val])
    command = (
        f'python -m scripts.two_lists {arguments.checkpoint} --data PACK '
        f'--seeds {arguments.seeds} --held-out {arguments.held_out:g}'
    )
    block = tables(lists, natural, command)
    card = folder / checkpoint.CARD
    known = card.read_text(encoding='utf-8') if card.is_file() else f'# {model.name}\n'
    checkpoint.write_text(card, placed(known, block))
    figures: dict[str, Any] = {name: asdict(one) for name, one in lists.items()}
    figures['naturalness'] = {
        group: {measure: asdict(one) for measure, one in rows.items()}
        for group, rows in natural.items()
    }
    checkpoint.write_text(folder / FIGURES, json.dumps(figures, indent=1) + '\n')
    print(block)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
