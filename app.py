"""LR Lab's entry: page config, the shared sidebar, navigation."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lrlab.ui.app.bootstrap import enter
from lrlab.ui.app.browser_identity import learn_browser
from lrlab.ui.app.server import warm_up
from lrlab.ui.app.status_banner import status_banner
from lrlab.ui.recipe.session_draft import open_link
from lrlab.ui.recipe.sidebar import beside_sidebar

st.set_page_config(page_title="LR Lab", page_icon=":material/show_chart:", layout="wide")
enter()
st.html(Path(__file__).parent / "lrlab" / "ui" / "app" / "style.css")
train = st.Page("pages/train.py", title="Train", icon=":material/model_training:")
of_runs = [
    train,
    st.Page("pages/runs.py", title="Runs", icon=":material/table:"),
    st.Page("pages/sweep.py", title="Sweep", icon=":material/tune:"),
    st.Page("pages/range_test.py", title="Range test", icon=":material/speed:"),
    st.Page("pages/present.py", title="Present", url_path="present", visibility="hidden"),
]
page = st.navigation(
    [
        st.Page("pages/home.py", title="LR Lab", icon=":material/science:", default=True),
        st.Page("pages/schedules.py", title="Schedules", icon=":material/show_chart:"),
        st.Page("pages/paths.py", title="Paths", icon=":material/route:"),
        st.Page("pages/race.py", title="Race", icon=":material/flag:"),
        st.Page(
            "pages/hyperparameter_map.py", title="Map", url_path="map", icon=":material/grid_on:"
        ),
        *of_runs,
    ],
    position="top",
)
open_link()
above = st.container()
with beside_sidebar(plan_here=page is not train):
    page.run()
# Last: a browser that answers has the page drawn again, and the worker's start keeps a core busy
# for seconds; the page is to be seen before.
learn_browser()
warm_up()
with above:
    status_banner(page in of_runs)
