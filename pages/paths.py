import streamlit as st
from lrlab.draft import resolve_plan
from lrlab.ui.state import current_draft
st.title("paths")
st.json(resolve_plan(current_draft()).to_dict())
