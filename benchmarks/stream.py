# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.stream WHAT --checkpoint FOLDER --data PACK``: what the stream form does.

WHAT is one of

- ``text``: captions of clips that training never saw, drawn from one standing pose at true
  lengths: the action recognised, over that of real clips; sides; jitter, pace, slide, heights;
- ``commands``: every ordered pair of ten actions, some seconds each: is the new one recognised,
  how soon does it show, and how much does the body jerk at the change and at borders of chunks;
- ``endless``: minutes of walking, of standing, of random commands, many seeds: what drifts;
- ``speed``: words to the first frames, and the time of a step, on one core.

Predictions, in-betweens and their rivals: ``mgpt3 evaluate --protocol prediction --rivals``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.table import circumstances
from mgpt3_ros.model.finishing.foot_lock import foot_slide
from mgpt3_ros.model.kinematics.skeleton import FPS, JOINT_NAMES
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.pipelines.stream import StreamPipeline, one_source_each, stand
from mgpt3_ros.model.sampling import SamplingOptions, noise_source
from mgpt3_ros.model.stream import streaming
from mgpt3_ros.training.data.clip import Clip, action_side
from mgpt3_ros.training.data.held_out import held_out_takes
from mgpt3_ros.training.data.packs import load_pack
from mgpt3_ros.training.evaluation.action_lists import old_actions
from mgpt3_ros.training.evaluation.classifier import ActionClassifier
from mgpt3_ros.training.evaluation.measures import pace
from mgpt3_ros.training.evaluation.motion_quality import jitter

COMMANDS = {
    'walk': 'a person walks forward.',
    'run': 'a person runs forward.',
    'walk-back': 'a person walks backward.',
    'walk-turn-left': 'a person walks and turns left.',
    'wave-right-hand': 'a person waves with the right hand.',
    'wave-both-hands': 'a person waves both hands.',
    'raise-up-left-hand': 'a person raises the left hand.',
    'bow': 'a person bows.',
    'kick-right': 'a person kicks with the right foot.',
    'box': 'a person is boxing.',
}
STOP = 'a person stands still.'
REST_SPEED = 0.01  # [m/s]: a second in which all joints are slower is frozen


def judged(train: Sequence[Clip]) -> ActionClassifier:
    """A recogniser of all actions, dance and blows too, trained on real clips alone."""
    return ActionClassifier(train, uncounted=())


def draw(
    pipeline: StreamPipeline, texts: Sequence[str], frames: int, sampling: SamplingOptions
) -> np.ndarray:
    """Motions (B, T, 22, 3) [m] of texts, each from rest, in batches."""
    made = []
    for begin in range(0, len(texts), 64):
        part = list(texts[begin : begin + 64])
        drawer = pipeline.drawer(len(part), pipeline.drawing(sampling))
        with torch.inference_mode():
            drawer.start(pipeline.start_frames(None, len(part)), *pipeline.prompts(part))
            noise = one_source_each(sampling, len(part))
            made += pipeline.draw_frames(drawer, frames, sampling, noise)
    return np.stack(made)


def by_action(wanted: Sequence[str], found: Sequence[str]) -> float:
    """Mean over actions of the share that is recognised."""
    names = sorted(set(wanted))
    hit = np.array([w == f for w, f in zip(wanted, found, strict=True)])
    return float(np.mean([hit[[w == name for w in wanted]].mean() for name in names]))


