"""The selected runs, kept in the page address so that a link opens the same selection."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lrlab.controls.draft import RUN, RUNS, run_numbers
from lrlab.params import InvalidInput
from lrlab.text import escape_markdown


def selected_runs() -> tuple[int, ...]:
    """The run numbers in the address, in its order; empty if it has none or they are invalid."""
    try:
        return run_numbers(st.query_params.get(RUNS) or st.query_params.get(RUN) or "")
    except InvalidInput as error:
        st.error(escape_markdown(str(error)), icon=":material/link_off:")
        return ()


def select_runs(ids: Sequence[int]) -> None:
    """Put these run numbers into the address; the browser's Back restores the previous ones."""
    query = selection_query(ids)
    for key in (RUN, RUNS):
        if key in query:
            st.query_params[key] = query[key]
        elif key in st.query_params:
            del st.query_params[key]


def selection_query(ids: Sequence[int]) -> dict[str, str]:
    """The query parameters of a link to these runs."""
    if not ids:
        return {}
    return {RUNS if len(ids) > 1 else RUN: ",".join(map(str, ids))}
