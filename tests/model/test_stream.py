# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model.errors import Cancelled, GenerationError, MotionError, TextError
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.stream_captions import LONGEST_CHUNKS
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.model.stream import MotionStream
from tests.support.streams import moving, small_model


@pytest.fixture(scope='module')
def model() -> MotionGPT3:
    return small_model()


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def body(frames: int = 30, seed: int = 0) -> Motion:
    return Motion(moving(1, frames, seed)[0].numpy() + np.float32([2, 0, 1]))


def gap(before: np.ndarray, after: np.ndarray) -> float:
    return float(np.linalg.norm(after - before, axis=-1).max())


def test_a_stream_goes_on_from_a_body_step_by_step(model: MotionGPT3):
    start = body()
    live = model.stream('walk', start, generator=source())
    last = start.joints[-1]
    for _ in range(6):
        step = live.step()
        assert step.joints.shape == (8, 22, 3)
        assert step.info['text'] == 'walk'
        assert gap(last, step.joints[0]) < 0.5  # untrained: a chunk moves as chunks do
        last = step.joints[-1]
    assert np.isfinite(last).all()


def test_a_stream_from_nothing_stands_at_the_origin(model: MotionGPT3):
    live = model.stream(None, generator=source())
    first = live.step()
    assert 'text' not in first.info
    assert np.linalg.norm(first.joints[0, 0, [0, 2]]) < 0.5


def test_a_pose_is_a_start(model: MotionGPT3):
    pose = body().joints[3]
    live = model.stream('walk', pose, generator=source())
    assert gap(pose, live.step().joints[0]) < 0.5
    with pytest.raises(MotionError, match='pose'):
        model.stream('walk', np.zeros((21, 3)))


def test_the_same_seed_gives_the_same_stream_and_new_words_another(model: MotionGPT3):
    one, two, three = (model.stream('walk', generator=source(4)) for _ in range(3))
    for _ in range(2):
        step = one.step().joints
        assert np.array_equal(step, two.step().joints)
        assert np.array_equal(step, three.step().joints)
    two.say('walk')
    three.say('wave')
    assert three.text == 'wave'
    spoken, other = two.step().joints, three.step().joints
    assert not np.allclose(spoken, other, atol=1e-4)
    three.say(None)
    assert 'text' not in three.step().info


def test_a_stream_goes_on_from_what_is_observed(model: MotionGPT3):
    live = model.stream('walk', generator=source())
    live.step()
    seen = body(20, seed=5)
    live.observe(seen)
    assert gap(seen.joints[-1], live.step().joints[0]) < 0.5
    live.observe(np.array(seen.joints[:2]))
    assert gap(seen.joints[1], live.step().joints[0]) < 0.5
    with pytest.raises(MotionError, match='2 frames'):
        live.observe(seen.joints[:1])


def test_a_long_stream_keeps_no_more_than_a_short_one(model: MotionGPT3):
    live = model.stream('walk', generator=source())
    for _ in range(4):
        live.step()

    def kept() -> tuple[int, int, int]:
        cache = live.drawer._cache
        assert cache is not None
        return len(cache), live.drawer.frames.numel(), live._reader._cache.capacity

    size = kept()
    for _ in range(30):
        live.step()
    assert kept() == size


def test_a_caption_is_the_same_however_seldom_one_is_asked_for(model: MotionGPT3):
    often, seldom = (model.stream('walk', generator=source()) for _ in range(2))
    for number in range(2 * LONGEST_CHUNKS + 5):
        often.step()
        often.caption()
        seldom.step()
        if number % 11 == 10:
            np.testing.assert_allclose(seen_by(seldom), seen_by(often), atol=1e-5)
            assert seldom.caption() == often.caption()


def seen_by(live: MotionStream) -> np.ndarray:
    """Values that the last layer keeps of the chunks that captions tell of."""
    live.caption()
    return live._reader._cache.kept(-1)[1].numpy()


def test_what_a_stream_shows_is_said_with_and_without_a_cache(model: MotionGPT3):
    live = model.stream('walk', generator=source())
    frames = [live.drawer.frames[0].numpy()]
    said = []
    for _ in range(5):
        frames.append(live.step().joints)
        said.append(live.caption())
    whole = Motion(np.concatenate(frames))
    assert said[-1] == model.pipeline.caption([whole])[0]
    assert live.caption() == said[-1]


