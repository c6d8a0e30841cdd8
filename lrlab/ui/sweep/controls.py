"""A sweep: what varies, and starting it as one group."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from lrlab.controls.fields import CHOICES
from lrlab.experiments.sweep import SweepAxis, sweep, sweepable
from lrlab.params import Param
from lrlab.recipes.plan import RunPlan
from lrlab.runs.limits import DEFAULT_LIMITS, NAME_LENGTH
from lrlab.schedules.base import LEARNING_RATE
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.runs.access_codes import class_code
from lrlab.ui.runs.start import MOST_SEEDS

SHOWN = "sweep.shown"
"""Session key of the sweep that is looked at."""

NOTHING = "nothing else"
RANGE, LIST = "from … to", "these values"
COUNT = 7
"""How many values an axis has at first."""


class Planned(NamedTuple):
    """A sweep that can be started: what to call it, and its runs by name."""

    name: str
    plans: dict[str, RunPlan]


def sweep_controls(plan: RunPlan) -> Planned | None:
    """Which hyperparameters vary and over what, which optimizers and how many seeds; None if
    that cannot be planned, which is then told."""
    known = sweepable(plan.recipe)
    names = list(known)
    first, second = st.columns(2, gap="large")
    chosen: list[Callable[[], SweepAxis]] = []
    with first:
        x = st.selectbox("Vary", names, format_func=_name, key=_key(plan, "x"))
        chosen.append(_axis(plan, x, known[x]))
    with second:
        rest = [NOTHING, *(name for name in names if name != x)]
        y = st.selectbox("And", rest, format_func=_name, key=_key(plan, f"y.{x}"))
        if y != NOTHING:
            chosen.append(_axis(plan, y, known[y]))
    left, right = st.columns([3, 1], gap="large")
    optimizers = left.multiselect(
        "Optimizers",
        list(CHOICES["optimizer"]),
        [plan.recipe.optimizer.name],
        key=_key(plan, "optimizers"),
        format_func=lambda key: CHOICES["optimizer"][key].label,
        help="Others than the recipe's own take Keras's defaults for all that does not vary.",
        placeholder="The recipe's own",
    )
    seeds = right.number_input(
        "Seeds", 1, MOST_SEEDS, 1, key="sweep.seeds", persist_state="session"
    )
    with report_store_errors():
        axes = [make() for make in chosen]
        most = server().store.limits.max_group
        plans = sweep(plan, axes, optimizers, range(plan.seed, plan.seed + seeds), most)
        labels = dict.fromkeys(some.recipe.optimizer_spec.label for some in plans.values())
        varied = " × ".join(known[axis.key].name for axis in axes)
        return Planned(f"Sweep of {varied}: {', '.join(labels)}"[:NAME_LENGTH], plans)
    return None


def _axis(plan: RunPlan, key: str, param: Param) -> Callable[[], SweepAxis]:
    """The controls for one hyperparameter's values; called, it checks and gives them."""
    if param.kind == "bool":
        st.caption(f"{param.name}: off and on.")
        return lambda: SweepAxis.of(key, (False, True))
    how = st.segmented_control(
        f"Values of {param.name}",
        [RANGE, LIST],
        default=RANGE,
        required=True,
        key=_key(plan, f"{key}.how"),
        help=f"{param.help} Allowed: {param.allowed()}.",
    )
    low, high = _span(plan, key, param)
    if how == LIST:
        typed = st.text_input(
            "Values, with commas between them",
            f"{low}, {high}",
            key=_key(plan, f"{key}.list"),
        )
        parts = [part for part in typed.split(",") if part.strip()]
        return lambda: SweepAxis.of(key, [param.parse(part, "sweep") for part in parts])
    places = st.columns(3)
    lowest, highest = (
        place.text_input(word, end, key=_key(plan, f"{key}.{word}"))
        for place, word, end in zip(places, ("From", "To"), (low, high), strict=False)
    )
    most = DEFAULT_LIMITS.max_group
    count = places[2].number_input("How many", 2, most, COUNT, key=_key(plan, f"{key}.count"))
    return lambda: SweepAxis.between(
        plan.recipe,
        key,
        param.parse(lowest, "sweep"),
        param.parse(highest, "sweep"),
        count,
    )


def _span(plan: RunPlan, key: str, param: Param) -> tuple[str, str]:
    """The lowest and highest value at first: around the recipe's own learning rate, else the
    middle half of the slider."""
    if key == LEARNING_RATE:
        peak = plan.recipe.peak(plan.total_steps)
        return tuple(param.text(float(f"{rate:.1g}")) for rate in (peak / 30, peak * 30))
    stops = param.grid() or [param.default, param.default]
    return tuple(param.text(stops[part * (len(stops) - 1) // 4]) for part in (1, 3))


def _name(key: str) -> str:
    """What varies, by Keras's name; the part of the recipe is told where it is not plain."""
    part, _, name = key.rpartition(".")
    return f"{name} ({part})" if part else name


def _key(plan: RunPlan, what: str) -> str:
    """A control's key: another optimizer or schedule has other hyperparameters."""
    return f"sweep.{plan.recipe.optimizer.name}.{plan.recipe.schedule.name}.{what}"


def sweep_button(planned: Planned) -> None:
    """The button that queues the sweep, and what it will come to."""
    count, some = len(planned.plans), next(iter(planned.plans.values()))
    st.button(
        f"Start {count} run{'s' if count > 1 else ''}",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(planned,),
        disabled=browser() is None,
    )
    st.caption(
        f"One after the other in the background, each {some.epochs} "
        f"epoch{'s' if some.epochs > 1 else ''} on {some.train_size:,} images."
    )


def _start(planned: Planned) -> None:
    with report_store_errors():
        st.session_state[SHOWN] = server().store.queue_group(
            planned.plans,
            owner=browser() or "",
            name=planned.name,
            kind="sweep",
            code=class_code(),
        )
