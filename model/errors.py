# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The exceptions of the model: each names the thing that was wrong and says what to do."""


class MotionGPT3Error(Exception):
    """Base of every error that this project raises on purpose."""


class MotionError(MotionGPT3Error, ValueError):
    """A motion or an array of joints is unusable (shape, length, NaN, units)."""


class TextError(MotionGPT3Error, ValueError):
    """A text command is empty or unusable."""


class ConfigError(MotionGPT3Error, ValueError):
    """A configuration has an unknown key, a wrong type or an impossible value."""


class CheckpointError(MotionGPT3Error):
    """A checkpoint folder or file is missing, truncated or does not fit."""


class GenerationError(MotionGPT3Error):
    """The model gave something that must not be used, such as NaN."""


class ViewError(MotionGPT3Error):
    """A page cannot be shown: its port is taken, or no address of this machine is meant."""


class Cancelled(MotionGPT3Error):  # noqa: N818 - an outcome that was asked for, no error
    """``should_stop`` asked for the end of a call before it was finished."""


class RobotError(MotionGPT3Error, ValueError):
    """A robot's URDF or its description cannot be used, or a file of its motion does not fit."""


class MissingExtraError(MotionGPT3Error, ImportError):
    """A library that only a part of the package needs is not installed."""
