# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from mgpt3_ros.model.devices import resolve_device
from mgpt3_ros.model.errors import (
    Cancelled,
    CheckpointError,
    ConfigError,
    GenerationError,
    MotionError,
    TextError,
)
from mgpt3_ros.model.language.prompts import clean_text
from mgpt3_ros.model.language.vocabulary import MOTION
from mgpt3_ros.model.motion import Motion
from mgpt3_ros.model.motiongpt3 import MotionGPT3
from mgpt3_ros.model.network.sequences import build_sequence, collate
from mgpt3_ros.model.network.vae import MldConfig, VaeConfig, build_vae
from mgpt3_ros.model.pipelines.clip import ClipPipeline
from mgpt3_ros.model.pipelines.tasks import FIRST_PLACE, wording
from mgpt3_ros.model.sampling import SamplingOptions
from tests.support.tiny import save_tiny_model, swinging_motion, tiny_model


@pytest.fixture(scope='module')
def model() -> MotionGPT3:
    return tiny_model()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_generate_gives_a_motion_of_the_asked_length(model: MotionGPT3) -> None:
    motion = model.generate('a person waves', duration_s=2.0, generator=seeded())
    assert motion.num_frames == 40
    assert motion.fps == 20
    assert motion.info['duration_from'] == 'asked'
    assert motion.info['text'] == 'a person waves'


def test_a_seed_repeats_a_motion_and_another_does_not(model: MotionGPT3) -> None:
    first, same, other = (
        model.generate('walk', duration_s=1.0, generator=seeded(s)).joints for s in (1, 1, 2)
    )
    assert np.array_equal(first, same)
    assert not np.allclose(first, other)


def test_durations_come_from_call_text_or_prediction(model: MotionGPT3) -> None:
    texts = ['walk for 3 seconds', 'walk', 'walk for 100 seconds']
    motions = model.generate(texts, generator=seeded())
    assert [m.info['duration_from'] for m in motions] == ['text', 'predicted', 'text']
    assert motions[0].num_frames == 60
    assert motions[2].num_frames == model.config.max_frames
    assert motions[2].info['duration_limited']
    assert not motions[0].info['duration_limited']
    asked = model.generate('walk for 3 seconds', duration_s=1.0)
    assert asked.num_frames == 20


def test_without_a_length_predictor_the_default_is_said() -> None:
    plain = tiny_model(default_duration_s=1.5)
    network = plain.config.network
    object.__setattr__(network, 'motion_context', False)  # as a checkpoint of the authors has it
    motion = plain.generate('walk')
    assert (motion.info['duration_from'], motion.num_frames) == ('default', 30)


def test_a_batch_gives_what_single_calls_give(model: MotionGPT3) -> None:
    texts = ['walk', 'someone waves the left hand slowly']
    batch = model.generate(texts, duration_s=[1.0, 2.0], num_inference_steps=1, generator=seeded())
    # The noise of a batch is drawn row after row, so the first rows agree.
    single = model.generate(texts[0], duration_s=1.0, num_inference_steps=1, generator=seeded())
    assert np.abs(batch[0].joints - single.joints).max() < 1e-4
    assert [m.num_frames for m in batch] == [20, 40]


@pytest.mark.parametrize('text', ['', '   ', '\n\t\x00', '\ufffc'])
def test_an_empty_text_is_refused(model: MotionGPT3, text: str) -> None:
    with pytest.raises(TextError, match='empty'):
        model.generate(text)


@pytest.mark.parametrize(
    'text', ['歩く', '🙂🙂', 'marche en avant', '{text} %s \\n', 'walk ' * 3000]
)
def test_any_other_text_gives_a_motion(model: MotionGPT3, text: str) -> None:
    assert model.generate(text, duration_s=1.0).num_frames == 20


