"""Epoch times of LR Lab's worker and of the notebook cell; a run's start; the worker's memory."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from bench.report import Figure, report
from lrlab.recipes.plan import FULL_TRAIN_SIZE, PRESETS, RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.engine import Engine
from lrlab.runs.settings import Settings
from lrlab.runs.store import Store
from lrlab.training.compile_mode import CompileMode, choose_compile_mode

ROUNDS = 3
EPOCHS = 3
"""Epochs of each fit; the first one is not counted, because it starts the input pipelines."""
FUSED_TARGET = 0.30
"""Target share of the notebook cell's epoch, for the MLP with an element-wise optimizer."""
CELL_TARGET = 1.0
"""Target share for everything else: never slower than the cell."""
SLOW_TRAIN_SIZE = 10_000
"""Images for the slow cases; the time per step does not depend on it."""
BUSY = 0.1
"""Cores; if other processes use more than this, the figures are unreliable."""


@dataclass(frozen=True)
class TrainingTimes:
    """Results of one plan, trained alternately as the notebook cell and as LR Lab.

    Args:
        cell, lab: median seconds per epoch.
        limit: the same for `bench.limit`; None if it was not measured.
        ratio: median of ``lab / cell`` over the rounds.
        reporting_share: share of an epoch spent in the store, 0 to 1.
        report_gap: longest time between two reports while batches are trained, in seconds.
        validation: longest time from an epoch's last batch report to its epoch record, in seconds.
        other_cores: cores that other processes used during the measurement.
    """

    plan: RunPlan
    mode: CompileMode
    cell: float
    lab: float
    limit: float | None
    ratio: float
    reporting_share: float
    report_gap: float
    validation: float
    other_cores: float

    def __str__(self) -> str:
        plan = self.plan
        limit = "" if self.limit is None else f"JAX {self.limit:.2f} s  "
        return (
            f"  {plan.network:<4} {plan.recipe.optimizer.name:<20} {plan.train_size:>6,} images  "
            f"cell {self.cell:>6.2f} s  LR Lab {self.lab:>6.2f} s  {self.mode.key:<8} "
            f"ratio {self.ratio:.3f}  {limit}"
            f"validation {self.validation:.2f} s  (other work {self.other_cores:.2f} cores)"
        )


