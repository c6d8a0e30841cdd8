"""What every chart must keep to, so that Streamlit repaints it in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd


def pieces(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The parts of a layered chart, each with the name of its data."""
    for layer in spec.get("layer", [spec]):
        yield {"data": spec.get("data")} | layer


def fields(part: dict[str, Any]) -> set[str]:
    """The columns that a part of a chart reads from its data."""
    found = set()
    for channel in part["encoding"].values():
        for item in channel if isinstance(channel, list) else [channel]:
            if "field" in item:
                found.add(item["field"])
    steps = part.get("transform", [])
    made = {step.get("as") for step in steps}
    if any("pivot" in step for step in steps):
        made |= {name for name in found if name.startswith("line")}
    return found - made


def assert_reads_only_its_columns(
    chart: Callable[..., Any], tables: Sequence[pd.DataFrame], look: Mapping[str, Any]
) -> None:
    names = [f"table_{i}" for i in range(len(tables))]
    spec = chart(*(alt.NamedData(name) for name in names), **look).to_dict()
    assert spec["description"], "a chart needs a text for those who do not see it"
    read = set()
    for part in pieces(spec):
        if (its := part["data"].get("name")) in names:
            read.add(its)
            assert fields(part) <= set(tables[names.index(its)].columns)
    assert read == set(names)


def assert_does_not_depend_on_rows(
    chart: Callable[..., Any], tables: Sequence[pd.DataFrame], look: Mapping[str, Any]
) -> None:
    full, empty = (
        chart(*(alt.Data(values=rows) for rows in data), **look).to_dict(format="vega-lite")
        for data in ([table.to_dict("records") for table in tables], [[] for _ in tables])
    )

    def bare(spec: Any) -> Any:
        if isinstance(spec, dict):
            return {
                key: bare(part) for key, part in spec.items() if key not in ("data", "datasets")
            }
        return [bare(part) for part in spec] if isinstance(spec, list) else spec

    assert bare(full) == bare(empty)
