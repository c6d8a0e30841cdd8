"""Visitors' text is never drawn as markup, and visitors' files are never executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lrlab.recipes.plan import PRESETS
from lrlab.runs.store import Store
from lrlab.ui.app.server import server
from tests.app_visit import ME, serving, visit

ROOT = Path(__file__).parents[1]
SHIPPED = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "lrlab").rglob("*.py")]

RUNS_CODE = {"eval", "exec", "load_model"}
UNPACKS_CODE = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve"}

WRITTEN = "**bold** <b>tag</b> :red[red] $x$ [link](//x)"
MARKUP = ("**bold", "<b>tag", ":red[red", "$x$", "](//x")
PLAIN = (
    "text",
    "code",
    "dataframe",
    "vega_lite_chart",
    "text_input",
    "text_area",
    "selectbox",
    "multiselect",
)
"""Elements that show text unchanged; all others render Markdown."""


def unsafe_uses(path: Path) -> Iterator[str]:
    """Uses in a module that could execute visitors' input or draw it as markup."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", "")}
            yield from names & (UNPACKS_CODE | RUNS_CODE)
        elif isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            yield from {name} & RUNS_CODE
            for keyword in node.keywords:
                if (keyword.arg or "").startswith("unsafe_"):
                    yield keyword.arg
                if keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False":
                    yield "allow_pickle"
            if name == "html" and "Path(__file__)" not in ast.unparse(node):
                yield "html"


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from keras.models import load_model",
        "keras.saving.load_model(path)",
        "eval(text)",
        "st.markdown(text, unsafe_allow_html=True)",
        "np.load(file, allow_pickle=True)",
        "st.html(text)",
    ],
)
def test_an_unsafe_use_is_detected(tmp_path: Path, code: str) -> None:
    (tmp_path / "module.py").write_text(code)
    assert list(unsafe_uses(tmp_path / "module.py"))


def test_no_module_executes_unpickles_or_draws_input_as_markup() -> None:
    assert len(SHIPPED) > 100
    uses_by_file = {str(path.relative_to(ROOT)): list(unsafe_uses(path)) for path in SHIPPED}
    assert {name: uses for name, uses in uses_by_file.items() if uses} == {}


@pytest.fixture
def runs_with_markup(new_store: tuple[Store, str]) -> Iterator[list[int]]:
    """A server with two runs, one of them in a group, whose names, tags and notes are markup."""
    store, url = new_store
    plan = next(iter(PRESETS.values()))
    group = store.queue_group({WRITTEN: plan}, owner=ME, name=WRITTEN, kind="sweep")
    ids = [store.queue(plan, owner=ME, name=WRITTEN), store.runs(group=group)[0].id]
    for run_id in ids:
        store.annotate(run_id, by=ME, tags=["<b>tag</b>", "**bold**"], notes=WRITTEN)
    with serving(url):
        server().engine.stop()
        yield ids


def elements_of(session: AppTest) -> Iterator[tuple[str, str]]:
    """The kind and the content of each element."""
    for node in session._tree:
        if hasattr(node, "proto"):
            yield node.type, str(node.proto)


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("train", ""),
        ("runs", ""),
        ("runs", "one"),
        ("runs", "both"),
        ("sweep", ""),
        ("present", ""),
    ],
)
def test_names_tags_and_notes_are_shown_as_text(
    page: str, link: str, runs_with_markup: list[int]
) -> None:
    numbers = {"": [], "one": runs_with_markup[:1], "both": runs_with_markup}[link]
    session = visit(page, {"runs": ",".join(map(str, numbers))} if numbers else {})
    assert not session.exception
    elements = list(elements_of(session))
    assert any("bold" in text for _, text in elements)
    as_markup = [(kind, sign) for kind, text in elements for sign in MARKUP if sign in text]
    assert [(kind, sign) for kind, sign in as_markup if kind not in PLAIN] == []
