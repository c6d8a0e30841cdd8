"""What a training run tells the world while it goes on: a Keras callback and its sink."""

from __future__ import annotations

import math
import time
from typing import Any, Literal, Protocol

import keras
import numpy as np

from lrlab.training.measurements import EpochRecord, EpochSnapshot, Point, RunResult
from lrlab.training.network_model import BATCH_LOSS, GRADIENT_NORM, LEARNING_RATE, UPDATE_RATIO

Phase = Literal["preparing", "compiling", "training", "testing"]
"""What a run is at: loading data, compiling the program that trains it, training, and measuring
the trained network."""

MOST_POINTS = 400
"""Points in a whole run, besides the one that each epoch ends with."""
REPORT_SECONDS = 0.2
"""Seconds between two reports of points to the sink."""


class Sink(Protocol):
    """Where a run reports to. An error raised here ends the run and reaches its caller."""

    def started(self, phase: Phase) -> None:
        """The run enters a phase."""

    def points(self, points: list[Point]) -> bool:
        """New points, in the order of their steps; called four times a second, so perhaps without
        any. Returns whether the run should end now."""

    def epoch(self, record: EpochRecord) -> None:
        """An epoch has ended."""

    def learned(self, learned: EpochSnapshot) -> None:
        """What the network has learned by an epoch's end, right after `epoch`."""

    def result(self, result: RunResult) -> None:
        """All epochs are trained, and the network is tested."""


class RunEnded(Exception):
    """Ends a run before its last step, from inside Keras.

    Args:
        kind: why it ended.
        step: the step whose loss is not finite, or how many updates were done before the stop.

    Keras's own ``stop_training`` would first validate, and call the cut epoch ended.
    """

    def __init__(self, kind: Literal["diverged", "stopped"], step: int) -> None:
        super().__init__(f"{kind} at step {step}")
        self.kind = kind
        self.step = step


class Recorder(keras.callbacks.Callback):
    """Reports a `InstrumentedModel`'s training to a sink, and ends it when it diverges or is stopped.

    Args:
        sink: where to report to.
        total_steps: updates in the whole run; decides how many steps a point stands for.
        steps: updates done before it begins, where it goes on from a checkpoint.

    Raises:
        RunEnded: from within ``fit`` or ``evaluate``.
    """

    def __init__(self, sink: Sink, total_steps: int, steps: int = 0) -> None:
        super().__init__()
        self._sink = sink
        self._block = math.ceil(total_steps / MOST_POINTS)
        self._losses: list[float] = []
        self._points: list[Point] = []
        self._learning_rate = math.nan
        self._lengths: tuple[float, ...] = ()
        """Gradient norm and update ratio of the last step that has them, until a point does."""
        self._reported = -math.inf
        self._epoch_began = 0.0
        self.steps = steps
        """Updates done so far; one that starts from a loss that is not finite does not count."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Starts the epoch's clock."""
        self._epoch_began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        """Takes in what a block's steps tell each, and its last step alone."""
        losses, rates = (np.ravel(logs[name]).tolist() for name in (BATCH_LOSS, LEARNING_RATE))
        *before, last = zip(losses, rates, strict=True)
        for loss, learning_rate in before:
            self._take(loss, learning_rate)
        self._take(*last, float(logs[GRADIENT_NORM]), float(logs[UPDATE_RATIO]))
        self._report_in_time()

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Reports the epoch's last steps before the validation, which may take a while."""
        self._close_block()
        self.report()

    def on_test_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Lets a stop request end a long validation or test as well."""
        self._report_in_time()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
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
        """Reports the points that are waiting, and ends the run if the sink asks for it.

        Raises:
            RunEnded: a stop is requested.
        """
        self._reported = time.monotonic()
        if self._push():
            self._close_block()
            self._push()
            raise RunEnded("stopped", self.steps)

    def _take(self, loss: float, learning_rate: float, *lengths: float) -> None:
        if not math.isfinite(loss):
            self._close_block()
            self._lengths = lengths
            self._add_point(self.steps, loss, learning_rate)
            self._push()
            raise RunEnded("diverged", self.steps)
        self.steps += 1
        self._losses.append(loss)
        self._learning_rate = learning_rate
        self._lengths = lengths or self._lengths
        if len(self._losses) == self._block:
            self._close_block()

    def _report_in_time(self) -> None:
        if time.monotonic() - self._reported >= REPORT_SECONDS:
            self.report()

    def _close_block(self) -> None:
        if self._losses:
            mean = math.fsum(self._losses) / len(self._losses)
            self._add_point(self.steps - 1, mean, self._learning_rate)
            self._losses.clear()

    def _add_point(self, step: int, loss: float, learning_rate: float) -> None:
        self._points.append(Point(step, loss, learning_rate, *self._lengths))
        self._lengths = ()

    def _push(self) -> bool:
        points, self._points = self._points, []
        return self._sink.points(points)