def text(pipeline: StreamPipeline, options: argparse.Namespace) -> None:
    """Text to motion on val clips of the old actions and held-out takes of the new ones."""
    pack = load_pack(options.data)
    held = held_out_takes(pack.train, options.held_out)
    train = [c for c in pack.train if (c.action, c.take) not in held]
    judge, known = judged(train), old_actions()
    new = [c for c in pack.train if (c.action, c.take) in held]
    new += [c for c in pack.val if c.action and c.action not in known]
    old = [c for c in pack.val if c.action in known]
    for name, clips in (('old actions, val', old), ('new actions, held-out takes', new)):
        clips = [c for c in clips if c.action in judge.actions]
        wanted = [str(c.action) for c in clips]
        real = judge.predict([c.joints for c in clips])
        hits, means, sides, made_all = [], [], [], []
        for seed in range(options.seeds):
            rng = np.random.default_rng(seed)
            texts = [c.captions[int(rng.integers(len(c.captions)))] for c in clips]
            sampling = sampling_of(options, seed)
            longest = max(len(c.joints) for c in clips)
            drawn = draw(pipeline, texts, longest, sampling)
            made = [d[: len(c.joints)] for d, c in zip(drawn, clips, strict=True)]
            found = judge.predict(made)
            hits.append(np.mean([w == f for w, f in zip(wanted, found, strict=True)]))
            means.append(by_action(wanted, found))
            both = [(action_side(w), action_side(f)) for w, f in zip(wanted, found, strict=True)]
            told = [a == b for a, b in both if a and b]
            sides.append(1 - np.mean(told) if told else 0.0)
            made_all += made
        recognised = np.mean([w == f for w, f in zip(wanted, real, strict=True)])
        print(f'{name}: {len(clips)} clips, {options.seeds} seeds')
        print(
            f'  recognised {np.mean(hits):.3f} of real {recognised:.3f} '
            f'= {np.mean(hits) / recognised:.3f}; mean over actions {np.mean(means):.3f} of '
            f'{by_action(wanted, real):.3f}; sides wrong {np.mean(sides):.3f}'
        )
        _print_bodies(made_all, [c.joints for c in clips])
        _print_walks(made_all, clips * options.seeds)
        if options.actions:
            _print_actions(wanted, found)


def _print_actions(wanted: Sequence[str], found: Sequence[str]) -> None:
    for action in sorted(set(wanted)):
        got = [f for w, f in zip(wanted, found, strict=True) if w == action]
        wrong = sorted({f for f in got if f != action}, key=got.count, reverse=True)[:3]
        right = got.count(action) / len(got)
        print(f'    {action:22} {right:.2f} of {len(got)}; else {", ".join(wrong)}')


def _print_bodies(made: Sequence[np.ndarray], real: Sequence[np.ndarray]) -> None:
    def lowest(motions: Sequence[np.ndarray]) -> np.ndarray:
        return np.array([joints[..., 1].min() for joints in motions])

    shake = np.mean([jitter(m) for m in made]) / np.mean([jitter(m) for m in real])
    slide = [np.mean([foot_slide(m, FPS) for m in motions]) for motions in (made, real)]
    sunk = [float((lowest(motions) < -0.01).mean()) for motions in (made, real)]
    print(
        f'  jitter {shake:.2f} of real; slide {slide[0]:.3f} m/s, real {slide[1]:.3f}; '
        f'more than 1 cm under the floor {sunk[0]:.2f}, real {sunk[1]:.2f}'
    )


def _print_walks(made: Sequence[np.ndarray], clips: Sequence[Clip]) -> None:
    pairs = [(m, c) for m, c in zip(made, clips, strict=True) if c.action == 'walk']
    if pairs:
        speeds = [
            np.mean([pace(m) for m, _ in pairs]),
            np.mean([pace(c.joints) for _, c in pairs]),
        ]
        slides = [
            np.mean([foot_slide(m, FPS) for m, _ in pairs]),
            np.mean([foot_slide(c.joints, FPS) for _, c in pairs]),
        ]
        print(
            f'  walks: {speeds[0]:.2f} m/s, real {speeds[1]:.2f}; '
            f'slide {slides[0]:.3f}, real {slides[1]:.3f}'
        )


