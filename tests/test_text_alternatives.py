"""Whatever is drawn can also be read: every chart, picture and table has a text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

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
    assert drawn == {"lrlab/ui/show.py"}


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
