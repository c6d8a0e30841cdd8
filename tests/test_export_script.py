"""Exported scripts and notebooks, run on their own, give the history that is stored of the run."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from lrlab.controls.draft import resolve_plan
from lrlab.export import keras_notebook, keras_script
from lrlab.recipes.networks import NETWORKS
from lrlab.recipes.plan import RunPlan
from lrlab.runs.store import Store
from lrlab.runs.worker import StoreSink
from lrlab.schedules import SCHEDULES
from lrlab.training.compile_mode import FUSED, UNFUSED, CompileMode
from lrlab.training.trainer import train
from tests.training_runs import HISTORY, SAMPLE

RAMP = {"ramp.warmup_steps.percent": "25", "ramp.cooldown_steps.percent": "50"}
SHORT = {"stretch": "true", "seed": "5", "epochs": "2", "batch_size": "32", "train_size": "150"}
"""A run of two epochs of five steps, in which the whole schedule takes its course."""

SPECIAL: dict[str, dict[str, str]] = {
    "cosine_decay": RAMP,
    "triangular": RAMP,
    "exponential_decay": {"network": "cnn"},
    # The whole training part of the sample, which keeps the order of the split.
    "polynomial_decay": {"train_size": "3750", "batch_size": "500"},
    # No epoch can gain so much, so that the rate is cut.
    "reduce_lr_on_plateau": {
        "epochs": "4",
        "reduce_lr_on_plateau.patience": "0",
        "reduce_lr_on_plateau.min_delta": "100",
    },
}
"""What is particular about the run of a schedule."""

FUSED_SCHEDULE = "triangular"

TRAINED_WITH = {
    "constant": "schedule_free_adamw",
    "polynomial_decay": "nadam",
    "exponential_decay": "adam",
    "piecewise_constant_decay": "muon",
    "inverse_time_decay": "ftrl",
    "cosine_decay": "adamw",
    "cosine_decay_restarts": "lamb",
    "inverse_sqrt": "adafactor",
    "warmup_stable_decay": "lion",
    "triangular": "nesterov",
    "one_cycle": "rmsprop",
    "reduce_lr_on_plateau": "sgd",
}
"""Every schedule, each with another optimizer."""


def cases() -> dict[str, tuple[RunPlan, CompileMode]]:
    """The run of each schedule."""
    found = {}
    for schedule, optimizer in TRAINED_WITH.items():
        chosen = {"optimizer": optimizer, "schedule": schedule}
        way = FUSED if schedule == FUSED_SCHEDULE else UNFUSED
        plan = resolve_plan(SHORT | chosen | SPECIAL.get(schedule, {}))
        found[f"{optimizer} with {schedule}"] = plan, way
    return found


CASES = cases()
RAMPED = next(name for name in CASES if name.endswith("with cosine_decay"))
PROGRAM = """
import runpy, sys
_, folder, *scripts = sys.argv
for script in scripts:
    sys.argv = [script, "--data", folder, "--history", f"{script}.json"]
    runpy.run_path(script)
print("lrlab" in sys.modules)
"""


def run_scripts(scripts: list[Path]) -> None:
    """Runs scripts one after the other in one fresh Python, outside of LR Lab's folder."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(SAMPLE.path), *map(str, scripts)],
        cwd=scripts[0].parent,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "False"


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[float]]]:
    """What each case's script, and one notebook's cells, wrote as their history."""
    folder = tmp_path_factory.mktemp("scripts")
    scripts = {}
    for i, (name, (plan, way)) in enumerate(CASES.items()):
        scripts[name] = folder / f"run_{i}.py"
        scripts[name].write_text(keras_script(plan, jit_compile=way.jit_compile, name=name))
    plan, way = CASES[RAMPED]
    cells = json.loads(keras_notebook(plan, jit_compile=way.jit_compile, name="a notebook"))[
        "cells"
    ]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    scripts["notebook"] = folder / "notebook.py"
    for constant, value in (
        ("DATA_FOLDER", str(SAMPLE.path)),
        ("HISTORY_FILE", f"{scripts['notebook']}.json"),
    ):
        assert f"{constant} = None" in code
        code = code.replace(f"{constant} = None", f"{constant} = {value!r}")
    scripts["notebook"].write_text(code)
    run_scripts(list(scripts.values()))
    return {
        name: json.loads(script.with_name(f"{script.name}.json").read_text())
        for name, script in scripts.items()
    }


