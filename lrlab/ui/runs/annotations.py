"""Names, tags and notes of runs and groups; only the owner can change them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from lrlab.runs.store import Group, Run
from lrlab.text import escape_markdown
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.server import report_store_errors, server

Save = Callable[[str, list[str], str], None]
"""Saves a name, tags and notes."""


def run_annotations(run: Run) -> None:
    """Draw the run's tags and notes, and for its owner a form to change them and the name."""
    _tags_and_notes(run.tags, run.notes)
    if run.owner == browser():

        def save(name: str, tags: list[str], notes: str) -> None:
            server().store.annotate(run.id, by=run.owner, name=name, tags=tags, notes=notes)

        _form(f"about.{run.id}", run.name, run.tags, run.notes, save)


def group_annotations(group: Group, runs: Sequence[Run]) -> None:
    """Draw the tags and notes of all runs of a group, and for its owner a form to change them.

    The name in the form is the group's; tags and notes belong to the runs.
    """
    tags = tuple(dict.fromkeys(tag for run in runs for tag in run.tags))
    notes = "\n\n".join(dict.fromkeys(run.notes for run in runs if run.notes))
    _tags_and_notes(tags, notes)
    if group.owner != browser():
        return

    def save(name: str, new_tags: list[str], new_notes: str) -> None:
        store = server().store
        store.rename_group(group.id, by=group.owner, name=name)
        for run in runs:
            # A tag that only some runs have is not copied to the others.
            remaining = [tag for tag in run.tags if tag in new_tags]
            added = [tag for tag in new_tags if tag not in tags]
            store.annotate(
                run.id,
                by=group.owner,
                tags=[*remaining, *added],
                notes=None if new_notes.strip() == notes.strip() else new_notes,
            )

    _form(f"about.group.{group.id}", group.name, tags, notes, save)


def _tags_and_notes(tags: Sequence[str], notes: str) -> None:
    if tags:
        with st.container(horizontal=True):
            for tag in tags:
                st.markdown(f":gray-badge[{escape_markdown(tag)}]")
    if notes:
        st.text(notes)


def _form(key: str, name: str, tags: Sequence[str], notes: str, save: Save) -> None:
    tags_in_use = {tag for run in server().store.runs(browser()) for tag in run.tags}
    tag_list = ", ".join(map(escape_markdown, sorted(tags_in_use)))
    with (
        st.expander("Name, tags and notes", icon=":material/edit_note:"),
        st.form(key, border=False),
    ):
        st.text_input("Name", name, key=f"{key}.name")
        # st.multiselect loses a new tag that is typed while its list is closed.
        st.text_input(
            "Tags, separated by commas",
            ", ".join(tags),
            key=f"{key}.tags",
            help=f"Tags you already use: {tag_list}." if tags_in_use else None,
        )
        st.text_area("Notes", notes, key=f"{key}.notes")
        st.form_submit_button("Save", on_click=_save, args=(key, save))


def _save(key: str, save: Save) -> None:
    with report_store_errors():
        name, tags, notes = (
            st.session_state[f"{key}.{field}"] for field in ("name", "tags", "notes")
        )
        save(name, [tag for part in tags.split(",") if (tag := part.strip())], notes)
