"""Plan a sweep, and start its runs as one group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st

from lrlab.controls.fields import CHOICES
from lrlab.experiments.sweep import SweepAxis, sweep, sweepable_params
from lrlab.params import InvalidInput, Param, Value
from lrlab.recipes.plan import RunPlan
from lrlab.runs.limits import DEFAULT_LIMITS, MAX_NAME_LENGTH
from lrlab.schedules.base import LEARNING_RATE
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.runs.access_codes import class_code
from lrlab.ui.runs.start import MAX_SEEDS

SHOWN_SWEEP = "sweep.shown"
"""Session key of the number of the sweep that is shown."""

NOTHING = "nothing else"
RANGE, LIST = "from … to", "these values"
DEFAULT_COUNT = 7
"""Values on an axis at first."""


class PlannedSweep(NamedTuple):
    """A sweep that can be started: its name, and its plans by the name of the run."""

    name: str
    plans: dict[str, RunPlan]


def sweep_controls(plan: RunPlan) -> PlannedSweep | None:
    """Draw the controls for the axes, the optimizers and the number of seeds.

    Args:
        plan: everything that does not vary.

    Returns:
        The planned sweep; None, with a message on the page, if the input is not allowed.
    """
    params = sweepable_params(plan.recipe)
    keys = list(params)
    first, second = st.columns(2, gap="large")
    make_axes: list[Callable[[], SweepAxis]] = []
    with first:
        x = st.selectbox("Vary", keys, format_func=_name, key=_widget_key(plan, "x"))
        make_axes.append(_axis_controls(plan, x, params[x]))
    with second:
        others = [NOTHING, *(key for key in keys if key != x)]
        y = st.selectbox("And", others, format_func=_name, key=_widget_key(plan, f"y.{x}"))
        if y != NOTHING:
            make_axes.append(_axis_controls(plan, y, params[y]))
    left, right = st.columns([3, 1], gap="large")
    optimizers = left.multiselect(
        "Optimizers",
        list(CHOICES["optimizer"]),
        [plan.recipe.optimizer.name],
        key=_widget_key(plan, "optimizers"),
        format_func=lambda key: CHOICES["optimizer"][key].label,
        help="Other optimizers than the recipe's use Keras's defaults for everything that does "
        "not vary.",
        placeholder="The recipe's own",
    )
    seeds = right.number_input("Seeds", 1, MAX_SEEDS, 1, key="sweep.seeds", persist_state="session")
    plans: dict[str, RunPlan] = {}
    with report_store_errors():
        axes = [make_axis() for make_axis in make_axes]
        max_runs = server().store.limits.max_group
        plans = sweep(plan, axes, optimizers, range(plan.seed, plan.seed + seeds), max_runs)
    if not plans:
        return None
    names = " × ".join(params[key].name for key in (x, y) if key != NOTHING)
    labels = dict.fromkeys(run_plan.recipe.optimizer_spec.label for run_plan in plans.values())
    return PlannedSweep(f"Sweep of {names}: {', '.join(labels)}"[:MAX_NAME_LENGTH], plans)


def _axis_controls(plan: RunPlan, key: str, param: Param) -> Callable[[], SweepAxis]:
    """Draw the controls for one hyperparameter's values.

    Returns:
        A function that checks the input and makes the axis; it raises InvalidInput.
    """
    if param.kind == "bool":
        st.caption(f"{param.name}: off and on.")
        return lambda: SweepAxis.of(key, (False, True))
    mode = st.segmented_control(
        f"Values of {param.name}",
        [RANGE, LIST],
        default=RANGE,
        required=True,
        key=_widget_key(plan, f"{key}.how"),
        help=f"{param.help} Allowed: {param.allowed()}.",
    )
    low, high = _default_ends(plan, key, param)
    if mode == LIST:
        text = st.text_input(
            "Values, separated by commas",
            f"{low}, {high}",
            key=_widget_key(plan, f"{key}.list"),
        )
        parts = [part for part in text.split(",") if part.strip()]
        return lambda: SweepAxis.of(key, [param.parse(part, "sweep") for part in parts])
    low_box, high_box, count_box = st.columns(3)
    low = low_box.text_input("From", low, key=_widget_key(plan, f"{key}.From"))
    high = high_box.text_input("To", high, key=_widget_key(plan, f"{key}.To"))
    count = count_box.number_input(
        "How many",
        2,
        DEFAULT_LIMITS.max_group,
        DEFAULT_COUNT,
        key=_widget_key(plan, f"{key}.count"),
    )
    return lambda: SweepAxis.between(
        plan.recipe, key, _range_end(param, low), _range_end(param, high), count
    )


def _range_end(param: Param, text: str) -> float:
    value = param.parse(text, "sweep")
    if not isinstance(value, int | float):
        raise InvalidInput(
            f"sweep: {param.name} = {param.text(value)} is not allowed as the end of a range. "
            f"Give numbers, or choose “{LIST}”."
        )
    return value


def _default_ends(plan: RunPlan, key: str, param: Param) -> tuple[str, str]:
    """The lowest and highest value at first.

    For the learning rate a factor of 30 below and above the recipe's peak; for other parameters
    the ends of the slider's middle half.
    """
    if key == LEARNING_RATE:
        peak = plan.recipe.peak(plan.total_steps)
        return param.text(float(f"{peak / 30:.1g}")), param.text(float(f"{peak * 30:.1g}"))
    stops: Sequence[Value] = param.grid() or [param.default, param.default]
    last = len(stops) - 1
    return param.text(stops[last // 4]), param.text(stops[3 * last // 4])


def _name(key: str) -> str:
    """The parameter's Keras name, with the part of the recipe it belongs to."""
    part, _, name = key.rpartition(".")
    return f"{name} ({part})" if part else name


def _widget_key(plan: RunPlan, suffix: str) -> str:
    """A widget's key; other optimizers and schedules have other hyperparameters, so other keys."""
    return f"sweep.{plan.recipe.optimizer.name}.{plan.recipe.schedule.name}.{suffix}"


def sweep_button(planned: PlannedSweep) -> None:
    """Draw the button that queues the sweep, and the size of its runs."""
    count, example = len(planned.plans), next(iter(planned.plans.values()))
    st.button(
        f"Start {count} run{'s' if count > 1 else ''}",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(planned,),
        disabled=browser() is None,
    )
    st.caption(
        f"One after the other in the background, each {example.epochs} "
        f"epoch{'s' if example.epochs > 1 else ''} on {example.train_size:,} images."
    )


def _start(planned: PlannedSweep) -> None:
    with report_store_errors():
        st.session_state[SHOWN_SWEEP] = server().store.queue_group(
            planned.plans,
            owner=browser() or "",
            name=planned.name,
            kind="sweep",
            code=class_code(),
        )
