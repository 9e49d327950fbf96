# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the VAE stage minimises, by hand where that is possible, and its batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mgpt3_ros.model.kinematics.features import joints_to_features
from mgpt3_ros.model.kinematics.skeleton import JOINT_NAMES
from mgpt3_ros.model.kinematics.stats import FeatureStats
from mgpt3_ros.model.network.vae.base import MotionVae
from mgpt3_ros.model.pipelines.tasks import window_features
from mgpt3_ros.model.sampling import noise_source
from mgpt3_ros.training.data.dataset import MotionDataset, load_dataset
from mgpt3_ros.training.samples import Split
from mgpt3_ros.training.vae_training import VaeBatcher, VaeTask
from tests.support import mocap
from tests.support.tiny import swinging_motion
from tests.support.tiny_pack import write_tiny_pack

CPU = torch.device('cpu')
FEET = [JOINT_NAMES.index(f'{s}_{p}') for s in ('left', 'right') for p in ('ankle', 'foot')]


class Echo(MotionVae):
    """Decodes what it encoded, changed by ``change``; its posterior is given."""

    latent_shape = (1, 2)

    def __init__(self, change: Tensor | float = 0.0, mean: float = 0.0, std: float = 1.0) -> None:
        super().__init__()
        self.change, self.mean, self.std = change, mean, std
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = torch.zeros(0)
        self.drawn = torch.zeros(0)

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        self.seen = features
        shape = (len(features), *self.latent_shape)
        return torch.full(shape, self.mean), torch.full(shape, 2 * float(np.log(self.std)))

    def decode(self, latent: Tensor, lengths: Tensor) -> Tensor:
        self.drawn = latent
        return self.seen + self.change + 0 * self.weight


STATS = FeatureStats(
    np.linspace(-1, 1, 263, dtype=np.float32), np.linspace(0.5, 2, 263, dtype=np.float32)
)


def terms_of(vae: Echo, joints: list[np.ndarray]) -> dict[str, float]:
    """Loss terms of clips of joints, padded with what must not be looked at."""
    clips = [torch.from_numpy(joints_to_features(clip)).float() for clip in joints]
    lengths = torch.tensor([len(clip) for clip in clips])
    padded = torch.full((len(clips), int(lengths.max()) + 3, 263), 50.0)
    for row, clip in zip(padded, clips, strict=True):
        row[: len(clip)] = STATS.normalise(clip)
    task = VaeTask(vae, STATS)
    with torch.no_grad():
        terms = task(padded, lengths, [noise_source(index) for index in range(len(clips))])
    return {name: float(term) for name, term in terms.items()}


def walks() -> list[np.ndarray]:
    return [swinging_motion(i, 30 + 10 * i, 0.5).astype(np.float64) for i in range(3)]


def test_a_perfect_decoder_has_no_error() -> None:
    terms = terms_of(Echo(), walks())
    assert set(terms) == {'features', 'positions', 'kl', 'motion', 'jerk', 'slide'}
    for name in ('features', 'positions', 'motion', 'jerk', 'kl'):
        assert terms[name] == pytest.approx(0, abs=1e-6), name


def test_errors_are_means_over_frames_and_channels() -> None:
    # Smooth L1 (beta 1): half the square of a small error, the error less a half of a large one.
    assert terms_of(Echo(0.5), walks())['features'] == pytest.approx(0.125, rel=1e-4)
    assert terms_of(Echo(3.0), walks())['positions'] == pytest.approx(2.5, rel=1e-4)
    # An error of position that stays the same is none of motion.
    assert terms_of(Echo(3.0), walks())['motion'] == pytest.approx(0, abs=1e-5)


def test_only_positions_count_in_the_terms_of_positions() -> None:
    change = torch.zeros(263)
    change[4:67] = 0.5
    terms = terms_of(Echo(change), walks())
    assert terms['positions'] == pytest.approx(0.125, rel=1e-4)
    assert terms['features'] == pytest.approx(0.125 * 63 / 263, rel=1e-4)
    rest = terms_of(Echo(0.5 - change), walks())
    assert rest['positions'] == pytest.approx(0, abs=1e-7)


def test_motion_and_jerk_are_in_metres_per_frame() -> None:
    # One position channel is off by 0.02 m in every second frame of a batch of even length.
    channel, frames = 40, 63
    change = torch.zeros(3, frames, 263)
    change[:, ::2, channel] = 0.02 / float(STATS.std[channel])
    joints = [swinging_motion(i, 61, 0.5).astype(np.float64) for i in range(3)]
    terms = terms_of(Echo(change), joints)
    # Its first differences are 0.02, its third ones 4 times that; one of 63 channels has them.
    # They are of frames 1 to 59 and 3 to 59, of sixty.
    assert terms['motion'] == pytest.approx(0.02 / 63, rel=1e-3)
    assert terms['jerk'] == pytest.approx(0.08 / 63, rel=1e-3)


@pytest.mark.parametrize(
    ('mean', 'std', 'kl'),
    [(0, 1, 0), (2, 1, 2), (0, np.e, 0.5 * (np.e**2 - 3)), (1, 0.1, 0.5 * (0.01 - np.log(0.01)))],
)
def test_kl_is_that_of_two_gaussians(mean: float, std: float, kl: float) -> None:
    assert terms_of(Echo(mean=mean, std=std), walks())['kl'] == pytest.approx(kl, abs=1e-5)


