"""Naming a run, tagging it and noting something about it: its owner's matter."""

from __future__ import annotations

import streamlit as st

from lrlab.store import Run
from lrlab.ui.identity import browser
from lrlab.ui.server import server, store_errors
from lrlab.words import plain


def about(run: Run) -> None:
    """The run's tags and notes, and for its owner a form to change them and its name."""
    if run.tags:
        with st.container(horizontal=True):
            for tag in run.tags:
                st.markdown(f":gray-badge[{plain(tag)}]")
    if run.notes:
        st.text(run.notes)
    if run.owner != browser():
        return
    with st.expander("Name, tags and notes", icon=":material/edit_note:"):
        _form(run)


def _form(run: Run) -> None:
    every = {tag for other in server().store.runs(run.owner) for tag in other.tags}
    with st.form(f"about.{run.id}", border=False):
        st.text_input("Name", run.name, key=f"about.{run.id}.name")
        st.multiselect(
            "Tags",
            sorted(every | set(run.tags)),
            run.tags,
            key=f"about.{run.id}.tags",
            accept_new_options=True,
            placeholder="Choose a tag or type a new one",
        )
        st.text_area("Notes", run.notes, key=f"about.{run.id}.notes")
        st.form_submit_button("Save", on_click=_save, args=(run.id,))


def _save(run_id: int) -> None:
    name, tags, notes = (
        st.session_state[f"about.{run_id}.{what}"] for what in ("name", "tags", "notes")
    )
    with store_errors():
        server().store.describe(run_id, by=browser() or "", name=name, tags=tags, notes=notes)
