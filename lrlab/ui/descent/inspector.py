"""The step inspector of the Paths page: one update's numbers, and arrows on the map."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from lrlab.descent.inspector import StepNumbers, inspect_step
from lrlab.descent.trajectory import Trajectory
from lrlab.optimizers.base import Optimizer
from lrlab.text import format_number

KEY = "inspector.step"


def inspected(path: Trajectory) -> StepNumbers | None:
    """The update to look at, picked by a slider; ``None`` while the inspector is off."""
    if not st.toggle(
        "Inspect a step", key="inspector.on", help="Put one update's numbers into the formula."
    ):
        return None
    last = path.steps - 1
    if st.session_state.get(KEY, 0) > last:
        st.session_state[KEY] = last
    k = st.slider("Step", 0, last, key=KEY) if last else 0
    return inspect_step(path, k)


def arrows_of(numbers: StepNumbers, path: Trajectory) -> list[dict]:
    """Arrows for the map: the downhill direction, what is remembered, and the step taken."""
    if not np.isfinite(numbers.move).all():
        return []
    length = 0.15 * path.surface.width
    arrows = [_arrow(numbers.point, _along(-numbers.gradient, length), "downhill −g")]
    for state, before, _after in numbers.states:
        if state.direction:
            towards = state.direction * before
            arrows.append(_arrow(numbers.point, _along(towards, length), f"memory {state.symbol}"))
    arrows.append(_arrow(numbers.point, numbers.move, "step taken"))
    return [arrow for arrow in arrows if arrow is not None]


def _along(vector: np.ndarray, length: float) -> np.ndarray:
    size = float(np.hypot(*vector))
    return vector / size * length if 0 < size < np.inf else np.zeros(2)


def _arrow(start: np.ndarray, vector: np.ndarray, label: str) -> dict | None:
    if not vector.any():
        return None
    return {"from": start.tolist(), "to": (start + vector).tolist(), "label": label}


def inspector_table(numbers: StepNumbers, optimizer: Optimizer) -> None:
    """Every symbol of the formula with its two numbers, and the stability limit."""
    k = numbers.step
    st.markdown(
        f"**Update {k:,}** ($t = {k + 1}$ in the formula). Learning rate "
        f"$\\eta_t = {format_number(numbers.learning_rate, 4)}$; stability limit of plain gradient "
        f"descent here $2/\\lambda_{{max}} = {format_number(numbers.stability_limit, 4)}$."
    )
    st.latex(optimizer.latex)
    rows = [
        ("θ", "the point before", numbers.point),
        ("g", "gradient", numbers.gradient),
    ]
    for state, before, after in numbers.states:
        rows.append((f"{state.symbol} before", state.help, before))
        rows.append((f"{state.symbol} after", "", after))
    rows += [
        ("Δθ", "the step taken", numbers.move),
        ("−Δθ / g", "effective learning rate", numbers.effective_rate),
        ("θ + Δθ", "the point after", numbers.point + numbers.move),
    ]
    table = pd.DataFrame(
        [
            {"Symbol": _plain(symbol), "Meaning": meaning, "x": _shown(at[0]), "y": _shown(at[1])}
            for symbol, meaning, at in rows
        ]
    )
    st.dataframe(table, hide_index=True, height="content", alt="The numbers of this step.")


def _shown(value: float) -> str:
    return format_number(float(value), 6)


def _plain(symbol: str) -> str:
    return symbol.replace(r"\Pi", "Π").replace(r"v^{\max}", "v max")