class Trainer:
    """A `bench.trainer` process."""

    def __init__(self, kind: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.trainer", kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def train(self, plan: RunPlan, **options: str) -> dict[str, Any]:
        """Trains a plan and waits for the answer.

        Raises:
            RuntimeError: the process ended without an answer.
        """
        print(json.dumps({"plan": plan.to_dict(), **options}), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the trainer ended with status {self.process.wait()}")
        return json.loads(line)


@contextmanager
def trainers(*kinds: str) -> Iterator[list[Trainer]]:
    """Starts one process per kind of trainer; the caller uses one at a time."""
    started = [Trainer(kind) for kind in kinds]
    try:
        yield started
    finally:
        for trainer in started:
            trainer.process.communicate()


def plan_for(optimizer: str, network: str = "mlp", train_size: int = FULL_TRAIN_SIZE) -> RunPlan:
    """A plan with a constant learning rate at which none of the measured optimizers diverges."""
    recipe = {
        "optimizer": {"name": optimizer},
        "schedule": {"name": "constant", "learning_rate": 1e-3},
    }
    return RunPlan.of(
        Recipe.from_dict(recipe), network=network, train_size=train_size, epochs=EPOCHS
    )


def measure(
    plan: RunPlan,
    modes: Sequence[CompileMode],
    cell: Trainer,
    lab: Trainer,
    limit: Trainer | None = None,
) -> list[TrainingTimes]:
    """Trains a plan alternately as the notebook's cell, as LR Lab in each compile mode, and, if
    ``limit`` is given, as fast as the hardware allows."""
    cell.train(replace(plan, epochs=1))
    for mode in modes:
        lab.train(replace(plan, epochs=1), mode=mode.key)
    cells: list[float] = []
    limits: list[float] = []
    other_cores: list[float] = []
    answers: dict[str, list[dict[str, Any]]] = {mode.key: [] for mode in modes}
    for _ in range(ROUNDS):
        if limit:
            limits.append(median(limit.train(plan)["epochs"][1:]))
        with _measure_other_cores(other_cores, cell, lab):
            cells.append(median(cell.train(plan)["epochs"][1:]))
            for mode in modes:
                answers[mode.key].append(lab.train(plan, mode=mode.key))
    all_times = []
    for mode in modes:
        labs = [median(answer["epochs"][1:]) for answer in answers[mode.key]]
        all_times.append(
            TrainingTimes(
                plan,
                mode,
                median(cells),
                median(labs),
                median(limits) if limits else None,
                median(
                    lab_seconds / cell_seconds
                    for lab_seconds, cell_seconds in zip(labs, cells, strict=True)
                ),
                median(answer["reporting_share"] for answer in answers[mode.key]),
                median(answer["report_gap"] for answer in answers[mode.key]),
                median(answer["validation"] for answer in answers[mode.key]),
                median(other_cores),
            )
        )
    return all_times


@contextmanager
def _measure_other_cores(samples: list[float], *trainers: Trainer) -> Iterator[None]:
    """Appends the number of cores used by processes other than this one and the trainers."""
    own_processes = [
        psutil.Process(),
        *(psutil.Process(trainer.process.pid) for trainer in trainers),
    ]

    def used() -> float:
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        own = sum(sum(process.cpu_times()[:2]) for process in own_processes)
        return sum(times[:8]) - idle - own

    before, began = used(), time.perf_counter()
    yield
    samples.append((used() - before) / (time.perf_counter() - began))


def _start_figures() -> list[Figure]:
    """Seconds from queueing to the first metric in a warm worker; the worker's peak memory."""
    plan = PRESETS["Exercise 1: Nadam"]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'runs.db'}"
        store = Store(url)
        engine = Engine(store, Settings(database_url=url))
        engine.start()
        try:
            _wait(lambda: engine.status().state == "ready")
            cold = _seconds_to_first_point(store, plan)
            (pid,) = engine.status().pids
            warm = _seconds_to_first_point(store, replace(plan, seed=2))
            peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        finally:
            engine.stop()
            store.close()
    return [
        Figure("Start to the first metric, compiling", cold, 4.0, "s"),
        Figure("Start to the first metric, compiled before", warm, 1.5, "s"),
        Figure("worker's peak memory, full data", int(peak[1]) / 1024, 900, "MB"),
    ]


def _seconds_to_first_point(store: Store, plan: RunPlan) -> float:
    began = time.perf_counter()
    run_id = store.queue(plan, owner="bench", name="bench")
    _wait(lambda: store.points(run_id))
    elapsed = time.perf_counter() - began
    _wait(lambda: store.run(run_id).state == "finished")
    return elapsed


def _wait(until: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.perf_counter() + seconds
    while not until():
        if time.perf_counter() > end:
            raise TimeoutError("the run took too long")
        time.sleep(0.01)


def main() -> bool:
    """Prints the figures and returns whether every target was met."""
    cases = {plan_for(optimizer): FUSED_TARGET for optimizer in ("sgd", "adam", "nadam")}
    cases[plan_for("nadam", "cnn", SLOW_TRAIN_SIZE)] = CELL_TARGET
    cases[plan_for("muon", "mlp", SLOW_TRAIN_SIZE)] = CELL_TARGET
    print("\nTraining: an epoch with validation, measured alternately")
    figures, all_times = [], []
    kinds = ["cell", "lab"]
    if all(map(importlib.util.find_spec, ("jax", "optax"))):
        kinds.append("limit")
    else:
        print("  (JAX and Optax are not installed: the hardware limit is not measured)")
    with trainers(*kinds) as (cell, lab, *limit):
        for plan, target in cases.items():
            mode = choose_compile_mode(replace(plan, train_size=FULL_TRAIN_SIZE))
            # `bench.limit` cannot train the other cases.
            limit_trainer = limit if target == FUSED_TARGET else []
            (measured,) = measure(plan, [mode], cell, lab, *limit_trainer)
            print(measured, flush=True)
            all_times.append(measured)
            name = f"epoch over the notebook cell's, {plan.network}, {plan.recipe.optimizer.name}"
            figures.append(Figure(name, measured.ratio, target, "x"))
    reporting_share = max(measured.reporting_share for measured in all_times)
    report_gap = max(measured.report_gap for measured in all_times)
    figures += [
        Figure("reporting's share of an epoch", 100 * reporting_share, 2, "%"),
        Figure("longest time between two reports of batches", 1e3 * report_gap, 250, "ms"),
    ]
    targets_met = report("Training", [*figures, *_start_figures()])
    if max(measured.other_cores for measured in all_times) > BUSY:
        print("  (other processes were busy during the measurement: the figures are unreliable)")
    return targets_met
