"""Map: the outcome of ten thousand paths over two of the recipe's hyperparameters."""

from __future__ import annotations

import streamlit as st

from lrlab.descent.sentences import map_sentence, trajectory_sentence
from lrlab.ui.app.bootstrap import require_bootstrap
from lrlab.ui.app.layout import two_sides
from lrlab.ui.descent.hyperparameter_map import hyperparameter_map_view, map_controls
from lrlab.ui.descent.trajectory_map import surface_choice, trajectory_controls, trajectory_map
from lrlab.ui.recipe.current import current_trajectory

require_bootstrap()

st.title("Map", anchor=False)
answer_place = st.container()
map_side, trajectory_side = two_sides("map", 6, 5)
with trajectory_side:
    trajectory_controls(surface_choice())
trajectory = current_trajectory(noisy=False)
with map_side:
    x, y, outcome = map_controls(trajectory.recipe)
    result = hyperparameter_map_view(trajectory, x, y, outcome)
answer_place.markdown(f"**{map_sentence(result)}**")
with trajectory_side:
    st.markdown(trajectory_sentence(trajectory))
    trajectory_map(trajectory)