def stored_history(
    plan: RunPlan, way: CompileMode, store: Store, url: str
) -> dict[str, list[float]]:
    """Queues a run and trains it as a worker does; the history is what another process would
    then read in the database."""
    store.register_worker("worker")
    run_id = store.queue(plan, owner="ada", name="a run")
    run = store.claim("worker")
    outcome = train(run.plan, StoreSink(store, run), SAMPLE, way)
    assert outcome.kind == "completed"
    store.finish(run.id, run.attempt, "finished", outcome.text)
    reader = Store(url)
    epochs = reader.epochs_of([run_id])[run_id]
    reader.close()
    return {measure: [epoch[measure] for epoch in epochs] for measure in HISTORY}


@pytest.mark.parametrize("name", [*CASES, "notebook"])
def test_the_code_gives_the_stored_history_of_the_run(
    name: str, histories: dict[str, dict[str, list[float]]], new_store: tuple[Store, str]
) -> None:
    plan, way = CASES[RAMPED if name == "notebook" else name]
    for measure, expected in stored_history(plan, way, *new_store).items():
        found = histories[name][measure]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5, err_msg=measure)


def test_every_schedule_network_and_way_is_among_the_cases() -> None:
    plans = [plan for plan, _ in CASES.values()]
    assert {way for _, way in CASES.values()} == {FUSED, UNFUSED}
    assert {plan.network for plan in plans} == set(NETWORKS)
    assert any(plan.recipe.ramp for plan in plans)
    assert {plan.recipe.schedule.name for plan in plans} == set(SCHEDULES)


@pytest.mark.parametrize("built", [True, False])
def test_schedule_free_adamw_keeps_the_initial_weights_only_where_it_is_built_before(
    built: bool,
) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    optimizer = keras.optimizers.ScheduleFreeAdamW(1e-9)
    if built:
        optimizer.build(model.trainable_variables)
    model.compile(optimizer, "mse")
    before = np.array(model.weights[0])
    model.fit(np.ones((8, 4)), np.ones((8, 3)), verbose=0)
    expected = before if built else np.zeros_like(before)
    np.testing.assert_allclose(model.weights[0], expected, atol=1e-6)


@pytest.mark.parametrize("name", ["x\nimport os", '"""', "'''", "\u2028raise", "# %%", "\\"])
def test_a_name_stays_in_its_comment(name: str) -> None:
    plan, _ = CASES[RAMPED]
    plain = keras_script(plan, jit_compile=False, name="plain")
    code = keras_script(plan, jit_compile=False, name=name, data_source=name)
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(plain))


def test_a_script_says_how_the_run_was_compiled_and_on_which_data() -> None:
    plan, _ = CASES[RAMPED]
    code = keras_script(plan, jit_compile=True, name="my run", data_source=SAMPLE.label)
    assert "    jit_compile=True,\n" in code
    assert "# Run 'my run' of LR Lab" in code
    assert f"# The run used this data: {SAMPLE.label}." in code
    assert "lrlab" not in code


def test_a_notebook_is_of_the_format_that_jupyter_reads() -> None:
    plan, way = CASES[RAMPED]
    notebook: dict[str, Any] = json.loads(
        keras_notebook(plan, jit_compile=way.jit_compile, name="a run")
    )
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in notebook["cells"]:
        expected = {"cell_type", "id", "metadata", "source"}
        if cell["cell_type"] == "code":
            expected |= {"execution_count", "outputs"}
            ast.parse("".join(cell["source"]))
        assert cell.keys() == expected
        assert all(line.endswith("\n") for line in cell["source"][:-1])
    assert "argparse" not in json.dumps(notebook)
