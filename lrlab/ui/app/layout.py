"""Two columns of a page, stacked where the window is narrow."""

from __future__ import annotations

import streamlit as st

from lrlab.ui.app.streamlit_internals import DeltaGenerator


def two_sides(key: str, left: int = 1, right: int = 1) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two columns of these relative widths; ``style.css`` stacks them in a narrow window."""
    with st.container(key=f"sides-{key}"):
        columns = st.columns([left, right], gap="large")
    return columns[0], columns[1]
