"""The step inspector of the Paths page: one step's numbers, and arrows on the map."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from lrlab.descent.inspector import StepNumbers, inspect_step
from lrlab.descent.trajectory import Trajectory
from lrlab.optimizers.base import Optimizer
from lrlab.text import format_number
from lrlab.ui.descent.trajectory_view import Arrow

STEP_KEY = "inspector.step"
"""Session key of the inspected step."""

ARROW_LENGTH = 0.15
"""Length of the direction arrows as a share of the map's width."""


def inspected_step(trajectory: Trajectory) -> StepNumbers | None:
    """The step that the slider picks; ``None`` while the inspector is off."""
    if not st.toggle(
        "Inspect a step", key="inspector.on", help="Put one step's numbers into the formula."
    ):
        return None
    last = trajectory.steps - 1
    if st.session_state.get(STEP_KEY, 0) > last:
        st.session_state[STEP_KEY] = last
    k = st.slider("Step", 0, last, key=STEP_KEY) if last else 0
    return inspect_step(trajectory, k)


def step_arrows(numbers: StepNumbers, trajectory: Trajectory) -> list[Arrow]:
    """Arrows for the map: the downhill direction, the optimizer's memory, and the step taken."""
    if not np.isfinite(numbers.move).all():
        return []
    length = ARROW_LENGTH * trajectory.surface.width
    arrows = [_arrow(numbers.point, _scaled(-numbers.gradient, length), "downhill −g")]
    for state, before, _after in numbers.states:
        if state.direction:
            vector = _scaled(state.direction * before, length)
            arrows.append(_arrow(numbers.point, vector, f"memory {state.symbol}"))
    arrows.append(_arrow(numbers.point, numbers.move, "step taken"))
    return [arrow for arrow in arrows if arrow is not None]


def _scaled(vector: np.ndarray, length: float) -> np.ndarray:
    """The vector scaled to ``length``; zero if its norm is zero or not finite."""
    norm = float(np.hypot(*vector))
    return vector / norm * length if 0 < norm < np.inf else np.zeros(2)


def _arrow(start: np.ndarray, vector: np.ndarray, label: str) -> Arrow | None:
    if not vector.any():
        return None
    return {"from": start.tolist(), "to": (start + vector).tolist(), "label": label}


def inspector_table(numbers: StepNumbers, optimizer: Optimizer) -> None:
    """Each symbol of the formula with its two components, and the stability limit."""
    k = numbers.step
    st.markdown(
        f"**Step {k:,}** ($t = {k + 1}$ in the formula). Learning rate "
        f"$\\eta_t = {format_number(numbers.learning_rate, 4)}$; stability limit of plain gradient "
        f"descent here $2/\\lambda_{{max}} = {format_number(numbers.stability_limit, 4)}$."
    )
    st.latex(optimizer.latex)
    rows = [
        ("θ", "point before the step", numbers.point),
        ("g", "gradient", numbers.gradient),
    ]
    for state, before, after in numbers.states:
        rows.append((f"{state.symbol} before", state.help, before))
        rows.append((f"{state.symbol} after", "", after))
    rows += [
        ("Δθ", "step taken", numbers.move),
        ("−Δθ / g", "effective learning rate", numbers.effective_rate),
        ("θ + Δθ", "point after the step", numbers.point + numbers.move),
    ]
    table = pd.DataFrame(
        [
            {
                "Symbol": _plain_symbol(symbol),
                "Meaning": meaning,
                "x": _component_text(vector[0]),
                "y": _component_text(vector[1]),
            }
            for symbol, meaning, vector in rows
        ]
    )
    st.dataframe(table, hide_index=True, height="content", alt="The numbers of this step.")


def _component_text(value: float) -> str:
    return format_number(float(value), 6)


def _plain_symbol(symbol: str) -> str:
    """The symbol without the LaTeX that a table cannot show."""
    return symbol.replace(r"\Pi", "Π").replace(r"v^{\max}", "v max")