def test_a_duration_beyond_the_model_is_refused(model: MotionGPT3) -> None:
    with pytest.raises(MotionError, match='60 s is beyond this model'):
        model.generate('walk', duration_s=60.0)


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        (lambda m, _: m.generate('walk', float('nan')), 'one finite number of seconds, not nan'),
        (lambda m, _: m.generate('walk', float('inf')), 'one finite number of seconds, not inf'),
        (lambda m, _: m.generate(['a', 'b'], np.ones(2)), 'a list with one for each .* ndarray'),
        (lambda m, _: m.generate('walk', '3'), 'a list with one for each text, not a str'),
        (lambda m, _: m.generate(['a', 'b'], [1.0]), '1 durations for 2 texts'),
        (lambda m, _: m.generate_sequence(['a', 'b'], [1.0]), '1 durations for 2 texts'),
        (lambda m, _: m.generate_sequence(['a', 'b'], [1.0] * 3), '3 durations for 2 texts'),
        (lambda m, seen: m.predict(seen, float('inf')), 'one finite number of seconds, not inf'),
        (lambda m, seen: m.predict(seen, np.ones(1)), 'one finite number of seconds'),
        (lambda m, seen: m.predict_many(seen, 1.0, 0), 'a whole number from 1 on, got 0'),
        (lambda m, seen: m.predict_many(seen, 1.0, -2), 'a whole number from 1 on, got -2'),
        (lambda m, seen: m.predict_many(seen, 1.0, 1.5), 'a whole number from 1 on, got 1.5'),
        (lambda m, seen: m.inbetween(seen, seen, float('nan')), 'finite number of seconds'),
    ],
)
def test_impossible_numbers_are_named(
    model: MotionGPT3, call: Callable[[MotionGPT3, Motion], object], message: str
) -> None:
    with pytest.raises(MotionError, match=message):
        call(model, Motion(swinging_motion(4)))


def test_a_model_takes_no_longer_clips_than_its_vae() -> None:
    with pytest.raises(ConfigError, match='max_frames of the model is 300, max_frames of its VAE'):
        tiny_model(max_frames=300)
    mld = build_vae(VaeConfig('mld', MldConfig(latent_dim=8, heads=2, layers=1, ff_width=8)))
    assert mld.max_frames == 498  # 500 positions, of which a mean and a log-variance take two


def test_options_go_as_an_object_or_as_keywords(model: MotionGPT3) -> None:
    options = SamplingOptions(temperature=0.5, num_inference_steps=2)
    one, other, changed = (
        model.generate('walk', 1.0, generator=seeded(), **given).joints
        for given in (
            {'sampling': options},
            {'temperature': 0.5, 'num_inference_steps': 2},
            {'sampling': options, 'temperature': 0.9},
        )
    )
    assert np.array_equal(one, other)
    assert not np.allclose(one, changed)


def test_a_temperature_of_zero_draws_without_chance(model: MotionGPT3) -> None:
    one, other = (
        model.generate('walk', 1.0, temperature=0.0, generator=seeded(s)).joints for s in (1, 2)
    )
    assert np.array_equal(one, other)


def test_captions_are_deterministic_text(model: MotionGPT3) -> None:
    motion = Motion(swinging_motion(3), 20)
    caption = model.caption(motion)
    assert isinstance(caption, str)
    assert caption == model.caption(motion)
    assert model.caption([motion, motion]) == [caption, caption]


def test_a_caption_sees_a_motion_at_any_rate(model: MotionGPT3) -> None:
    motion = Motion(swinging_motion(3), 20)
    assert model.caption(motion.resample(50)) == pytest.approx(model.caption(motion))


def test_prediction_continues_position_and_velocity(model: MotionGPT3) -> None:
    observed = Motion(swinging_motion(4), 20).transform(0.7, (3.0, 0.0, -2.0))
    future = model.predict(observed, horizon_s=1.0, generator=seeded())
    assert future.num_frames == 20
    step = observed.joints[-1] - observed.joints[-2]
    extrapolated = observed.joints[-1] + step
    off = np.linalg.norm(future.joints[0] - extrapolated, axis=-1).mean()
    assert off < 0.04  # the untrained clip itself rushes off, at 10 m/s
    assert future.info['seam_error_m'] > 0


def test_input_motions_are_sampled_only_on_request(model: MotionGPT3) -> None:
    motion = Motion(swinging_motion(4), 20).features()
    place = [FIRST_PLACE]

    def latents(of: MotionGPT3, seed: int) -> torch.Tensor:
        return of.pipeline.motions([motion], place, [], seeded(seed)).latents

    assert torch.equal(latents(model, 1), latents(model, 2))
    sampling = tiny_model(sample_latents=True)
    assert torch.equal(latents(sampling, 1), latents(sampling, 1))
    assert not torch.equal(latents(sampling, 1), latents(sampling, 2))
    assert (latents(sampling, 1) - latents(model, 1)).std() < 0.2  # the trunk's posterior: 0.05


