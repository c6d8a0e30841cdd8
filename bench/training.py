"""An epoch of LR Lab's worker beside the notebook cell's; a run's start; the worker's memory."""

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
"""Of each fit the first epoch is left out: it starts the pipelines."""
FUSED_TARGET = 0.30
"""Of the notebook cell's epoch: for the MLP with an optimizer that works element by element."""
CELL_TARGET = 1.0
"""For all else: never slower than the cell."""
SLOW_TRAIN_SIZE = 10_000
"""Images for what takes long: the seconds of a step are the same."""
BUSY = 0.1
"""Cores. Beside more other work than this, the figures say little."""


@dataclass(frozen=True)
class Measured:
    """One plan, trained by turns as the notebook cell and as LR Lab.

    Args:
        cell, lab: seconds of an epoch.
        limit: the same of `bench.limit`; None where it does not train this.
        ratio: the median over the rounds of ``lab / cell``.
        reporting: the share of the epoch that goes into the store.
        silence: seconds between two reports at most, while batches are trained.
        validation: seconds from the report of an epoch's last batch to that of the epoch, at most.
        others: cores that other processes used meanwhile.
    """

    plan: RunPlan
    way: CompileMode
    cell: float
    lab: float
    limit: float | None
    ratio: float
    reporting: float
    silence: float
    validation: float
    others: float

    def __str__(self) -> str:
        plan = self.plan
        limit = "" if self.limit is None else f"JAX {self.limit:.2f} s  "
        return (
            f"  {plan.network:<4} {plan.recipe.optimizer.name:<20} {plan.train_size:>6,} images  "
            f"cell {self.cell:>6.2f} s  LR Lab {self.lab:>6.2f} s  {self.way.key:<8} "
            f"ratio {self.ratio:.3f}  {limit}"
            f"validation {self.validation:.2f} s  (other work {self.others:.2f} cores)"
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

    def train(self, plan: RunPlan, **more: str) -> dict[str, Any]:
        """Trains a plan and waits for the answer.

        Raises:
            RuntimeError: the process ended instead.
        """
        print(json.dumps({"plan": plan.to_dict(), **more}), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the trainer ended with status {self.process.wait()}")
        return json.loads(line)


@contextmanager
def trainers(*kinds: str) -> Iterator[list[Trainer]]:
    """Each kind of trainer in a process of its own, one at work at a time."""
    started = [Trainer(kind) for kind in kinds]
    try:
        yield started
    finally:
        for trainer in started:
            trainer.process.communicate()


def plan_for(optimizer: str, network: str = "mlp", train_size: int = FULL_TRAIN_SIZE) -> RunPlan:
    """A constant rate that no optimizer here diverges at."""
    recipe = {
        "optimizer": {"name": optimizer},
        "schedule": {"name": "constant", "learning_rate": 1e-3},
    }
    return RunPlan.of(
        Recipe.from_dict(recipe), network=network, train_size=train_size, epochs=EPOCHS
    )


def measure(
    plan: RunPlan,
    ways: Sequence[CompileMode],
    cell: Trainer,
    lab: Trainer,
    limit: Trainer | None = None,
) -> list[Measured]:
    """Trains a plan by turns as the notebook's cell and as LR Lab does, in each of some ways, and
    as fast as the hardware allows, where that is asked for."""
    cell.train(replace(plan, epochs=1))
    for way in ways:
        lab.train(replace(plan, epochs=1), way=way.key)
    cells: list[float] = []
    limits: list[float] = []
    others: list[float] = []
    answers: dict[str, list[dict[str, Any]]] = {way.key: [] for way in ways}
    for _ in range(ROUNDS):
        if limit:
            limits.append(median(limit.train(plan)["epochs"][1:]))
        with _others(others, cell, lab):
            cells.append(median(cell.train(plan)["epochs"][1:]))
            for way in ways:
                answers[way.key].append(lab.train(plan, way=way.key))
    found = []
    for way in ways:
        labs = [median(answer["epochs"][1:]) for answer in answers[way.key]]
        found.append(
            Measured(
                plan,
                way,
                median(cells),
                median(labs),
                median(limits) if limits else None,
                median(ours / its for ours, its in zip(labs, cells, strict=True)),
                median(answer["reporting"] for answer in answers[way.key]),
                median(answer["silence"] for answer in answers[way.key]),
                median(answer["validation"] for answer in answers[way.key]),
                median(others),
            )
        )
    return found


@contextmanager
def _others(found: list[float], *trainers: Trainer) -> Iterator[None]:
    """Adds the cores that neither this process nor the trainers used."""
    ours = [psutil.Process(), *(psutil.Process(trainer.process.pid) for trainer in trainers)]

    def used() -> float:
        whole = psutil.cpu_times()
        idle = whole.idle + getattr(whole, "iowait", 0.0)
        own = sum(sum(process.cpu_times()[:2]) for process in ours)
        return sum(whole[:8]) - idle - own

    before, began = used(), time.perf_counter()
    yield
    found.append((used() - before) / (time.perf_counter() - began))


def _start_figures() -> list[Figure]:
    """From queueing a run to its first metric in a warm worker, and the worker's memory."""
    plan = PRESETS["Exercise 1: Nadam"]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'runs.db'}"
        store = Store(url)
        engine = Engine(store, Settings(database_url=url))
        engine.start()
        try:
            _wait(lambda: engine.status().state == "ready")
            first = _seconds_to_first_point(store, plan)
            (pid,) = engine.status().pids
            again = _seconds_to_first_point(store, replace(plan, seed=2))
            peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        finally:
            engine.stop()
            store.close()
    return [
        Figure("Start to the first metric, compiling", first, 4.0, "s"),
        Figure("Start to the first metric, compiled before", again, 1.5, "s"),
        Figure("worker's peak memory, full data", int(peak[1]) / 1024, 900, "MB"),
    ]


def _seconds_to_first_point(store: Store, plan: RunPlan) -> float:
    began = time.perf_counter()
    run_id = store.queue(plan, owner="bench", name="bench")
    _wait(lambda: store.points(run_id))
    took = time.perf_counter() - began
    _wait(lambda: store.run(run_id).state == "finished")
    return took


def _wait(until: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.perf_counter() + seconds
    while not until():
        if time.perf_counter() > end:
            raise RuntimeError("the run did not come that far")
        time.sleep(0.01)


def main() -> bool:
    """Print the figures; returns whether every target was met."""
    cases = {plan_for(optimizer): FUSED_TARGET for optimizer in ("sgd", "adam", "nadam")}
    cases[plan_for("nadam", "cnn", SLOW_TRAIN_SIZE)] = CELL_TARGET
    cases[plan_for("muon", "mlp", SLOW_TRAIN_SIZE)] = CELL_TARGET
    print("\nTraining: an epoch with validation, by turns")
    figures, found = [], []
    kinds = ["cell", "lab"]
    if all(map(importlib.util.find_spec, ("jax", "optax"))):
        kinds.append("limit")
    else:
        print("  (JAX and Optax are not installed: no limit beside the figures)")
    with trainers(*kinds) as (cell, lab, *limit):
        for plan, target in cases.items():
            way = choose_compile_mode(replace(plan, train_size=FULL_TRAIN_SIZE))
            # The others `bench.limit` does not train.
            asked = limit if target == FUSED_TARGET else []
            (measured,) = measure(plan, [way], cell, lab, *asked)
            print(measured, flush=True)
            found.append(measured)
            name = f"epoch over the notebook cell's, {plan.network}, {plan.recipe.optimizer.name}"
            figures.append(Figure(name, measured.ratio, target, "x"))
    reporting = max(measured.reporting for measured in found)
    silence = max(measured.silence for measured in found)
    figures += [
        Figure("reporting's share of an epoch", 100 * reporting, 2, "%"),
        Figure("longest time between two reports of batches", 1e3 * silence, 250, "ms"),
    ]
    done = report("Training", [*figures, *_start_figures()])
    if max(measured.others for measured in found) > BUSY:
        print("  (measured beside other work: the figures say little)")
    return done