def test_generate_draws_alike_alone_and_in_a_batch(model: MotionGPT3):
    both = model.generate(['walk', 'wave'], [1.0, 2.0], generator=source(3))
    assert [motion.num_frames for motion in both] == [20, 40]
    alone = model.generate('walk', 1.0, generator=source(3))
    assert np.abs(alone.joints - both[0].joints).max() < 1e-4
    assert alone.info['duration_from'] == 'asked'
    assert model.generate('walk for 2 seconds', generator=source()).num_frames == 40
    assert model.generate('walk', generator=source()).info['duration_from'] == 'predicted'


def test_generate_goes_on_from_a_start(model: MotionGPT3):
    start = body()
    assert gap(start.joints[-1], model.generate('walk', 1.0, start=start).joints[0]) < 0.5


def test_several_actions_are_one_motion_without_a_seam(model: MotionGPT3):
    motion = model.generate_sequence(['walk', 'wave', 'walk'], 1.2, generator=source())
    assert [part['start_s'] for part in motion.info['parts']] == [0.0, 1.2, 2.4]
    assert motion.num_frames == 72
    steps = np.linalg.norm(np.diff(motion.joints, axis=0), axis=-1).max(axis=1)
    assert steps[[23, 47]].max() <= steps.max()


def test_predictions_and_gaps(model: MotionGPT3):
    seen = body()
    ways = model.predict_many(seen, 1.0, 3, generator=source())
    assert [way.num_frames for way in ways] == [20, 20, 20]
    assert gap(seen.joints[-1], ways[0].joints[0]) < 0.5
    assert not np.allclose(ways[0].joints, ways[1].joints, atol=1e-4)
    after = Motion(body(20, seed=3).joints + np.float32([0.5, 0, 0.5]))
    between = model.inbetween(seen, after, 1.0, generator=source())
    assert between.num_frames == 20
    assert gap(seen.joints[-1], between.joints[0]) < 0.3
    assert gap(between.joints[-1], after.joints[0]) < 0.3


def test_a_checkpoint_keeps_its_form(model: MotionGPT3, tmp_path: Path):
    model.save_pretrained(tmp_path / 'saved')
    again = MotionGPT3.from_pretrained(tmp_path / 'saved', 'cpu')
    one, two = (each.generate('walk', 1.0, generator=source()) for each in (model, again))
    assert np.array_equal(one.joints, two.joints)
    coarse = MotionGPT3.from_pretrained(tmp_path / 'saved', 'cpu', 'bfloat16')
    rounded = coarse.generate('walk', 0.4, generator=source())
    assert gap(one.joints[:8], rounded.joints) < 0.2


def test_what_cannot_be_is_said(model: MotionGPT3):
    with pytest.raises(TextError):
        model.stream('  ')
    with pytest.raises(Cancelled):
        model.generate('walk', 4.0, should_stop=lambda: True)
    shares: list[float] = []
    model.generate('walk', 1.2, on_progress=shares.append)
    assert shares == pytest.approx([1 / 3, 2 / 3, 1.0])
    clip = MotionGPT3.from_pretrained(None, 'cpu')
    for call in (lambda: clip.stream('walk'), lambda: clip.generate('walk', start=body())):
        with pytest.raises(MotionError, match='stream form'):
            call()


def test_damaged_weights_are_noticed():
    broken = small_model()
    with torch.no_grad():
        broken.network.latent_in.weight.fill_(float('nan'))
    live = broken.stream('walk')
    live.step()  # the first token has no latent
    with pytest.raises(GenerationError, match='not numbers'):
        live.step()


def test_it_tells_how_long_it_expects_to_take(model):
    live = model.stream('walk')
    first = live.expected_s
    assert 0.1 < first < 60.0
    live.say('wave')
    assert live.expected_s != first


def test_words_that_were_never_taught_are_drawn_from_known_ones() -> None:
    model = MotionGPT3.from_pretrained('stream', 'cpu', encoder='off')
    asked = 'do a roundhouse kick'
    meant = model.understood(asked)
    assert meant is not None
    live = model.stream(asked, generator=noise_source(0))
    plain = model.stream(meant.sentence, as_is=True, generator=noise_source(0))
    step = live.step()
    np.testing.assert_array_equal(step.joints, plain.step().joints)
    assert (step.info['text'], step.info['understood_as']) == (asked, meant.sentence)
    for one in live, plain:
        one.say(None)
    step = live.step()
    np.testing.assert_array_equal(step.joints, plain.step().joints)
    assert 'understood_as' not in step.info
    live.say(asked)
    plain.say(asked)  # which says something else to it
    assert np.abs(live.step().joints - plain.step().joints).max() > 1e-3
    assert 'understood_as' not in plain.step().info