def test_latents_are_drawn_from_the_posterior() -> None:
    vae = Echo(mean=3.0, std=0.1)
    clips = [swinging_motion(0, 20).astype(np.float64)] * 200
    terms_of(vae, clips)
    assert float(vae.drawn.mean()) == pytest.approx(3, abs=0.02)
    assert float(vae.drawn.std()) == pytest.approx(0.1, abs=0.01)
    first = vae.drawn
    terms_of(vae, clips)
    assert torch.equal(first, vae.drawn)  # the generator's seed says all


# Sliding feet.


def test_feet_that_stand_do_not_slide() -> None:
    standing = swinging_motion(0, 40, 0.0).astype(np.float64)
    standing[:] = standing[:1]
    assert terms_of(Echo(), [standing])['slide'] == pytest.approx(0, abs=1e-5)


def test_feet_that_glide_slide_by_their_speed() -> None:
    # A statue that is pushed slowly enough for its feet to count as in contact.
    statue = np.repeat(swinging_motion(0, 1).astype(np.float64), 50, axis=0)
    statue[..., 2] += 0.01 * np.arange(50)[:, None]
    features = joints_to_features(statue)
    assert features[:, 259:].mean() > 0.9
    assert terms_of(Echo(), [statue])['slide'] == pytest.approx(0.01, rel=1e-3)


def test_slide_is_the_speed_in_the_world_of_feet_in_contact() -> None:
    for joints in mocap.clips(5, seed=2):
        features = joints_to_features(joints)
        contact = features[:-1, 259:] > 0.5  # ankle and foot, left and then right
        step = np.diff(joints[: len(features)], axis=0)[:, FEET]
        speed = np.linalg.norm(step, axis=-1)
        assert terms_of(Echo(), [joints])['slide'] == pytest.approx(
            speed[contact].mean(), rel=0.02
        )


def test_a_turn_on_the_spot_slides_feet_that_stand_apart() -> None:
    # 0.01 rad per frame about the pelvis: feet move by that times their distance from the axis.
    statue = np.repeat(swinging_motion(0, 1).astype(np.float64), 60, axis=0)
    statue -= statue[:, :1] * (1, 0, 1)
    angle = 0.01 * np.arange(60)[:, None]
    x, y, z = np.moveaxis(statue, -1, 0)
    turned = np.stack(
        [x * np.cos(angle) + z * np.sin(angle), y, z * np.cos(angle) - x * np.sin(angle)], -1
    )
    contact = joints_to_features(turned)[:-1, 259:] > 0.5
    radius = np.hypot(statue[0, FEET, 0], statue[0, FEET, 2])
    expected = 0.01 * (contact * radius).sum() / contact.sum()
    assert contact.mean() > 0.5
    assert terms_of(Echo(), [turned])['slide'] == pytest.approx(expected, rel=0.02)


# Batches.


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> MotionDataset:
    folder = tmp_path_factory.mktemp('data')
    return load_dataset(write_tiny_pack(folder / 'pack'), folder / 'cache')


def test_a_batch_depends_on_seed_step_and_process_alone(data: MotionDataset) -> None:
    batcher = VaeBatcher(data, Split(8, 1))
    features, lengths, (generator, *_) = batcher(3, 0, CPU)
    batcher(4, 0, CPU)
    again, same_lengths, (same, *_) = VaeBatcher(data, Split(8, 1))(3, 0, CPU)
    assert torch.equal(features, again)
    assert torch.equal(lengths, same_lengths)
    assert generator.initial_seed() == same.initial_seed()
    others = [
        batcher(4, 0, CPU),
        batcher(3, 1, CPU),
        VaeBatcher(data, Split(8, 2))(3, 0, CPU),
        VaeBatcher(data, Split(8, 1, process=2, processes=3))(3, 0, CPU),
    ]
    for _, other_lengths, (other, *_) in others:
        assert other.initial_seed() != generator.initial_seed()
        assert not torch.equal(other_lengths, lengths)


def test_half_of_a_batch_are_whole_clips_and_half_parts(data: MotionDataset) -> None:
    features, lengths, _ = VaeBatcher(data, Split(400, 0))(0, 0, CPU)
    wholes = {len(clip) for clip in data.features}
    assert features.shape == (400, int(lengths.max()), 263)
    assert int(lengths.min()) >= 10
    assert float(np.mean([int(n) in wholes for n in lengths])) == pytest.approx(0.55, abs=0.1)
    assert len(set(lengths.tolist())) > 30
    for row, length in zip(features, lengths, strict=True):
        assert not row[length:].any()


def test_rows_are_normalised_parts_of_the_clips(data: MotionDataset) -> None:
    features, lengths, _ = VaeBatcher(data, Split(8, 0))(0, 0, CPU)
    for row, length in zip(features, lengths.tolist(), strict=True):
        part = data.stats.denormalise(row[:length].numpy())
        windows = [
            clip.joints[begin : begin + length + 1]
            for clip in data.clips
            for begin in range(len(clip.joints) - length)
        ]
        assert any(np.allclose(of, part, atol=1e-4) for of in window_features(windows))
