"""The LR range test: starting it, watching it, and taking the rate it suggests."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lrlab.charts import range_test_chart, range_test_tables
from lrlab.experiments.range_test import (
    HIGH,
    LOW,
    RATE,
    RULES,
    range_test_plan,
    range_test_sentence,
    read_range_test,
)
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.store import ENDED, Group, Run
from lrlab.text import format_number
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.chart_element import show_chart
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.recipe.apply_recipe import applied_note, apply_recipe, rerun_after_apply
from lrlab.ui.runs.access_codes import class_code
from lrlab.ui.runs.comparison import POLL_SECONDS
from lrlab.ui.runs.run_cache import cached_run
from lrlab.ui.runs.seeds_view import group_progress

SHOWN = "range.shown"
"""Session key of the range test that is looked at."""


def range_test_controls(plan: RunPlan) -> None:
    """From which rate to which, and the button that starts the test of the plan's optimizer."""
    low_box, high_box, button_box = st.columns([1, 1, 2], vertical_alignment="bottom")
    low = low_box.text_input("From the learning rate", RATE.text(LOW), key="range.low")
    high = high_box.text_input("To the learning rate", RATE.text(HIGH), key="range.high")
    with report_store_errors():
        test = range_test_plan(plan, *(RATE.parse(text, "range test") for text in (low, high)))
        with button_box:
            _start_button(test)


def _start_button(test: RunPlan) -> None:
    st.button(
        f"Start the test of {test.total_steps:,} steps",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(test,),
        disabled=browser() is None,
        width="stretch",
        help=f"One short training whose {RATE.name} grows by the same factor at every step.",
    )


def _start(test: RunPlan) -> None:
    name = f"Range test of {test.recipe.optimizer_spec.label}"
    with report_store_errors():
        st.session_state[SHOWN] = server().store.queue_group(
            {name: test}, owner=browser() or "", name=name, kind="range_test", code=class_code()
        )


def range_test_result(plan: RunPlan) -> None:
    """The range test that is looked at, kept up to date while it is under way.

    Args:
        plan: the planned run, whose recipe takes the rate.
    """
    tests = [group for group in server().store.groups() if group.kind == "range_test"]
    mine = [group.id for group in tests if group.owner == browser()]
    if not mine:
        st.caption("You have no range tests yet.")
        return
    names = {group.id: f"{group.id}: {group.name}" for group in tests}
    if st.session_state.get(SHOWN) not in mine:
        st.session_state[SHOWN] = mine[0]
    shown = st.selectbox("Range test", mine, key=SHOWN, format_func=names.__getitem__)
    range_test_view(next(group for group in tests if group.id == shown), plan)


def range_test_view(group: Group, plan: RunPlan) -> None:
    """Draw a range test, and keep it up to date while it is under way; ``plan`` as above."""
    run = next(iter(server().store.runs(group=group.id)), None)
    if run is None:
        st.caption("This range test was deleted.")
        return
    active = run.state not in ENDED
    st.fragment(_watch, run_every=POLL_SECONDS if active else None)(group, run.id, plan, active)


def _watch(group: Group, run_id: int, plan: RunPlan, was_active: bool) -> None:
    with report_store_errors():
        run = server().store.run(run_id)
        if was_active and run.state in ENDED:
            st.rerun()
        rerun_after_apply()
        group_progress(group, [run])
        _result(run, plan)


def _result(run: Run, plan: RunPlan) -> None:
    test = read_range_test(cached_run(server().store, run).history.points)
    ended = run.state in ENDED
    if ended:
        st.markdown(f"**{range_test_sentence(test)}**")
        with st.container(horizontal=True, vertical_alignment="center"):
            for rule, rate in test.suggestions.items():
                st.button(
                    f"Use {format_number(rate, 2)}: {rule}",
                    icon=":material/content_copy:",
                    on_click=_take,
                    args=(run, plan, float(f"{rate:.2g}")),
                    help=f"Make {format_number(rate, 2)}, {RULES[rule]}, the recipe's largest learning "
                    "rate.",
                )
            applied_note()
    tested = run.plan
    ends = tested.recipe.learning_rates(tested.total_steps)
    show_chart(
        range_test_chart,
        f"range.{run.id}",
        *range_test_tables(test),
        low=float(ends[0]),
        high=float(ends[-1]),
    )
    st.caption(
        "Grey: the loss of the passing batches. Line: their moving average, which lags behind a "
        "little. After Smith (2015)."
    )


def _take(run: Run, plan: RunPlan, rate: float) -> None:
    """Scale the recipe's schedule to the rate; the optimizer is the one that was tested."""
    data = plan.recipe.to_dict() | {"optimizer": run.plan.recipe.optimizer.to_dict()}
    with report_store_errors():
        recipe = Recipe.from_dict(data).with_peak(rate, plan.total_steps)
        apply_recipe(
            replace(plan, recipe=recipe),
            f"{recipe.optimizer_spec.label}, learning rate {format_number(rate, 2)}",
        )
