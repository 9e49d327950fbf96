# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint states in, sentences out: what a body has been doing in the last seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.task import Future
from std_msgs.msg import String
from std_srvs.srv import Trigger
from visualization_msgs.msg import Marker

from mgpt3_ros.body.caption_events import LOOK_S, CaptionEvent, EventTracker
from mgpt3_ros.body.frames import vectors_to_ros
from mgpt3_ros.body.quaternions import Array
from mgpt3_ros.body.window import Window
from mgpt3_ros.model.kinematics.recognition import WINDOW_S, ActionRecogniser
from mgpt3_ros.model.language.caption_actions import read_action
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.action_servers import CaptionServer, has_interfaces
from mgpt3_ros.nodes.asking import Asking
from mgpt3_ros.nodes.listening_node import ListeningNode, to_stamp
from mgpt3_ros.nodes.markers import text_marker
from mgpt3_ros.nodes.model_host import ModelFacts, ModelHost
from mgpt3_ros.nodes.process import run

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

    def __init__(self, host: ModelHost | None = None, namespace: str = '') -> None:
        super().__init__('caption_node', PARAMETER_NAMES, host, namespace)
        self._last = ''
        self._last_label = ''
        self.recogniser: ActionRecogniser | None = None
        self._tracker: EventTracker | None = None
        self._looked_ns = 0
        self._asked: list[Future] = []  # calls of ~/caption_now that wait for their turn
        self._promised: list[Future] = []  # those that the caption being made will answer
        self._captions = self.create_lifecycle_publisher(String, 'caption', _LATCHED)
        self._markers = self.create_lifecycle_publisher(Marker, 'caption_marker', 1)
        self._events = self.create_lifecycle_publisher(String, '~/caption_event', 10)
        self._server = CaptionServer(self) if has_interfaces() else None
        self._asking = Asking(self)
        # In a group of its own: a callback that awaits keeps its group from all others.
        self.create_service(
            Trigger,
            '~/caption_now',
            self._on_caption_now,
            callback_group=ReentrantCallbackGroup(),
        )

    def accept(self, facts: ModelFacts) -> None:
        """Take the recogniser of actions that comes with the model, if there is one."""
        self.recogniser = facts.recogniser
        self._tracker = None
        if facts.recogniser is not None:
            self._tracker = EventTracker(facts.recogniser.labels, facts.recogniser.sentences)

    @property
    def event(self) -> CaptionEvent | None:
        """What the body does now, as a label; None where that is not known."""
        return self._tracker.event if self._tracker is not None else None

    def look_whether_due(self) -> None:
        """Look also for what the body does now."""
        super().look_whether_due()
        self._look_for_action()

    def waits(self) -> bool:
        """Whether something is to be done later: also to see that the body has gone."""
        return super().waits() or self.event is not None

    def _look_for_action(self) -> None:
        """Look at the last two seconds, every quarter of one by the stamps; tell changes."""
        tracker, recogniser, newest_ns = self._tracker, self.recogniser, self.buffer.stamp_ns
        if not (self.active and self.enabled and tracker is not None and recogniser is not None):
            return
        if tracker.event is not None and not self.sees_body:
            self._publish_events(tracker.end())  # the body has gone
        if newest_ns - self._looked_ns < LOOK_S * 1e9 and newest_ns >= self._looked_ns:
            return
        window = self.buffer.window()
        if window is None or window.duration_s < WINDOW_S:
            return
        self._looked_ns = newest_ns
        last = replace(window, start_ns=window.stop_ns - round(WINDOW_S * 1e9))
        joints = last.resampled().motion(self.profile).joints
        found = recogniser.probabilities(joints)
        self._publish_events(tracker.look(found, window.stop_ns * 1e-9))

    def _publish_events(self, events: list[CaptionEvent]) -> None:
        for event in events:
            self._events.publish(String(data=event.as_json()))
            if self._server is not None:
                self._server.publish(event)

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
        text = self._settled(answer.text)
        if text != self._last or self.parameters['repeat_unchanged']:
            self._captions.publish(String(data=text))
        self._last = text
        lifetime = Duration(seconds=max(2 * self.period_s, 0.5)).to_msg()
        name, world = f'{self.parameters["body_id"]}/caption', self.parameters['world_frame']
        stamp = to_stamp(answer.stamp_ns)
        marker = text_marker(text, answer.joints, name, stamp, world, lifetime)
        self._markers.publish(marker)
        said = self._agreeing(answer.text) if answer.text else ''
        self._answer(said, '' if said else 'the model said nothing')
        if self._asked:
            refusal = self.begin()
            if refusal:
                self.unanswered(refusal)

    def _settled(self, text: str) -> str:
        """Return the sentence to publish: it changes only when the label of the action does."""
        event = self.event
        if event is None:
            return text
        if event.label == self._last_label and self._last:
            return self._last
        self._last_label = event.label
        return self._agreeing(text)

    def _agreeing(self, text: str) -> str:
        """Return the model's sentence where it names the label's action, else the label's own."""
        event = self.event
        return text if event is None or read_action(text) == event.label else event.sentence

    def unanswered(self, reason: str) -> None:
        """Tell all who wait for a caption that there is none."""
        self._promised, self._asked = self._promised + self._asked, []
        self._answer('', reason)

    def on_worker(self) -> None:
        """Take captions and answers of the worker."""
        super().on_worker()
        self._asking.on_worker()

    def halt(self, reason: str) -> None:
        """Drop also what is asked."""
        self._asking.stop(reason)
        super().halt(reason)

    def forget(self) -> None:
        """Forget what was observed; the next caption is new."""
        super().forget()
        self._last = self._last_label = ''
        self._looked_ns = 0
        if self._tracker is not None:
            self._publish_events(self._tracker.end())

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
        label = self.event.label if self.event is not None else ''
        return {**super().health_values(), 'caption': self._last, 'label': label}


def main(args: Sequence[str] | None = None) -> None:
    """Run the node until the process is told to end."""
    run(CaptionNode, args)


if __name__ == '__main__':
    main()