def test_several_hypotheses_differ(model: MotionGPT3) -> None:
    observed = Motion(swinging_motion(4), 20)
    futures = model.predict_many(observed, 1.0, 3, generator=seeded())
    assert len(futures) == 3
    assert not np.allclose(futures[0].joints, futures[1].joints)
    (one,) = model.predict_many(observed, 1.0, 1, generator=seeded())
    assert np.array_equal(one.joints, model.predict(observed, 1.0, generator=seeded()).joints)


def test_hypotheses_of_predict_still_work_with_a_warning(model: MotionGPT3) -> None:
    observed = Motion(swinging_motion(4), 20)
    with pytest.warns(DeprecationWarning, match='predict_many') as told:
        futures = model.predict(observed, 1.0, num_hypotheses=2, generator=seeded())
    assert told[0].filename == __file__
    assert isinstance(futures, list)
    assert len(futures) == 2
    with pytest.warns(DeprecationWarning, match='predict_many'):
        assert isinstance(model.predict(observed, 1.0, 1, generator=seeded()), Motion)


@pytest.mark.parametrize('fps', [50, 60, 120])
def test_a_fast_recording_is_continued_from_its_last_frame(model: MotionGPT3, fps: float) -> None:
    count = 2 * int(fps) + int(fps) // 20  # the last frame is up to 50 ms behind a whole 1/20 s
    time = np.arange(count) / fps
    walk = np.tile(swinging_motion(4, 1, 0.0), (count, 1, 1))
    walk[..., 2] += 2.0 * time[:, None]
    future = model.predict(Motion(walk, fps), 1.0, generator=seeded())
    leads_to = walk[-1] + (0.0, 0.0, 2.0 / 20)
    assert np.linalg.norm(future.joints[0] - leads_to, axis=-1).mean() < 0.04
    gap = model.inbetween(Motion(walk, fps), Motion(walk, fps), 1.0, generator=seeded())
    assert np.linalg.norm(gap.joints[0] - leads_to, axis=-1).mean() < 0.04


def test_inbetween_meets_both_ends(model: MotionGPT3) -> None:
    start = Motion(swinging_motion(1), 20)
    end = Motion(swinging_motion(2), 20).transform(1.0, (1.0, 0.0, 2.0))
    gap = model.inbetween(start, end, duration_s=1.5, generator=seeded())
    assert gap.num_frames == 30
    whole = np.concatenate([start.joints[-2:], gap.joints, end.joints[:2]])
    steps = np.linalg.norm(np.diff(whole, axis=0), axis=-1).mean(axis=-1)
    assert steps.max() < 0.25  # no jump anywhere, and none at the ends beyond the motion's own
    assert abs(steps[1] - steps[0]) < 0.05
    assert abs(steps[-1] - steps[-2]) < 0.05
    assert {'seam_error_m', 'end_seam_error_m'} <= set(gap.info)


def test_an_inbetween_drawn_whole_meets_both_ends_too() -> None:
    model = tiny_model(inbetween_whole=True)
    start, end = (Motion(swinging_motion(s, 90), 20) for s in (1, 2))
    gap = model.inbetween(start, end, duration_s=6.0, generator=seeded())
    assert gap.num_frames == 120
    assert np.linalg.norm(gap.joints[0] - start.joints[-1], axis=-1).mean() < 0.15
    assert np.linalg.norm(gap.joints[-1] - end.joints[0], axis=-1).mean() < 0.15


@pytest.mark.parametrize('call', ['generate', 'caption', 'predict', 'inbetween'])
def test_a_call_stops_within_a_step(model: MotionGPT3, call: str) -> None:
    motion = Motion(swinging_motion(0), 20)
    arguments = {
        'generate': ('walk', 1.0),
        'caption': (motion,),
        'predict': (motion, 1.0),
        'inbetween': (motion, motion, 1.0),
    }[call]
    polls: list[int] = []

    def stop() -> bool:
        polls.append(1)
        return len(polls) >= 2

    with pytest.raises(Cancelled):
        getattr(model, call)(*arguments, should_stop=stop)
    assert len(polls) == 2


def test_progress_rises_to_the_end(model: MotionGPT3) -> None:
    seen: list[float] = []
    model.generate('walk', duration_s=1.0, on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)


def test_nan_is_never_returned() -> None:
    broken = tiny_model()
    broken.network.latent_std.fill_(torch.nan)
    with pytest.raises(GenerationError, match='not numbers'):
        broken.generate('walk', duration_s=1.0)


