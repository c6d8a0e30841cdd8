"""The runs that are looked at; the address says which, so that a link opens them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lrlab.controls.draft import RUN, RUNS, run_numbers
from lrlab.params import InvalidInput
from lrlab.text import escape_markdown


def selected_runs() -> tuple[int, ...]:
    """The numbers in the address, in their order; none where there are none."""
    try:
        return run_numbers(st.query_params.get(RUNS) or st.query_params.get(RUN) or "")
    except InvalidInput as error:
        st.error(escape_markdown(str(error)), icon=":material/link_off:")
        return ()


def select_runs(ids: Sequence[int]) -> None:
    """Put these numbers into the address; Back then leads to those before."""
    wanted = selection_query(ids)
    for key in (RUN, RUNS):
        if key in wanted:
            st.query_params[key] = wanted[key]
        elif key in st.query_params:
            del st.query_params[key]


def selection_query(ids: Sequence[int]) -> dict[str, str]:
    """What a link to these runs carries."""
    if not ids:
        return {}
    return {RUNS if len(ids) > 1 else RUN: ",".join(map(str, ids))}
