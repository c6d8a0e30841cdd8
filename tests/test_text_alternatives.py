"""Every chart, picture and table has a text alternative."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import altair as alt
import pytest

from tests import test_charts, test_comparison_charts, test_epoch_snapshot_charts, test_sweep_charts
from tests.chart_checks import layers

ALL_CHARTS = {
    f"{module.__name__}: {name}": chart
    for module in (
        test_charts,
        test_comparison_charts,
        test_epoch_snapshot_charts,
        test_sweep_charts,
    )
    for name, chart in module.CHARTS.items()
}
"""Every chart on the pages, some in several variants."""

ROOT = Path(__file__).parents[1]
ELEMENTS_WITH_ALT = ("dataframe", "data_editor", "image")
"""Streamlit elements that have a text alternative only if ``alt`` is given."""


def calls(folder: str) -> Iterator[tuple[str, ast.Call]]:
    """All attribute calls, such as ``st.image``, each with its file and line."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def element_name(call: ast.Call) -> str:
    """The attribute that is called, such as a Streamlit element of ``st`` or of a container."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def test_every_picture_and_table_has_a_text_alternative() -> None:
    all_calls = [*calls("lrlab/ui"), *calls("pages")]
    element_calls = [
        (location, call) for location, call in all_calls if element_name(call) in ELEMENTS_WITH_ALT
    ]
    assert element_calls
    without_text = [
        location
        for location, call in element_calls
        if "alt" not in {key.arg for key in call.keywords}
    ]
    assert without_text == []


def test_only_one_module_draws_charts() -> None:
    all_calls = [*calls("lrlab/ui"), *calls("pages")]
    element_calls = {
        location.split(":")[0]
        for location, call in all_calls
        if element_name(call).endswith("_chart")
    }
    assert element_calls == {"lrlab/ui/app/chart_element.py"}


def test_every_chart_has_a_description() -> None:
    without_text, charts = [], 0
    for path in sorted((ROOT / "lrlab/charts").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.endswith("_chart"):
                charts += 1
                keywords = {
                    key.arg for part in ast.walk(node) for key in getattr(part, "keywords", ())
                }
                if "description" not in keywords:
                    without_text.append(node.name)
    assert charts > 10
    assert without_text == []


def specification(name: str) -> dict[str, Any]:
    chart, tables, options = ALL_CHARTS[name]
    return chart(*(alt.NamedData(f"table_{i}") for i in range(len(tables))), **options).to_dict()


def axes(spec: dict[str, Any]) -> set[str]:
    """The axis titles without units and scales."""
    titles = {
        part["encoding"][channel].get("title")
        for part in layers(spec)
        for channel in ("x", "y")
        if channel in part["encoding"]
    }
    return {re.sub(r" *\(.*\)", "", title) for title in titles if title}


def test_every_chart_is_covered() -> None:
    defined = {
        node.name
        for path in (ROOT / "lrlab/charts").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.endswith("_chart")
    }
    assert {chart.__name__ for chart, *_ in ALL_CHARTS.values()} == defined


@pytest.mark.parametrize("name", ALL_CHARTS)
def test_a_charts_text_is_a_sentence_that_names_its_axes(name: str) -> None:
    spec = specification(name)
    text = spec["description"]
    assert text[0].isupper() and text.endswith(".") and len(text.split()) > 2
    for title in axes(spec):
        assert re.search(rf"\b{re.escape(title)}\b", text, re.IGNORECASE), title


def test_no_two_charts_have_the_same_text() -> None:
    texts: dict[str, set[str]] = {}
    for name, (chart, *_) in ALL_CHARTS.items():
        texts.setdefault(specification(name)["description"], set()).add(chart.__name__)
    assert [charts for charts in texts.values() if len(charts) > 1] == []