def commands(pipeline: StreamPipeline, options: argparse.Namespace) -> None:
    """All ordered pairs of commands, one body each, ``--seconds`` each."""
    pack = load_pack(options.data)
    judge = judged(pack.train)
    pairs = [(a, b) for a in COMMANDS for b in COMMANDS if a != b]
    sampling = sampling_of(options, 0)
    drawer = pipeline.drawer(len(pairs), pipeline.drawing(sampling))
    frames = round(options.seconds * FPS)
    with torch.inference_mode():
        first = pipeline.prompts([COMMANDS[a] for a, _ in pairs])
        drawer.start(pipeline.start_frames(None, len(pairs)), *first)
        noise = one_source_each(sampling, len(pairs))
        before = np.stack(pipeline.draw_frames(drawer, frames, sampling, noise))
        drawer.tell(*pipeline.prompts([COMMANDS[b] for _, b in pairs]))
        after = np.stack(pipeline.draw_frames(drawer, frames, sampling, noise))
    found = judge.predict(list(after))
    right = np.array([f == b for f, (_, b) in zip(found, pairs, strict=True)])
    print(f'new action recognised in {right.mean():.3f} of {len(pairs)} pairs')
    for action in COMMANDS:
        rows = [b == action for _, b in pairs]
        wrong = sorted({f for f, r in zip(found, rows, strict=True) if r and f != action})
        print(f'    {action:20} {right[rows].mean():.2f}; else {", ".join(wrong)}')
    _print_onset(pipeline, judge, pairs, before, after)
    whole = np.concatenate([before, after], axis=1)
    real = [c.joints for c in pack.val if len(c.joints) > 20]
    usual = np.mean([_jerk(r).mean() for r in real])
    seam = _jerk(whole)[:, frames - 2 : frames + 1].mean()
    borders = _jerk(whole)[:, 8 - 2 :: 8].mean()
    print(f'jerk at changes {seam / usual:.2f}, at chunk borders {borders / usual:.2f} of real')


def _jerk(joints: np.ndarray) -> np.ndarray:
    """Size of the third difference (..., T - 3) [m per frame^3], mean over the joints."""
    return np.linalg.norm(np.diff(joints, n=3, axis=-3), axis=-1).mean(axis=-1)


def _print_onset(
    pipeline: StreamPipeline,
    judge: ActionClassifier,
    pairs: Sequence[tuple[str, str]],
    before: np.ndarray,
    after: np.ndarray,
) -> None:
    """When the body first differs from one that was told nothing new, by more than it would vary.

    The recogniser looks at windows of 1.2 s that end at each tenth of a second: the change shows
    at the first that is named as the new action and not as the old one.
    """
    whole, begun = np.concatenate([before, after], axis=1), before.shape[1]
    window = round(1.2 * FPS)
    seen = np.full(len(pairs), np.nan)
    for frame in range(begun + 2, whole.shape[1] + 1, 2):
        open_rows = np.flatnonzero(np.isnan(seen))
        if not len(open_rows):
            break
        named = judge.predict([whole[row, frame - window : frame] for row in open_rows])
        for row, name in zip(open_rows, named, strict=True):
            if name == pairs[row][1]:
                seen[row] = (frame - begun) / FPS
    shown = np.isfinite(seen)
    print(
        f'new action first named after {np.median(seen[shown]):.2f} s in the median, in '
        f'{shown.mean():.2f} of the pairs'
    )
    moved = np.linalg.norm(np.diff(whole, axis=1), axis=-1).mean(axis=-1) * FPS
    usual = moved[:, begun - 10 : begun].mean(axis=1, keepdims=True)
    change = np.abs(moved[:, begun - 1 :] - usual) > 0.25 * np.maximum(usual, 0.2)
    first = np.where(change.any(axis=1), change.argmax(axis=1), change.shape[1]) / FPS
    print(f'speed of the body changed by a quarter after {np.median(first):.2f} s in the median')


def endless(pipeline: StreamPipeline, options: argparse.Namespace) -> None:
    """Minutes of walking, standing and random commands: what drifts."""
    rng = np.random.default_rng(options.seed)
    bodies, minutes = options.bodies, options.minutes
    walks = [COMMANDS['walk']] * bodies
    told: dict[str, Callable[[int], list[str]]] = {
        'walking': lambda second: walks,
        'standing': lambda second: [STOP] * bodies,
        'random commands': lambda second: list(rng.choice(list(COMMANDS.values()), bodies)),
    }
    for name, texts in told.items():
        sampling = sampling_of(options, options.seed)
        drawer = pipeline.drawer(bodies, pipeline.drawing(sampling))
        noise = one_source_each(sampling, bodies)
        rows = []
        with torch.inference_mode():
            drawer.start(pipeline.start_frames(None, bodies), *pipeline.prompts(texts(0)))
            stand(drawer, texts(0))
            for minute in range(minutes):
                drawn = []
                for second in range(0, 60, 4):
                    if name == 'random commands':
                        drawer.tell(*pipeline.prompts(texts(second)))
                    drawn.append(
                        np.stack(pipeline.draw_frames(drawer, round(4 * FPS), sampling, noise))
                    )
                rows.append(_minute(np.concatenate(drawn, axis=1)))
                print(f'{name}, minute {minute + 1}: ' + _said(rows[-1]), flush=True)


