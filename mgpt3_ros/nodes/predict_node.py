# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint states in, trajectories of what may follow out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from trajectory_msgs.msg import JointTrajectory, MultiDOFJointTrajectory

from mgpt3_ros.body.window import Window
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.action_servers import PredictServer, has_interfaces
from mgpt3_ros.nodes.generation import SAMPLING_PARAMETERS, Forecast, Sampling, predict
from mgpt3_ros.nodes.listening_node import ListeningNode, to_stamp
from mgpt3_ros.nodes.messages import to_messages
from mgpt3_ros.nodes.model_host import ModelHost
from mgpt3_ros.nodes.process import run

PARAMETER_NAMES = (
    *('horizon_s', 'num_hypotheses', 'predict_rate_hz'),
    *(*SAMPLING_PARAMETERS, 'base_frame', 'publish_base'),
)


class PredictNode(ListeningNode[Forecast]):
    """The motion-to-motion node; topics, services and parameters stand in docs/interface.md.

    A forecast is no command: its stamp is that of the last observed frame, and it need not end at
    rest.
    """

    def __init__(self, host: ModelHost | None = None, namespace: str = '') -> None:
        super().__init__('predict_node', PARAMETER_NAMES, host, namespace)
        self._seam_m = 0.0
        self._server = PredictServer(self) if has_interfaces() else None
        self._trajectories = self.create_lifecycle_publisher(
            JointTrajectory, 'predicted_trajectory', 10
        )
        self._bases = self.create_lifecycle_publisher(
            MultiDOFJointTrajectory, 'predicted_base_trajectory', 10
        )

    @property
    def period_s(self) -> float:
        """Time between two predictions [s]."""
        return 1.0 / float(self.parameters['predict_rate_hz'])

    def ask(self, window: Window) -> Job[Forecast]:
        """Have the worker continue ``window``."""
        return self._ask(window, self.parameters['horizon_s'], self.parameters['num_hypotheses'])

    def predict_once(
        self, horizon_s: float, num_hypotheses: int
    ) -> tuple[Job[Forecast] | None, str]:
        """Have what is observed now continued; zeros mean as the parameters say.

        Returns:
            The job, or None and why there is none.
        """
        window, refusal = self.look()
        if window is None:
            return None, refusal
        horizon_s = horizon_s or self.parameters['horizon_s']
        return self._ask(
            window, horizon_s, num_hypotheses or self.parameters['num_hypotheses']
        ), ''

    def _ask(self, window: Window, horizon_s: float, num_hypotheses: int) -> Job[Forecast]:
        call = partial(
            predict,
            window=window,
            horizon_s=horizon_s,
            num_hypotheses=num_hypotheses,
            sampling=Sampling(*(self.parameters[name] for name in SAMPLING_PARAMETERS)),
            profile=self.profile,
        )
        return self.host.run(call, self.wake)

    def answered(self, answer: Forecast) -> None:
        """Publish each hypothesis, all with the stamp of the last observed frame."""
        for joints, base in self.as_messages(answer):
            if self.parameters['publish_base']:
                self._bases.publish(base)
            self._trajectories.publish(joints)
        self._seam_m = answer.seam_error_m

    def as_messages(
        self, answer: Forecast
    ) -> list[tuple[JointTrajectory, MultiDOFJointTrajectory]]:
        """Return joints and base of each hypothesis."""
        stamp = to_stamp(answer.stamp_ns)
        frames = self.parameters['world_frame'], self.base_frame()
        return [to_messages(trajectory, stamp, *frames) for trajectory in answer.trajectories]

    def health_values(self) -> dict[str, str]:
        """Return also how far the model's own first frame was off."""
        return {**super().health_values(), 'seam_error_m': f'{self._seam_m:.3f}'}


def main(args: Sequence[str] | None = None) -> None:
    """Run the node until the process is told to end."""
    run(PredictNode, args)


if __name__ == '__main__':
    main()
