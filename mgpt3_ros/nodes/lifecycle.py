# Copyright 2026 The mgpt3_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What all nodes that use the model share: lifecycle, parameters, health, enabling, shutting down.

The model is loaded in configure and freed in cleanup. Whatever goes wrong with it is said in one
line and leaves the process alive and unconfigured, so that configure can be tried again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from concurrent.futures import wait

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import InvalidHandle
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import SetBool

from mgpt3_ros.model.errors import Cancelled
from mgpt3_ros.model.worker import Job
from mgpt3_ros.nodes.diagnostics import Diagnostics, Health, has_nvidia, memory_mb
from mgpt3_ros.nodes.model_host import DeviceMemoryError, ModelChoice, ModelFacts, ModelHost
from mgpt3_ros.nodes.parameter_checks import contradictions, unknown_parameters
from mgpt3_ros.nodes.parameters import Parameters
from mgpt3_ros.nodes.process import told_to_end

SUCCESS = TransitionCallbackReturn.SUCCESS
FAILURE = TransitionCallbackReturn.FAILURE

MODEL_PARAMETERS = ('checkpoint', 'device', 'dtype', 'num_threads', 'autostart')

WARN_EVERY_S = 5.0
_WAIT_S = 0.05  # how often a wait for the worker looks whether the process shall end


