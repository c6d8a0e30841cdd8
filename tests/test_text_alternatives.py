"""Whatever is drawn can also be read: every chart, picture and table has a text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import altair as alt
import pytest

from tests import test_charts, test_comparison_charts, test_epoch_snapshot_charts, test_sweep_charts
from tests.chart_checks import pieces

DRAWN = {
    f"{module.__name__}: {name}": made
    for module in (
        test_charts,
        test_comparison_charts,
        test_epoch_snapshot_charts,
        test_sweep_charts,
    )
    for name, made in module.MADE.items()
}
"""Every chart of the pages, some in several forms."""

ROOT = Path(__file__).parents[1]
SPOKEN = ("dataframe", "data_editor", "image")
"""What Streamlit draws with a text alternative only if it is given one."""


def calls(folder: str) -> Iterator[tuple[str, ast.Call]]:
    """All calls of something by its name, such as ``st.image``, and where they stand."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def of_streamlit(call: ast.Call) -> str:
    """Which of Streamlit's elements is called, by ``st`` or by a place on the page."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def test_every_picture_and_table_has_a_text() -> None:
    found = [*calls("lrlab/ui"), *calls("pages")]
    drawn = [(where, call) for where, call in found if of_streamlit(call) in SPOKEN]
    assert drawn
    silent = [where for where, call in drawn if "alt" not in {key.arg for key in call.keywords}]
    assert silent == []


def test_charts_are_drawn_in_one_place() -> None:
    found = [*calls("lrlab/ui"), *calls("pages")]
    drawn = {where.split(":")[0] for where, call in found if of_streamlit(call).endswith("_chart")}
    assert drawn == {"lrlab/ui/app/chart_element.py"}


def test_every_chart_has_a_description() -> None:
    silent, charts = [], 0
    for path in sorted((ROOT / "lrlab/charts").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.endswith("_chart"):
                charts += 1
                given = {
                    key.arg for part in ast.walk(node) for key in getattr(part, "keywords", ())
                }
                if "description" not in given:
                    silent.append(node.name)
    assert charts > 10
    assert silent == []


def specification(name: str) -> dict[str, Any]:
    chart, tables, look = DRAWN[name]
    return chart(*(alt.NamedData(f"table_{i}") for i in range(len(tables))), **look).to_dict()


def axes(spec: dict[str, Any]) -> set[str]:
    """The titles along the axes, without their units and scales."""
    titles = {
        part["encoding"][channel].get("title")
        for part in pieces(spec)
        for channel in ("x", "y")
        if channel in part["encoding"]
    }
    return {re.sub(r" *\(.*\)", "", title) for title in titles if title}


def test_every_chart_is_among_those_drawn_here() -> None:
    written = {
        node.name
        for path in (ROOT / "lrlab/charts").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.endswith("_chart")
    }
    assert {chart.__name__ for chart, *_ in DRAWN.values()} == written


@pytest.mark.parametrize("name", DRAWN)
def test_a_charts_text_is_a_sentence_that_names_what_is_along_its_axes(name: str) -> None:
    spec = specification(name)
    text = spec["description"]
    assert text[0].isupper() and text.endswith(".") and len(text.split()) > 2
    for title in axes(spec):
        assert re.search(rf"\b{re.escape(title)}\b", text, re.IGNORECASE), title


def test_no_two_charts_have_the_same_text() -> None:
    texts: dict[str, set[str]] = {}
    for name, (chart, *_) in DRAWN.items():
        texts.setdefault(specification(name)["description"], set()).add(chart.__name__)
    assert [charts for charts in texts.values() if len(charts) > 1] == []
