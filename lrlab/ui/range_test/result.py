"""An LR range test's result, and buttons that put a suggested rate into the recipe."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lrlab.charts import range_test_chart, range_test_tables
from lrlab.experiments.range_test import RULES, range_test_sentence, read_range_test
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Recipe
from lrlab.runs.store import ENDED, Group, Run
from lrlab.text import format_number
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.chart_element import show_chart
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.range_test.controls import SHOWN_RANGE_TEST
from lrlab.ui.recipe.apply_recipe import applied_note, apply_recipe, rerun_after_apply
from lrlab.ui.runs.comparison import POLL_SECONDS
from lrlab.ui.runs.run_cache import cached_run
from lrlab.ui.runs.seeds_view import group_progress


def range_test_result(plan: RunPlan) -> None:
    """Draw a choice of the visitor's range tests and the chosen one, polled while it is active.

    Args:
        plan: the planned run; its recipe receives the suggested rate.
    """
    tests = [
        group
        for group in server().store.groups()
        if group.kind == "range_test" and group.owner == browser()
    ]
    if not tests:
        st.caption("You have no range tests yet.")
        return
    names = {group.id: f"{group.id}: {group.name}" for group in tests}
    if st.session_state.get(SHOWN_RANGE_TEST) not in names:
        st.session_state[SHOWN_RANGE_TEST] = tests[0].id
    shown = st.selectbox(
        "Range test", list(names), key=SHOWN_RANGE_TEST, format_func=names.__getitem__
    )
    range_test_view(next(group for group in tests if group.id == shown), plan)


def range_test_view(group: Group, plan: RunPlan) -> None:
    """Draw a range test, polled while it is active; ``plan`` as for `range_test_result`."""
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
    if run.state in ENDED:
        st.markdown(f"**{range_test_sentence(test)}**")
        with st.container(horizontal=True, vertical_alignment="center"):
            for rule, rate in test.suggestions.items():
                text = format_number(rate, 2)
                st.button(
                    f"Use {text}: {rule}",
                    icon=":material/content_copy:",
                    on_click=_apply,
                    args=(run, plan, float(f"{rate:.2g}")),
                    help=f"Sets the recipe's largest learning rate to {text}. Rule: {RULES[rule]}.",
                )
            applied_note()
    rates = run.plan.recipe.learning_rates(run.plan.total_steps)
    show_chart(
        range_test_chart,
        f"range.{run.id}",
        *range_test_tables(test),
        low=float(rates[0]),
        high=float(rates[-1]),
    )
    st.caption(
        "Grey: the loss of the latest batches. Line: its moving average, which lags behind "
        "slightly. Idea: Smith (2017)."
    )


def _apply(run: Run, plan: RunPlan, rate: float) -> None:
    """Put the tested optimizer into the recipe and scale the recipe's schedule to the rate."""
    data = plan.recipe.to_dict() | {"optimizer": run.plan.recipe.optimizer.to_dict()}
    with report_store_errors():
        recipe = Recipe.from_dict(data).with_peak(rate, plan.total_steps)
        apply_recipe(
            replace(plan, recipe=recipe),
            f"{recipe.optimizer_spec.label}, learning rate {format_number(rate, 2)}",
        )