class MotionNode(LifecycleNode):
    """A lifecycle node with a model.

    Subclasses make their publishers and subscriptions once, look at ``active`` before they take
    input, drop all work in ``halt`` and report their own health by ``health_values``.

    Attributes:
        state: the lifecycle state: unconfigured, inactive, active or finalized.
        enabled: what ``~/enable`` said last.
        last_error: the reason of the last failure, until something succeeds.
        uses_model: whether it needs one at all.
    """

    uses_model = True

    def __init__(
        self,
        name: str,
        parameters: Iterable[str],
        host: ModelHost | None = None,
        namespace: str = '',
    ) -> None:
        super().__init__(name, namespace=namespace)
        own = MODEL_PARAMETERS if self.uses_model else ('autostart',)
        self.parameters = Parameters(self, (*own, *parameters))
        self.host = host if host is not None else ModelHost()
        self._owns_host = host is None
        self._holds_model = False
        self.state = 'unconfigured'
        self.enabled = True
        self.last_error = ''
        self._memory_errors = 0
        self._contradictions: set[str] = set()
        for remark in unknown_parameters(self):
            self.get_logger().warning(remark)
        self._look_at_parameters()
        self.add_post_set_parameters_callback(lambda _: self._look_at_parameters())
        self._wake = self.create_guard_condition(self.on_worker)
        self.steady_clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_service(SetBool, '~/enable', self._on_enable)
        self._diagnostics = Diagnostics(self, self._health)
        if self.parameters['autostart']:
            self._autostart = self.create_timer(0.0, self._start, clock=self.steady_clock)

    # ------------------------------------------------------------------ for subclasses

    def halt(self, reason: str) -> None:
        """Drop all work; called on the way out of the active state, while one can publish."""

    def accept(self, facts: ModelFacts) -> None:
        """Raise where a model that was loaded is of no use to this node."""

    def on_worker(self) -> None:
        """Look after jobs that are done; called in the executor."""

    def warning(self) -> str:
        """Return what is not well, while the node works, for /diagnostics; '' if all is."""
        return ''

    def health_values(self) -> dict[str, str]:
        """Return the node's own values for /diagnostics."""
        return {}

    # ------------------------------------------------------------------ lifecycle

    @property
    def active(self) -> bool:
        """Whether the node does its work."""
        return self.state == 'active'

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model.

        SUCCESS: it is loaded. FAILURE: the checkpoint or the device cannot be had; the reason
        stands in the log and in /diagnostics, and the node stays unconfigured.
        """
        if not self.uses_model:
            self.state = 'inactive'
            return super().on_configure(state)
        choice = ModelChoice(*(self.parameters[name] for name in MODEL_PARAMETERS[:4]))
        job = self.host.load(choice)
        try:
            if not self._finish(job):
                return FAILURE
            facts = job.result()
            self._holds_model = True
            self.accept(facts)
        except Exception as error:
            self._release()
            self.report_error(f'cannot load the model: {error}', job.trace)
            return FAILURE
        self.last_error = ''
        self.get_logger().info(
            f'model {facts.name} on {facts.device}; licence of its weights: {facts.licence}'
        )
        without_cuda = choice.device == 'auto' and not facts.device.startswith('cuda')
        if without_cuda and has_nvidia():
            self.get_logger().warning(
                'there is an NVIDIA device, but PyTorch finds no CUDA: the model runs on '
                f'{facts.device}'
            )
        self.state = 'inactive'
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to take input. SUCCESS always."""
        self.state = 'active'
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Drop all work and bring a moving body to rest. SUCCESS always."""
        self.halt('the node was deactivated')
        self.state = 'inactive'
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model. SUCCESS always."""
        self._release()
        self.state = 'unconfigured'
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Drop all work and free the model. SUCCESS always."""
        self.halt('the node was shut down')
        self._release()
        self.state = 'finalized'
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model after a fault in a transition. SUCCESS: configure can be tried again."""
        self._release()
        self.state = 'unconfigured'
        return SUCCESS

    def close(self, timeout_s: float) -> bool:
        """End the worker, if it is this node's own; return whether it ended in time."""
        return not self._owns_host or self.host.worker.close(timeout_s)

    # ------------------------------------------------------------------ common services

    def wake(self) -> None:
        """Have ``on_worker`` called in the executor; for the worker's thread."""
        with contextlib.suppress(InvalidHandle):  # the node is gone: there is no one to wake
            self._wake.trigger()

    def report_error(self, message: str, trace: str = '') -> None:
        """Log an error and keep it for /diagnostics; ``trace`` says where it was."""
        self.last_error = message
        self.get_logger().error(message)
        if trace:
            self.get_logger().error(trace)

    def report_success(self) -> None:
        """Forget the last error."""
        self.last_error = ''
        self._memory_errors = 0

    def report_failure(self, message: str, error: Exception, trace: str = '') -> None:
        """Report what the worker failed in; out of memory twice in a row, the node deactivates."""
        self.report_error(message, trace)
        if isinstance(error, DeviceMemoryError):
            self._memory_errors += 1
            if self._memory_errors >= 2:
                self.get_logger().error('out of memory twice in a row: the node deactivates')
                self.trigger_deactivate()

    def _look_at_parameters(self) -> None:
        """Warn once of each contradiction between parameters."""
        found = contradictions(self.parameters)
        for remark in found - self._contradictions:
            self.get_logger().warning(remark)
        self._contradictions = found

    def look_for_clock(self) -> None:
        """Warn once where sim time is used and does not begin."""
        clock = self.get_clock()
        if clock.ros_time_is_active and not clock.now().nanoseconds:
            self.get_logger().warning('use_sim_time, but no /clock is heard', once=True)

    def _start(self) -> None:
        self._autostart.cancel()
        if self.trigger_configure() == SUCCESS:
            self.trigger_activate()

    def _finish(self, job: Job) -> bool:
        """Wait for a job; return False where the process is told to end meanwhile."""
        while not wait([job], _WAIT_S).done:
            if told_to_end():
                job.stop()
                return False
        return not isinstance(job.exception(), Cancelled)

    def _release(self) -> None:
        if self._holds_model:
            self._holds_model = False
            self._finish(self.host.release())

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self.enabled = request.data
        response.success = True
        response.message = 'enabled' if request.data else 'disabled: new input is refused'
        self.get_logger().info(response.message)
        return response

    def _health(self) -> Health:
        health = Health(message=self.state if self.enabled else f'{self.state}, disabled')
        if self.last_error:
            health.level, health.message = DiagnosticStatus.ERROR, self.last_error
        elif not self.active:
            health.level = DiagnosticStatus.WARN
        elif warning := self.warning():
            health.level, health.message = DiagnosticStatus.WARN, warning
        health.values = {
            'state': self.state,
            'enabled': str(self.enabled).lower(),
            **self.health_values(),
            'memory_mb': f'{memory_mb():.0f}',
            'last_error': self.last_error,
        }
        return health
