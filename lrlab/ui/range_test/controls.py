"""Plan an LR range test, and start it."""

from __future__ import annotations

import streamlit as st

from lrlab.experiments.range_test import HIGH, LOW, RATE, range_test_plan
from lrlab.recipes.plan import RunPlan
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.server import report_store_errors, server
from lrlab.ui.runs.access_codes import class_code

SHOWN_RANGE_TEST = "range.shown"
"""Session key of the number of the range test that is shown."""


def range_test_controls(plan: RunPlan) -> None:
    """Draw boxes for the first and last rate, and the button that starts the test.

    Args:
        plan: the planned run whose optimizer is tested.
    """
    low_box, high_box, button_box = st.columns([1, 1, 2], vertical_alignment="bottom")
    low = low_box.text_input("From the learning rate", RATE.text(LOW), key="range.low")
    high = high_box.text_input("To the learning rate", RATE.text(HIGH), key="range.high")
    with report_store_errors():
        test = range_test_plan(
            plan, RATE.parse_number(low, "range test"), RATE.parse_number(high, "range test")
        )
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
        help="One short run whose learning rate grows by the same factor at every step.",
    )


def _start(test: RunPlan) -> None:
    name = f"Range test of {test.recipe.optimizer_spec.label}"
    with report_store_errors():
        st.session_state[SHOWN_RANGE_TEST] = server().store.queue_group(
            {name: test}, owner=browser() or "", name=name, kind="range_test", code=class_code()
        )
