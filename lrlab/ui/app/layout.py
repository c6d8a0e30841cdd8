"""Two sides of a page, beside each other where there is room, else one below the other."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def two_sides(key: str, left: int = 1, right: int = 1) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two columns of these relative widths; ``style.css`` stacks them on a narrow page."""
    with st.container(key=f"sides-{key}"):
        columns = st.columns([left, right], gap="large")
    return columns[0], columns[1]
