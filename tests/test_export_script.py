"""Exported scripts and notebooks, run without LR Lab, reproduce the run's stored history."""

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
"""A run of two epochs of five steps, with the schedule scaled to that length."""

SPECIAL: dict[str, dict[str, str]] = {
    "cosine_decay": RAMP,
    "triangular": RAMP,
    "exponential_decay": {"network": "cnn"},
    # All training images of the sample; in that case the order of the split is kept.
    "polynomial_decay": {"train_size": "3750", "batch_size": "500"},
    # No epoch improves that much, so the learning rate is reduced.
    "reduce_lr_on_plateau": {
        "epochs": "4",
        "reduce_lr_on_plateau.patience": "0",
        "reduce_lr_on_plateau.min_delta": "100",
    },
}
"""Schedule -> settings in which its run differs from SHORT."""

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
"""Every schedule, each with a different optimizer."""


def schedule_cases() -> dict[str, tuple[RunPlan, CompileMode]]:
    """Name -> plan and compile mode of each schedule's run."""
    cases = {}
    for schedule, optimizer in TRAINED_WITH.items():
        chosen = {"optimizer": optimizer, "schedule": schedule}
        mode = FUSED if schedule == FUSED_SCHEDULE else UNFUSED
        plan = resolve_plan(SHORT | chosen | SPECIAL.get(schedule, {}))
        cases[f"{optimizer} with {schedule}"] = plan, mode
    return cases


CASES = schedule_cases()
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
    """Runs scripts one after the other in one new Python process, outside LR Lab's folder."""
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(SAMPLE.path), *map(str, scripts)],
        cwd=scripts[0].parent,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    assert process.stdout.splitlines()[-1] == "False"


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[float]]]:
    """The histories written by each case's script and by the cells of one notebook."""
    folder = tmp_path_factory.mktemp("scripts")
    scripts = {}
    for i, (name, (plan, mode)) in enumerate(CASES.items()):
        scripts[name] = folder / f"run_{i}.py"
        scripts[name].write_text(keras_script(plan, jit_compile=mode.jit_compile, name=name))
    plan, mode = CASES[RAMPED]
    cells = json.loads(keras_notebook(plan, jit_compile=mode.jit_compile, name="a notebook"))[
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
    plan: RunPlan, mode: CompileMode, store: Store, url: str
) -> dict[str, list[float]]:
    """Queues a run, trains it as a worker does, and reads its history through a second store."""
    store.register_worker("worker")
    run_id = store.queue(plan, owner="ada", name="a run")
    run = store.claim("worker")
    outcome = train(run.plan, StoreSink(store, run), SAMPLE, mode)
    assert outcome.kind == "completed"
    store.finish(run.id, run.attempt, "finished", outcome.text)
    reader = Store(url)
    epochs = reader.epochs_of([run_id])[run_id]
    reader.close()
    return {measure: [getattr(epoch, measure) for epoch in epochs] for measure in HISTORY}


@pytest.mark.parametrize("name", [*CASES, "notebook"])
def test_the_code_reproduces_the_stored_history_of_the_run(
    name: str, histories: dict[str, dict[str, list[float]]], new_store: tuple[Store, str]
) -> None:
    plan, mode = CASES[RAMPED if name == "notebook" else name]
    for measure, expected in stored_history(plan, mode, *new_store).items():
        values = histories[name][measure]
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-5, err_msg=measure)


def test_the_cases_cover_every_schedule_network_and_compile_mode() -> None:
    plans = [plan for plan, _ in CASES.values()]
    assert {mode for _, mode in CASES.values()} == {FUSED, UNFUSED}
    assert {plan.network for plan in plans} == set(NETWORKS)
    assert any(plan.recipe.ramp for plan in plans)
    assert {plan.recipe.schedule.name for plan in plans} == set(SCHEDULES)


@pytest.mark.parametrize("built", [True, False])
def test_schedule_free_adamw_keeps_the_initial_weights_only_if_it_is_built_first(
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


def test_a_script_states_the_compile_mode_and_the_data_source() -> None:
    plan, _ = CASES[RAMPED]
    code = keras_script(plan, jit_compile=True, name="my run", data_source=SAMPLE.label)
    assert "    jit_compile=True,\n" in code
    assert "# Run 'my run' of LR Lab" in code
    assert f"# The run used this data: {SAMPLE.label}." in code
    assert "lrlab" not in code


def test_a_notebook_has_jupyters_format() -> None:
    plan, mode = CASES[RAMPED]
    notebook: dict[str, Any] = json.loads(
        keras_notebook(plan, jit_compile=mode.jit_compile, name="a run")
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
