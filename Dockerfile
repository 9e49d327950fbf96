# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
FROM ros:jazzy-ros-base
WORKDIR /ws
COPY . src/mgpt3_ros
RUN bash src/mgpt3_ros/scripts/in_container.sh system \
    && bash src/mgpt3_ros/scripts/in_container.sh python \
    && bash src/mgpt3_ros/scripts/in_container.sh build \
    && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["bash", "/ws/src/mgpt3_ros/scripts/in_container.sh"]
CMD ["run"]
