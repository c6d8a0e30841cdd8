"""Naming a run or a group, tagging it and noting something about it: its owner's matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from lrlab.runs.store import Group, Run
from lrlab.text import escape_markdown
from lrlab.ui.app.browser_identity import browser
from lrlab.ui.app.server import report_store_errors, server

Save = Callable[[str, list[str], str], None]
"""Keeps a name, tags and notes."""


def about(run: Run) -> None:
    """The run's tags and notes, and for its owner a form to change them and its name."""
    _shown(run.tags, run.notes)
    if run.owner == browser():

        def save(name: str, tags: list[str], notes: str) -> None:
            server().store.describe(run.id, by=run.owner, name=name, tags=tags, notes=notes)

        _form(f"about.{run.id}", run.name, run.tags, run.notes, save)


def about_group(group: Group, runs: Sequence[Run]) -> None:
    """The same for a group: the name is its own, tags and notes are those of all its runs."""
    tags = tuple(dict.fromkeys(tag for run in runs for tag in run.tags))
    notes = "\n\n".join(dict.fromkeys(run.notes for run in runs if run.notes))
    _shown(tags, notes)
    if group.owner != browser():
        return

    def save(name: str, chosen: list[str], written: str) -> None:
        store = server().store
        store.rename_group(group.id, by=group.owner, name=name)
        for run in runs:
            # What only some runs have stays theirs, as long as it is not touched here.
            own = [tag for tag in run.tags if tag in chosen]
            added = [tag for tag in chosen if tag not in tags]
            store.describe(
                run.id,
                by=group.owner,
                tags=[*own, *added],
                notes=None if written.strip() == notes.strip() else written,
            )

    _form(f"about.group.{group.id}", group.name, tags, notes, save)


def _shown(tags: Sequence[str], notes: str) -> None:
    if tags:
        with st.container(horizontal=True):
            for tag in tags:
                st.markdown(f":gray-badge[{escape_markdown(tag)}]")
    if notes:
        st.text(notes)


def _form(key: str, name: str, tags: Sequence[str], notes: str, save: Save) -> None:
    known = {tag for other in server().store.runs(browser()) for tag in other.tags}
    with (
        st.expander("Name, tags and notes", icon=":material/edit_note:"),
        st.form(key, border=False),
    ):
        st.text_input("Name", name, key=f"{key}.name")
        # Streamlit's list of choices loses a new tag that is typed while the list is closed.
        st.text_input(
            "Tags, with commas between them",
            ", ".join(tags),
            key=f"{key}.tags",
            help=f"In use: {', '.join(map(escape_markdown, sorted(known)))}." if known else None,
        )
        st.text_area("Notes", notes, key=f"{key}.notes")
        st.form_submit_button("Save", on_click=_save, args=(key, save))


def _save(key: str, save: Save) -> None:
    with report_store_errors():
        name, tags, notes = (
            st.session_state[f"{key}.{what}"] for what in ("name", "tags", "notes")
        )
        save(name, [tag for part in tags.split(",") if (tag := part.strip())], notes)
