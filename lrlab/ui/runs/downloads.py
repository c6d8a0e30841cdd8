"""Download runs as Keras code, tables, TensorBoard logs and JSON; upload that JSON again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from lrlab.controls.draft import draft_of, resolve_plan
from lrlab.datasets.sources import find_source
from lrlab.export import (
    ExportedRun,
    epochs_csv,
    keras_notebook,
    keras_script,
    plan_json,
    points_csv,
    read_plan,
    tensorboard_zip,
)
from lrlab.runs.store import Run, StoreError
from lrlab.training.compile_mode import COMPILE_MODES
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.recipe.session_draft import current_draft, put_draft

_UPLOAD = "take.upload"

MAX_TENSORBOARD_RUNS = 100
"""Runs in one TensorBoard log: each keeps the page's process busy for some 20 ms."""


def download_buttons(runs: Sequence[Run]) -> None:
    """Draw buttons that download one run in every format, or the measurements of several runs."""
    with (
        st.expander("Downloads", icon=":material/download:"),
        st.container(horizontal=True),
    ):
        if len(runs) == 1:
            _single_run_buttons(runs[0])
        name = f"run-{runs[0].id}" if len(runs) == 1 else "runs"
        _button("Epochs as CSV", partial(_epochs, runs), f"{name}-epochs.csv")
        _button("Points as CSV", partial(_points, runs), f"{name}-points.csv")
        if len(runs) <= MAX_TENSORBOARD_RUNS:
            _button("TensorBoard log", partial(_tensorboard, runs), f"{name}-tensorboard.zip")
        else:
            st.caption(
                f"A TensorBoard log holds at most {MAX_TENSORBOARD_RUNS} runs; these are "
                f"{len(runs)}. Tick fewer to download one."
            )


def _single_run_buttons(run: Run) -> None:
    plan = run.plan
    # A run that never started has no compile mode; its script does without XLA.
    jit_compile = bool(run.compile_mode) and COMPILE_MODES[run.compile_mode].jit_compile
    script, notebook = (
        partial(export, plan, jit_compile=jit_compile, name=run.name, data_source=run.data_source)
        for export in (keras_script, keras_notebook)
    )
    _button(
        "Keras script",
        script,
        f"run-{run.id}.py",
        "Plain Keras without LR Lab; it gives the same history.",
    )
    _button("Notebook", notebook, f"run-{run.id}.ipynb")
    if server().store.has_keras_file(run.id):
        _button(
            "Keras model",
            partial(_keras_file, run.id),
            f"run-{run.id}.keras",
            "The trained network; its inputs are pixels from 0 to 255, which it scales itself.",
        )
    _button(
        "Recipe and plan as JSON",
        partial(plan_json, plan),
        f"run-{run.id}.json",
        "To load it again, use “Keras code, link and JSON” at the end of the Train page.",
    )


def _button(
    label: str, content: Callable[[], str | bytes], file: str, help_text: str | None = None
) -> None:
    st.download_button(
        label,
        content,
        file,
        key=f"take.{file}",
        on_click="ignore",
        icon=":material/download:",
        help=help_text,
    )


def _keras_file(run_id: int) -> bytes:
    content = server().store.keras_file(run_id)
    if content is None:
        raise StoreError(f"Run {run_id} has no Keras model; the run may have been deleted.")
    return content


def _epochs(runs: Sequence[Run]) -> str:
    read = server().store.epochs
    return epochs_csv(ExportedRun(run.id, run.name, epochs=read(run.id)) for run in runs)


def _points(runs: Sequence[Run]) -> str:
    read = server().store.points
    return points_csv(ExportedRun(run.id, run.name, points=read(run.id)) for run in runs)


def _tensorboard(runs: Sequence[Run]) -> bytes:
    store = server().store
    return tensorboard_zip(
        (
            ExportedRun(run.id, run.name, store.points(run.id), store.epochs(run.id)),
            run.started or run.created,
        )
        for run in runs
    )


def json_upload() -> None:
    """Draw an upload box for JSON; the recipe and, if present, the plan go into the controls."""
    st.file_uploader(
        "Load a recipe or plan from JSON", "json", key=_UPLOAD, on_change=_load, max_upload_size=1
    )


def _load() -> None:
    file = st.session_state[_UPLOAD]
    if file is None:
        return
    with report_store_errors():
        current = resolve_plan(current_draft(), find_source().largest_train_size)
        put_draft(draft_of(read_plan(file.getvalue(), current, file.name)))
