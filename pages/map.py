"""Map: two hyperparameters of the recipe against the outcome of ten thousand paths."""

from __future__ import annotations

import streamlit as st

from lrlab.ui.entry import require_entry
from lrlab.ui.layout import two_sides
from lrlab.ui.map import map_controls, map_of
from lrlab.ui.path import path_controls, path_map, surface_choice
from lrlab.ui.recipe import current_path
from lrlab.words import map_sentence, path_sentence

require_entry()

st.title("Map", anchor=False)
answer = st.container()
map_side, path_side = two_sides("map", 6, 5)
with path_side:
    path_controls(surface_choice())
path = current_path(noisy=False)
with map_side:
    x, y, outcome = map_controls(path.recipe)
    result = map_of(path, x, y, outcome)
answer.markdown(f"**{map_sentence(result)}**")
with path_side:
    st.markdown(path_sentence(path))
    path_map(path)
