"""A Keras callback that reports a training run while it goes on, and the sink it reports to."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Literal, Protocol

import keras
import numpy as np

from lrlab.training.measurements import EpochRecord, EpochSnapshot, Point, RunResult
from lrlab.training.network_model import BATCH_LOSS, GRADIENT_NORM, LEARNING_RATE, UPDATE_RATIO

Phase = Literal["preparing", "compiling", "training", "testing"]
"""The phases of a run: load the data, compile the program, train, test the trained network."""

MAX_POINTS = 400
"""The most points in a run, besides the one at the end of each epoch."""
REPORT_SECONDS = 0.2
"""The shortest time between two reports of points to the sink, except at the end of an epoch."""


class Sink(Protocol):
    """Receives a run's measurements.

    An error raised here ends the run and propagates to the caller of `train`.
    """

    def started(self, phase: Phase) -> None:
        """The run enters a phase."""

    def points(self, points: list[Point]) -> bool:
        """New points in the order of their steps; called about four times a second, possibly with
        no points. Returns whether the run must stop now."""

    def epoch(self, record: EpochRecord) -> None:
        """An epoch has ended."""

    def snapshot(self, snapshot: EpochSnapshot) -> None:
        """The snapshot at the end of an epoch, right after `epoch`."""

    def result(self, result: RunResult) -> None:
        """All epochs are trained and the network is tested."""


class RunEnded(Exception):
    """Ends a run before its last step, from inside Keras.

    Keras's own ``stop_training`` would validate first and count the incomplete epoch as finished.

    Args:
        kind: why the run ended.
        step: the step whose loss is not finite; after a stop or a validation loss that is not
            finite, the number of updates so far.
    """

    def __init__(self, kind: Literal["diverged", "stopped"], step: int) -> None:
        super().__init__(f"{kind} at step {step}")
        self.kind = kind
        self.step = step


class Recorder(keras.callbacks.Callback):
    """Reports the training of an `InstrumentedModel` to a sink, and ends it on divergence or stop.

    Args:
        sink: where to report.
        total_steps: updates in the whole run; sets the number of steps per point.
        steps: updates already done, if the run resumes from a checkpoint.

    Raises:
        RunEnded: from within ``fit`` or ``evaluate``.
    """

    def __init__(self, sink: Sink, total_steps: int, steps: int = 0) -> None:
        super().__init__()
        self._sink = sink
        self._steps_per_point = math.ceil(total_steps / MAX_POINTS)
        self._losses: list[float] = []
        self._points: list[Point] = []
        self._learning_rate = math.nan
        self._norms: tuple[float, ...] = ()
        """Gradient norm and update ratio of the latest step that has them and is in no point."""
        self._reported = -math.inf
        self._epoch_began = 0.0
        self.steps = steps
        """Updates done so far, not counting a step whose loss is not finite."""

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Starts the epoch's clock."""
        self._epoch_began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, np.ndarray]) -> None:
        """Records the steps of a block."""
        losses, rates = (np.ravel(logs[name]).tolist() for name in (BATCH_LOSS, LEARNING_RATE))
        *before, last = zip(losses, rates, strict=True)
        for loss, learning_rate in before:
            self._record_step(loss, learning_rate)
        self._record_step(*last, float(logs[GRADIENT_NORM]), float(logs[UPDATE_RATIO]))
        self._report_if_due()

    def on_test_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Reports the epoch's last steps before the validation, which may take a while."""
        self._close_point()
        self.report()

    def on_test_batch_end(self, batch: int, logs: Mapping[str, np.ndarray] | None = None) -> None:
        """Lets a stop request end a long validation or test too."""
        self._report_if_due()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Reports the epoch."""
        record = EpochRecord(
            epoch=epoch + 1,
            step=self.steps,
            loss=logs["loss"],
            accuracy=logs["accuracy"],
            val_loss=logs["val_loss"],
            val_accuracy=logs["val_accuracy"],
            learning_rate=self._learning_rate,
            seconds=time.monotonic() - self._epoch_began,
        )
        self._sink.epoch(record)
        if not math.isfinite(record.val_loss):
            raise RunEnded("diverged", self.steps)

    def report(self) -> None:
        """Reports the new points, and ends the run if the sink asks for it.

        Raises:
            RunEnded: a stop is requested.
        """
        self._reported = time.monotonic()
        if self._send_points():
            self._close_point()
            self._send_points()
            raise RunEnded("stopped", self.steps)

    def _record_step(self, loss: float, learning_rate: float, *norms: float) -> None:
        if not math.isfinite(loss):
            self._close_point()
            self._norms = norms
            self._add_point(self.steps, loss, learning_rate)
            self._send_points()
            raise RunEnded("diverged", self.steps)
        self.steps += 1
        self._losses.append(loss)
        self._learning_rate = learning_rate
        self._norms = norms or self._norms
        if len(self._losses) == self._steps_per_point:
            self._close_point()

    def _report_if_due(self) -> None:
        if time.monotonic() - self._reported >= REPORT_SECONDS:
            self.report()

    def _close_point(self) -> None:
        if self._losses:
            mean = math.fsum(self._losses) / len(self._losses)
            self._add_point(self.steps - 1, mean, self._learning_rate)
            self._losses.clear()

    def _add_point(self, step: int, loss: float, learning_rate: float) -> None:
        self._points.append(Point(step, loss, learning_rate, *self._norms))
        self._norms = ()

    def _send_points(self) -> bool:
        points, self._points = self._points, []
        return self._sink.points(points)
