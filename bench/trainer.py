"""A process that trains on request: ``python -m bench.trainer cell``, ``lab`` or ``limit``.

It reads a JSON request from each line of stdin and writes a JSON answer as a line on stdout.
``cell`` trains as the notebook's cell does; ``lab`` as LR Lab's worker does, with a real store;
``limit`` as `bench.limit` does.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from lrlab.datasets.sources import find_source
from lrlab.datasets.split import load_images
from lrlab.recipes.plan import RunPlan
from lrlab.runs.store import Store
from lrlab.runs.worker import StoreSink
from lrlab.training.compile_mode import COMPILE_MODES
from lrlab.training.measurements import EpochRecord, Point
from lrlab.training.memory import block_unused_imports


class NotebookCell:
    """The notebook's training on images scaled beforehand; repeated plans continue their model."""

    def __init__(self) -> None:
        self._models: dict[str, Any] = {}

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        """Trains a plan; the answer's ``epochs`` are seconds per epoch."""
        import keras
        import numpy as np

        from lrlab.training.network_model import LAYER_BUILDERS

        plan = RunPlan.from_dict(request["plan"])
        images = load_images(find_source(), plan.train_size)
        parts = [images.images[rows] for rows in (images.train_rows, images.validation_rows)]
        mean, deviation = parts[0].mean(axis=0), parts[0].std(axis=0)
        deviation[deviation == 0] = 1
        training, validation = (((x - mean) / deviation).astype(np.float32) for x in parts)
        key = json.dumps(request["plan"])
        if key not in self._models:
            keras.utils.set_random_seed(plan.seed)
            model = keras.Sequential([keras.Input((28, 28)), *LAYER_BUILDERS[plan.network]()])
            model.compile(
                loss="sparse_categorical_crossentropy",
                optimizer=plan.recipe.keras_optimizer(),
                metrics=["accuracy"],
            )
            self._models[key] = model
        ends = []
        on_epoch_end = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(_now()))
        began = _now()
        self._models[key].fit(
            training,
            images.labels[images.train_rows],
            epochs=plan.epochs,
            batch_size=plan.batch_size,
            validation_data=(validation, images.labels[images.validation_rows]),
            callbacks=[on_epoch_end],
            verbose=0,
        )
        return {"epochs": _differences([began, *ends])}


class TimedSink(StoreSink):
    """The worker's sink, with timing.

    Attributes:
        ends: when each epoch ended, after the start of training.
        reporting: seconds spent in the store.
        training: seconds between two reports while batches are trained.
        validation: seconds from each epoch's last batch report to its epoch record.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.ends: list[float] = []
        self.reporting = 0.0
        self.training: list[float] = []
        self.validation: list[float] = []
        self._last_report = 0.0

    def started(self, phase: str) -> None:
        """Starts timing the first epoch."""
        super().started(phase)
        if phase == "training":
            self._last_report = _now()
            self.ends, self.reporting = [self._last_report], 0.0

    def points(self, points: list[Point]) -> bool:
        """Times the report of points."""
        stop_requested = self._timed(super().points, points)
        if points:
            self._add_gap(self.training)
        return stop_requested

    def epoch(self, record: EpochRecord) -> None:
        """Times the report of an epoch, which ends when its row is in the store."""
        self._timed(super().epoch, record)
        self._add_gap(self.validation)
        self.ends.append(self._last_report)

    def _add_gap(self, gaps: list[float]) -> None:
        before, self._last_report = self._last_report, _now()
        gaps.append(self._last_report - before)

    def _timed(self, call: Callable[..., Any], *arguments: Any) -> Any:
        began = _now()
        try:
            return call(*arguments)
        finally:
            self.reporting += _now() - began


class LabWorker:
    """Trains a run as LR Lab's worker does."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._store = Store(f"sqlite:///{Path(self._folder.name) / 'runs.db'}")
        self._store.register_worker("bench")

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        """Trains a plan; the answer holds seconds per epoch and the cost of reporting."""
        from lrlab.training.trainer import train

        plan = RunPlan.from_dict(request["plan"])
        self._store.queue(plan, owner="bench", name="bench")
        run = self._store.claim("bench")
        sink = TimedSink(self._store, run)
        outcome = train(plan, sink, find_source(), COMPILE_MODES[request["mode"]])
        self._store.finish(run.id, run.attempt, "finished", outcome.text)
        elapsed = sink.ends[-1] - sink.ends[0]
        return {
            "epochs": _differences(sink.ends),
            "reporting_share": sink.reporting / elapsed,
            # The time to the first report belongs to the run's start.
            "report_gap": max(sink.training[1:]),
            "validation": max(sink.validation),
        }


def _now() -> float:
    return time.perf_counter()


def _differences(moments: list[float]) -> list[float]:
    return [end - begin for begin, end in pairwise(moments)]


def main(kind: str) -> None:
    """Answers requests until stdin ends."""
    if kind == "limit":
        from bench.limit import Limit

        answer: Callable[[dict[str, Any]], dict[str, Any]] = Limit()
    else:
        block_unused_imports()
        answer = {"cell": NotebookCell, "lab": LabWorker}[kind]()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
