"""Map: two hyperparameters of the recipe against the outcome of ten thousand paths."""

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
answer = st.container()
map_side, path_side = two_sides("map", 6, 5)
with path_side:
    trajectory_controls(surface_choice())
path = current_trajectory(noisy=False)
with map_side:
    x, y, outcome = map_controls(path.recipe)
    result = hyperparameter_map_view(path, x, y, outcome)
answer.markdown(f"**{map_sentence(result)}**")
with path_side:
    st.markdown(trajectory_sentence(path))
    trajectory_map(path)
