# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Actions of ROS, as plain records with the keywords of the real ones."""


class Node:
    """A node that would be started."""

    def __init__(
        self,
        *,
        executable,
        package=None,
        name=None,
        namespace=None,
        parameters=None,
        remappings=None,
        arguments=None,
        output='log',
        respawn=False,
        respawn_delay=0.0,
        condition=None,
    ):
        self.__dict__.update({k: v for k, v in locals().items() if k != 'self'})
