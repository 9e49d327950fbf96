# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.instructions --data PACK``: are instructions answered, and rightly?

The hundred instructions of ``benchmarks/instructions.yaml`` are put to a checkpoint, with real
clips of the pack's val split in their places. Counted is the right kind of answer, words or a
motion, and the right content: a forest of trees that was trained on real clips names what a motion
shows; captions and choices must name the clip's action; forecasts and in-betweens must be as long
as was asked and go on from the clip; times must lie within half to twice the median of real clips.
What no motion answers must be declined; with a model that talks, answered as its language model
does by itself.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml

from benchmarks.language import as_it_came
from benchmarks.table import circumstances
from mgpt3_ros.model.errors import MotionGPT3Error
from mgpt3_ros.model.kinematics.skeleton import FPS
from mgpt3_ros.model.language.confidence import names_action
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.responding import CANNOT, Answer
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.clip import Clip
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.classifier import ActionClassifier
from mgpt3_ros.training.evaluation.language import answers

IN_WORDS = ('caption', 'choice', 'duration', 'length', 'talk')
NEAR_M = 0.1  # mean over joints between a clip's last frame and what goes on from it
SEEN_S = 3.0  # of a clip that is continued


class Clips:
    """Real clips by action, each one once, then again."""

    def __init__(self, clips: list[Clip]) -> None:
        self._by_action: dict[str, list[Motion]] = defaultdict(list)
        for clip in clips:
            if clip.action:
                self._by_action[clip.action].append(Motion(clip.joints))
        self._taken: dict[str, int] = defaultdict(int)

    def next(self, action: str) -> Motion:
        """The next clip of an action."""
        own = self._by_action[action]
        self._taken[action] += 1
        return own[(self._taken[action] - 1) % len(own)]

    def usual_s(self, action: str) -> float:
        """The median duration of an action's clips [s]."""
        return float(np.median([motion.duration_s for motion in self._by_action[action]]))


def motions_for(task: str, name: str, prompt: str, clips: Clips) -> list[Motion]:
    """The clips that stand in a prompt."""
    count = prompt.count('{motion}')
    if task == 'between':  # two pieces of one walk, so far apart as is asked
        walk = clips.next('walk')
        gap = round(float(name) * FPS)
        begin = max((walk.num_frames - gap) // 2, 10)
        return [walk.crop(0, begin), walk.crop(min(begin + gap, walk.num_frames - 10))]
    if task == 'predict':
        return [clips.next('walk').crop(0, round(SEEN_S * FPS))]
    action = name if task in ('caption', 'choice') else 'walk'
    return [clips.next(action) for _ in range(count)]


def right(
    task: str, name: str, given: Answer, seen: list[Motion], clips: Clips, judge: ActionClassifier
) -> bool:
    """Whether the content of an answer of the right kind is right."""
    if task == 'generate':
        assert given.motion is not None
        return judge.predict([given.motion.joints]) == [name]
    if task in ('predict', 'between'):
        assert given.motion is not None
        drawn = given.motion.joints
        gaps = [np.linalg.norm(drawn[0] - seen[0].joints[-1], axis=-1).mean()]
        if task == 'between':
            gaps.append(np.linalg.norm(drawn[-1] - seen[1].joints[0], axis=-1).mean())
        return abs(given.motion.duration_s - float(name)) < 0.051 and max(gaps) < NEAR_M
    if task == 'caption':
        return names_action(given.text, name)
    if task == 'choice':
        return names_action(given.text.split(':')[0], name) or (
            # "left or right hand" is answered by the side alone
            '-' in name and name.split('-')[1] in given.text.split(':')[0]
        )
    if task == 'talk':
        return given.text == CANNOT
    number = re.search(r'\d+(?:\.\d+)?', given.text)
    if number is None:
        return False
    wanted = seen[0].duration_s if task == 'length' else clips.usual_s(name)
    bounds = (0.98, 1.02) if task == 'length' else (0.5, 2.0)
    return bounds[0] * wanted - 0.06 <= float(number.group()) <= bounds[1] * wanted + 0.06


@dataclass
class Found:
    """By task, whether the kind and the content of each answer are right; and the wrong ones."""

    kinds: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    contents: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)

    @property
    def totals(self) -> tuple[int, int, int]:
        """Right kinds, right contents, and of how many."""
        kinds = [right for own in self.kinds.values() for right in own]
        contents = [right for own in self.contents.values() for right in own]
        return sum(kinds), sum(contents), len(kinds)


def measure(
    model: MotionGPT3, judge: ActionClassifier, clips: Clips, before: MotionGPT3 | None = None
) -> Found:
    """Put all instructions to a model.

    Args:
        model: of either form.
        judge: names what drawn motions show.
        clips: that stand in the instructions.
        before: of a model that talks, its language model as it came: what it is to answer.
    """
    listed = yaml.safe_load(Path(__file__).with_name('instructions.yaml').read_text('utf-8'))
    found = Found()
    for task, groups in listed.items():
        for name, prompts in groups.items():
            for prompt in prompts:
                seen = motions_for(task, str(name), prompt, clips)
                wanted = 'text' if task in IN_WORDS else 'motion'
                try:
                    given = model.respond(prompt, seen, generator=noise_source(0))
                except MotionGPT3Error as error:
                    given = Answer('text', str(error))
                kind = given.kind == wanted
                if task == 'talk' and before is not None:
                    (said,) = answers(before, [prompt])
                    content = kind and given.text.startswith(before.tokenizer.decode(said).strip())
                else:
                    content = kind and right(task, str(name), given, seen, clips, judge)
                found.kinds[task].append(kind)
                found.contents[task].append(content)
                if not content:
                    found.wrong.append(
                        f'{task} {name}: {prompt} -> {given.kind}: {given.text[:90]}'
                    )
    return found


def main(argv: list[str] | None = None) -> int:
    """Print how many answers are of the right kind and content, by task."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.instructions', description=__doc__)
    parser.add_argument('--checkpoint', default=None, help='checkpoint folder (the shipped one)')
    parser.add_argument('--data', type=Path, required=True, help='folder of a pack')
    parser.add_argument('--wrong', action='store_true', help='print wrong answers')
    options = parser.parse_args(argv)
    print(circumstances())
    model, pack = MotionGPT3.from_pretrained(options.checkpoint), load_pack(options.data)
    judge = ActionClassifier(pack.train, uncounted=())
    found = measure(model, judge, Clips(pack.val), as_it_came(model) if model.talks else None)
    if options.wrong:
        print(*(f'  {line}' for line in found.wrong), sep='\n')
    print(f'{model.name}: right kind, right content')
    for task, kinds in found.kinds.items():
        print(f'  {task:10} {sum(kinds)}, {sum(found.contents[task])} of {len(kinds)}')
    kind, content, count = found.totals
    print(f'  {"all":10} {kind}, {content} of {count}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
