# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Installs mgpt3_ros, with the model and its training as parts of it (docs/design.md)."""

import os

from setuptools import find_packages, setup

NAME = 'mgpt3_ros'
# Of parts that a robot's nodes do without.
EXTRAS = ('bags', 'cluster', 'eval', 'language', 'serve', 'sim', 'train', 'view')
# The real place of this file: `colcon build --symlink-install` runs a link to it in build/, where
# the source is not.
ROOT = os.path.relpath(os.path.dirname(os.path.realpath(__file__)))


def requirements(name):
    """Return the requirements of ``requirements/NAME.txt`` without their comments."""
    with open(os.path.join(ROOT, 'requirements', name + '.txt'), encoding='utf-8') as file:
        lines = (line.split('#')[0].strip() for line in file)
        return [line for line in lines if line]


def shared(folder):
    """Return data files: everything under ``folder``, to the same place in share/mgpt3_ros."""
    entries = []
    for path, folders, files in os.walk(os.path.join(ROOT, folder)):
        folders[:] = sorted(name for name in folders if name != '__pycache__')
        if files:
            target = os.path.join('share', NAME, os.path.relpath(path, ROOT))
            entries.append((target, [os.path.join(path, name) for name in sorted(files)]))
    return entries


# find_packages follows the links mgpt3_ros/model, training and models.
packages = [f'{NAME}.{name}' for name in find_packages(os.path.join(ROOT, NAME))]

setup(
    name=NAME,
    version='0.1.0',
    description='MotionGPT3 on ROS 2: text to joint trajectories, motion to text, motion ahead.',
    license='Apache-2.0 AND CC-BY-NC-4.0',  # the code; the checkpoints in models/
    maintainer='The mgpt3_ros authors',
    maintainer_email='mgpt3_ros@users.noreply.github.com',
    python_requires='>=3.11,<3.14',
    packages=[NAME, *packages, f'{NAME}.models'],
    package_data={
        NAME: ['py.typed'],
        f'{NAME}.model': ['**/*.yaml', '**/*.json'],
        f'{NAME}.training': ['**/*.yaml'],
        f'{NAME}.robots': ['config/*.yaml'],  # a link to config/robots
        f'{NAME}.models': ['*/*'],  # the shipped checkpoints
    },
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + NAME]),
        ('share/' + NAME, ['package.xml']),
        *shared('launch'),
        *shared('config'),
        *shared('urdf'),
        *shared('rviz'),
    ],
    install_requires=requirements('torch') + requirements('runtime'),
    extras_require={
        **{name: requirements(name) for name in EXTRAS},
        'all': [line for name in EXTRAS for line in requirements(name)],
        'ros': requirements('ros'),
        'test': requirements('dev'),  # named so for colcon test, which else runs unittest
    },
    zip_safe=False,
    entry_points={
        'console_scripts': [
            'generate_node = mgpt3_ros.nodes.generate_node:main',
            'caption_node = mgpt3_ros.nodes.caption_node:main',
            'predict_node = mgpt3_ros.nodes.predict_node:main',
            'motion_server = mgpt3_ros.nodes.motion_server:main',
            'playback_node = mgpt3_ros.nodes.playback_node:main',
            'retarget_node = mgpt3_ros.nodes.retarget_node:main',
            'sim_node = mgpt3_ros.nodes.sim_node:main',
            'say = mgpt3_ros.nodes.say:main',
            'view_node = mgpt3_ros.nodes.view_node:main',
            'mgpt3 = mgpt3_ros.cli.main:main',
        ],
    },
)