def _minute(joints: np.ndarray) -> dict[str, float]:
    """What is watched of a minute of bodies (B, T, 22, 3) [m]."""
    lowest = joints[..., 1].min(axis=-1)
    speed = np.linalg.norm(np.diff(joints, axis=1), axis=-1) * FPS
    seconds = speed[:, : len(speed[0]) // 20 * 20].reshape(len(speed), -1, 20, 22)
    frozen = (seconds.max(axis=(2, 3)) < REST_SPEED).mean()
    spine = joints[:, :, JOINT_NAMES.index('neck')] - joints[:, :, 0]
    lean = np.degrees(np.arccos(spine[..., 1] / np.linalg.norm(spine, axis=-1)))
    return {
        'root height [m]': float(joints[:, :, 0, 1].mean()),
        'lean [deg]': float(lean.mean()),
        'most lean [deg]': float(lean.max()),
        'lowest joint below -1 cm': float((lowest < -0.01).mean()),
        'above 3 cm': float((lowest > 0.03).mean()),
        'slide [m/s]': float(np.mean([foot_slide(one, FPS) for one in joints])),
        'jitter [m/s^3]': float(np.mean([jitter(one) for one in joints])),
        'pace [m/s]': float(np.mean([pace(one) for one in joints])),
        'frozen': float(frozen),
    }


def _said(row: dict[str, float]) -> str:
    return ', '.join(f'{name} {value:.3f}' for name, value in row.items())


def speed(pipeline: StreamPipeline, options: argparse.Namespace) -> None:
    """Words to first frames, and a step, of one body on one core."""
    torch.set_num_threads(1)
    model = MotionGPT3.from_pretrained(options.checkpoint, 'cpu')
    first, steps = [], []
    live = model.stream(STOP, sampling=sampling_of(options, 0))
    for number in range(options.repeats):
        words = list(COMMANDS.values())[number % len(COMMANDS)]
        begun = time.perf_counter()
        live.say(words)
        live.step()
        first.append(time.perf_counter() - begun)
        for _ in range(5):
            begun = time.perf_counter()
            live.step()
            steps.append(time.perf_counter() - begun)
    for name, found in (('words to first frames', first), ('a step', steps)):
        p50, p95 = 1000 * np.percentile(found, [50, 95])
        print(f'{name}: {p50:.1f} ms in the median, {p95:.1f} ms at p95')
    chunk = live.frames / FPS
    print(f'a step takes {np.median(steps) / chunk:.3f} of its {chunk:g} s')


def sampling_of(options: argparse.Namespace, seed: int) -> SamplingOptions:
    """How everything is drawn, as the command line says."""
    return SamplingOptions(
        options.guidance, temperature=options.temperature, generator=noise_source(seed)
    )


MEASURES = {'text': text, 'commands': commands, 'endless': endless, 'speed': speed}


def main(argv: list[str] | None = None) -> int:
    """Measure one thing and print it."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.stream', description=__doc__)
    parser.add_argument('what', choices=MEASURES)
    parser.add_argument(
        '--checkpoint', required=True, help='checkpoint folder, of the stream form'
    )
    parser.add_argument('--data', type=Path, help='folder of the pack (for text and commands)')
    parser.add_argument('--held-out', type=float, default=0.15, help='share kept back in training')
    parser.add_argument('--guidance', type=float, help="guidance (the checkpoint's)")
    parser.add_argument('--temperature', type=float, help="temperature (the checkpoint's)")
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--seeds', type=int, default=1, help='draws of each caption')
    parser.add_argument('--actions', action='store_true', help='each action by itself')
    parser.add_argument('--seconds', type=float, default=4.0, help='of a command')
    parser.add_argument('--bodies', type=int, default=32)
    parser.add_argument('--minutes', type=int, default=10)
    parser.add_argument('--repeats', type=int, default=40)
    options = parser.parse_args(argv)
    if options.data is None and options.what in ('text', 'commands'):
        parser.error(f'{options.what} needs --data')
    model = MotionGPT3.from_pretrained(options.checkpoint, 'cpu')
    print(circumstances())
    MEASURES[options.what](streaming(model.pipeline), options)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
