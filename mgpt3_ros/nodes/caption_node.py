# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint states in, sentences out: what a body has been doing in the last seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.task import Future
from std_msgs.msg import String
from std_srvs.srv import Trigger
from visualization_msgs.msg import Marker

from mgpt3_ros.body.frames import vectors_to_ros
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.window import Window
from mgpt3_ros.nodes.listening_node import ListeningNode, to_stamp
from mgpt3_ros.nodes.markers import text_marker
from mgpt3_ros.nodes.model_host import ModelHost
from mgpt3_ros.nodes.process import run
from mgpt3_ros.nodes.worker import Job

PARAMETER_NAMES = ('caption_period_s', 'repeat_unchanged')

_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@dataclass(frozen=True)
class Caption:
    """A sentence about a window; joints (22, 3) [m] are where the body was at its end."""

    text: str
    stamp_ns: int
    joints: Array


class CaptionNode(ListeningNode[Caption]):
    """The motion-to-text node; topics, services and parameters stand in docs/interface.md."""

    def __init__(self, host: ModelHost | None = None) -> None:
        super().__init__('caption_node', PARAMETER_NAMES, host)
        self._last = ''
        self._asked: list[Future] = []  # calls of ~/caption_now that wait for their turn
        self._promised: list[Future] = []  # those that the caption being made will answer
        self._captions = self.create_lifecycle_publisher(String, 'caption', _LATCHED)
        self._markers = self.create_lifecycle_publisher(Marker, 'caption_marker', 1)
        # In a group of its own: a callback that awaits keeps its group from all others.
        self.create_service(
            Trigger,
            '~/caption_now',
            self._on_caption_now,
            callback_group=ReentrantCallbackGroup(),
        )

    @property
    def period_s(self) -> float:
        """Time between two captions [s]."""
        return float(self.parameters['caption_period_s'])

    def ask(self, window: Window) -> Job[Caption]:
        """Have the worker caption ``window``."""
        self._promised, self._asked = self._promised + self._asked, []
        profile = self.profile

        def call(model: object, job: Job[Caption]) -> Caption:
            motion = window.resampled().motion(profile)
            text = model.caption(  # type: ignore[attr-defined]
                motion, should_stop=job.should_stop, on_progress=job.report
            )
            return Caption(text, window.stop_ns, vectors_to_ros(motion.joints[-1]))

        return self.host.run(call, self.wake)

    def answered(self, answer: Caption) -> None:
        """Publish a caption, if it says anything new; the marker follows the body in any case."""
        if answer.text != self._last or self.parameters['repeat_unchanged']:
            self._captions.publish(String(data=answer.text))
        self._last = answer.text
        lifetime = Duration(seconds=max(2 * self.period_s, 0.5)).to_msg()
        name, world = f'{self.parameters["body_id"]}/caption', self.parameters['world_frame']
        stamp = to_stamp(answer.stamp_ns)
        marker = text_marker(answer.text, answer.joints, name, stamp, world, lifetime)
        self._markers.publish(marker)
        self._answer(answer.text, '' if answer.text else 'the model said nothing')
        if self._asked:
            refusal = self.begin()
            if refusal:
                self.unanswered(refusal)

    def unanswered(self, reason: str) -> None:
        """Tell all who wait for a caption that there is none."""
        self._promised, self._asked = self._promised + self._asked, []
        self._answer('', reason)

    def forget(self) -> None:
        """Forget what was observed; the next caption is new."""
        super().forget()
        self._last = ''

    def _answer(self, caption: str, refusal: str) -> None:
        promised, self._promised = self._promised, []
        for request in promised:
            request.set_result((caption, refusal))

    async def _on_caption_now(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        """Caption what is observed now; others are served while the model works."""
        asked = Future()
        self._asked.append(asked)
        refusal = self.begin()
        if refusal:
            self._asked.remove(asked)
        else:
            caption, refusal = await asked
        response.success = not refusal
        response.message = refusal or caption
        return response

    def health_values(self) -> dict[str, str]:
        """Return also the last caption."""
        return {**super().health_values(), 'caption': self._last}


def main(args: Sequence[str] | None = None) -> None:
    """Run the node until the process is told to end."""
    run(CaptionNode, args)


if __name__ == '__main__':
    main()
