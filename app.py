"""LR Lab's entry point: page configuration, navigation and the shared sidebar."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lrlab.ui.app.bootstrap import mark_bootstrapped
from lrlab.ui.app.browser_identity import identify_browser
from lrlab.ui.app.server import warm_up
from lrlab.ui.app.status_banner import status_banner
from lrlab.ui.recipe.session_draft import open_link
from lrlab.ui.recipe.sidebar import recipe_sidebar

st.set_page_config(page_title="LR Lab", page_icon=":material/show_chart:", layout="wide")
mark_bootstrapped()
st.html(Path(__file__).parent / "lrlab" / "ui" / "app" / "style.css")
train_page = st.Page("pages/train.py", title="Train", icon=":material/model_training:")
run_pages = [
    train_page,
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
        st.Page("pages/map.py", title="Map", icon=":material/grid_on:"),
        *run_pages,
    ],
    position="top",
)
open_link()
banner_place = st.container()
with recipe_sidebar(include_plan=page is not train_page):
    page.run()
# Last, so that the page is visible first: a browser that reports its id has the page rerun, and the
# worker's start keeps a core busy for seconds.
identify_browser()
warm_up()
with banner_place:
    status_banner(page in run_pages)
