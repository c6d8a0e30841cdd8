"""Taking runs away: as Keras code, as tables, for TensorBoard, and as JSON that is read back."""

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
from lrlab.runs.store import Run
from lrlab.training.compile_mode import COMPILE_MODES
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.recipe.session_draft import current_draft, put_draft

UPLOAD = "take.upload"

MOST_LOGGED = 100
"""Runs in one TensorBoard log: each takes the page's process some 20 ms."""


def downloads(runs: Sequence[Run]) -> None:
    """Buttons that download one run in every form, or what several runs measured."""
    with (
        st.expander("Take it away", icon=":material/download:"),
        st.container(horizontal=True),
    ):
        if len(runs) == 1:
            _code(runs[0])
        name = f"run-{runs[0].id}" if len(runs) == 1 else "runs"
        _download("Epochs as CSV", partial(_epochs, runs), f"{name}-epochs.csv")
        _download("Points as CSV", partial(_points, runs), f"{name}-points.csv")
        if len(runs) <= MOST_LOGGED:
            _download("TensorBoard log", partial(_tensorboard, runs), f"{name}-tensorboard.zip")
        else:
            st.caption(
                f"A TensorBoard log holds at most {MOST_LOGGED} runs; these are {len(runs)}. Tick "
                "fewer for one."
            )


def _code(run: Run) -> None:
    plan = run.plan
    # A run that was never begun has no way yet: the script then takes the plain one.
    how = {
        "jit_compile": bool(run.compile_mode) and COMPILE_MODES[run.compile_mode].jit_compile,
        "name": run.name,
        "data_source": run.data_source,
    }
    _download(
        "Keras script",
        partial(keras_script, plan, **how),
        f"run-{run.id}.py",
        "Plain Keras without LR Lab; run on its own it gives the same history.",
    )
    _download("Notebook", partial(keras_notebook, plan, **how), f"run-{run.id}.ipynb")
    if server().store.has_keras_file(run.id):
        _download(
            "Keras model",
            partial(server().store.keras_file, run.id),
            f"run-{run.id}.keras",
            "The trained network; it takes pixels from 0 to 255 and scales them itself.",
        )
    _download(
        "Recipe and plan as JSON",
        partial(plan_json, plan),
        f"run-{run.id}.json",
        "“Keras code, link and JSON” below a page reads it back.",
    )


def _download(label: str, make: Callable[[], str | bytes], file: str, why: str = "") -> None:
    st.download_button(
        label,
        make,
        file,
        key=f"take.{file}",
        on_click="ignore",
        icon=":material/download:",
        help=why or None,
    )


def _epochs(runs: Sequence[Run]) -> str:
    store = server().store
    return epochs_csv(ExportedRun(run.id, run.name, store.history(run)) for run in runs)


def _points(runs: Sequence[Run]) -> str:
    store = server().store
    return points_csv(ExportedRun(run.id, run.name, store.history(run)) for run in runs)


def _tensorboard(runs: Sequence[Run]) -> bytes:
    store = server().store
    return tensorboard_zip(
        (
            ExportedRun(run.id, run.name, store.history(run)),
            run.started or run.created,
        )
        for run in runs
    )


def read_back() -> None:
    """A place for a JSON file: its recipe, and its plan if it has one, go into the controls."""
    st.file_uploader(
        "Read a recipe or plan from JSON", "json", key=UPLOAD, on_change=_read, max_upload_size=1
    )


def _read() -> None:
    file = st.session_state[UPLOAD]
    if file is None:
        return
    with report_store_errors():
        current = resolve_plan(current_draft(), find_source().largest_train_size)
        put_draft(draft_of(read_plan(file.getvalue(), current, file.name)))
