# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""rosbag2 bags with no ROS installed: opened, read in windows of motion, and written anew.

`open_bag` opens a bag, whole or broken off; `body_windows` reads one body's joint states and
odometry as a stream of windows; `BagCopy` writes a bag with topics added. Nothing here holds more
than a window of a bag in memory.
"""

from mgpt3_ros.bags.body import Body, Robots, body_windows, find_body
from mgpt3_ros.bags.copying import BagCopy
from mgpt3_ros.bags.reading import Bag, open_bag
from mgpt3_ros.bags.topics import BagError, Recorded, Topic
from mgpt3_ros.bags.windows import MIN_WINDOW_S, Window, Windows

__all__ = [
    'MIN_WINDOW_S',
    'Bag',
    'BagCopy',
    'BagError',
    'Body',
    'Recorded',
    'Robots',
    'Topic',
    'Window',
    'Windows',
    'body_windows',
    'find_body',
    'open_bag',
]