def test_a_saved_model_computes_the_same(model: MotionGPT3, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    loaded = MotionGPT3.from_pretrained(tmp_path, device='cpu')
    assert loaded.config == model.config
    first, second = (
        m.generate('a person waves', generator=seeded(5)).joints for m in (model, loaded)
    )
    assert np.array_equal(first, second)
    motion = Motion(swinging_motion(3), 20)
    assert loaded.caption(motion) == model.caption(motion)


def test_checkpoints_that_do_not_fit_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match='no such folder'):
        MotionGPT3.from_pretrained(tmp_path / 'nowhere')
    with pytest.raises(CheckpointError, match=r'config\.json, model\.safetensors'):
        MotionGPT3.from_pretrained(tmp_path)
    folder = save_tiny_model(tmp_path / 'model')
    weights = folder / 'model.safetensors'
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match='truncated'):
        MotionGPT3.from_pretrained(folder)
    weights.write_bytes(whole)
    config = json.loads((folder / 'config.json').read_text())
    config['network']['head']['width'] = 24
    (folder / 'config.json').write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r'shape \(.*16.*\).*asks for \(.*24.*\)'):
        MotionGPT3.from_pretrained(folder)
    config['network']['head']['widht'] = 24
    (folder / 'config.json').write_text(json.dumps(config))
    with pytest.raises(ValueError, match='widht'):
        MotionGPT3.from_pretrained(folder)
    (folder / 'config.json').write_text('{"model_type": "gpt2"}')
    with pytest.raises(CheckpointError, match='not of a mgpt3_ros checkpoint'):
        MotionGPT3.from_pretrained(folder)


@pytest.mark.skipif(torch.cuda.is_available(), reason='this machine has CUDA')
def test_absent_cuda_is_an_error_only_when_asked_for() -> None:
    assert resolve_device('auto').type == 'cpu'
    with pytest.raises(CheckpointError, match='is not there'):
        resolve_device('cuda')
    with pytest.raises(CheckpointError, match='unknown device'):
        resolve_device('gpu')


def test_half_precision_runs(model: MotionGPT3, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path, dtype=torch.float16)
    half = MotionGPT3.from_pretrained(tmp_path, dtype='bfloat16')
    assert half.generate('walk', duration_s=1.0, generator=seeded()).num_frames == 20
    assert isinstance(half.caption(Motion(swinging_motion(3), 20)), str)


def test_control_characters_are_cleaned() -> None:
    assert clean_text('  walk\n\tforward\x07 ') == 'walk forward'


def test_what_was_seen_is_read_once_for_all_hypotheses(model: MotionGPT3) -> None:
    """Plain: a row for each, alike to the last number."""
    pipeline = model.pipeline
    assert isinstance(pipeline, ClipPipeline)
    seen = Motion(swinging_motion(4), 20).features()

    @torch.inference_mode()
    def drawn(rows: int) -> list[np.ndarray]:
        motions = pipeline.motions([seen] * rows, [FIRST_PLACE] * rows, [20] * rows)
        asked = pipeline.asked('predict', [''] * rows)
        return pipeline.draw(asked, motions, [20] * 3, SamplingOptions(generator=seeded()))

    for one, other in zip(drawn(1), drawn(3), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_what_follows_the_holders_is_not_computed(model: MotionGPT3) -> None:
    """Plain: the whole sequence as in training, its end of text included."""
    pipeline = model.pipeline
    assert isinstance(pipeline, ClipPipeline)
    texts = ['walk', 'a person waves with both hands']
    asked, motions = pipeline.asked('generate', texts), pipeline.no_motions([40, 60])
    prompts = [wording('generate', model.config.prompts, text)[0] for text in texts]
    holders, tokenizer = model.config.network.holders, model.tokenizer
    whole = [build_sequence(tokenizer, holders, prompt, MOTION) for prompt in prompts]
    plain = collate(whole, tokenizer.eos_id)
    assert plain.ids.shape[1] == asked.ids.shape[1] + 2
    network = model.network
    with torch.no_grad():
        fast, full = (
            network.output_hidden(network.hidden(batch.ids, batch.mask, motions), batch.ids)
            for batch in (asked, plain)
        )
    torch.testing.assert_close(fast, full, rtol=0, atol=1e-5)
