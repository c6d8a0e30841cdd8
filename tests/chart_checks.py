"""Checks that every chart must pass so that Streamlit repaints it in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd


def layers(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The layers of a chart, each with its data."""
    for layer in spec.get("layer", [spec]):
        yield {"data": spec.get("data")} | layer


def fields(layer: dict[str, Any]) -> set[str]:
    """The columns that a layer of a chart reads from its table."""
    columns = set()
    for channel in layer["encoding"].values():
        for item in channel if isinstance(channel, list) else [channel]:
            if "field" in item:
                columns.add(item["field"])
    steps = layer.get("transform", [])
    computed = {step.get("as") for step in steps}
    if any("pivot" in step for step in steps):
        computed |= {name for name in columns if name.startswith("series")}
    return columns - computed


def assert_reads_only_its_columns(
    chart: Callable[..., Any], tables: Sequence[pd.DataFrame], options: Mapping[str, Any]
) -> None:
    names = [f"table_{i}" for i in range(len(tables))]
    spec = chart(*(alt.NamedData(name) for name in names), **options).to_dict()
    assert spec["description"], "a chart needs a text alternative"
    read = set()
    for layer in layers(spec):
        if (name := layer["data"].get("name")) in names:
            read.add(name)
            assert fields(layer) <= set(tables[names.index(name)].columns)
    assert read == set(names)


def assert_does_not_depend_on_rows(
    chart: Callable[..., Any], tables: Sequence[pd.DataFrame], options: Mapping[str, Any]
) -> None:
    full, empty = (
        chart(*(alt.Data(values=rows) for rows in data), **options).to_dict(format="vega-lite")
        for data in ([table.to_dict("records") for table in tables], [[] for _ in tables])
    )

    def bare(spec: Any) -> Any:
        if isinstance(spec, dict):
            return {
                key: bare(value) for key, value in spec.items() if key not in ("data", "datasets")
            }
        return [bare(item) for item in spec] if isinstance(spec, list) else spec

    assert bare(full) == bare(empty)
