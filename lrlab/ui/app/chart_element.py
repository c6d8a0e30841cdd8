"""Charts on a page: the specification is built once, each rerun sends only the rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import altair as alt
import numpy as np
import pandas as pd
import pyarrow as pa
import streamlit as st

from lrlab.charts import enlarge_text


def show_chart(
    chart: Callable[..., alt.TopLevelMixin],
    key: str,
    *tables: pd.DataFrame | pa.Table,
    on_select: Callable[[], None] | None = None,
    large: bool = False,
    **options: object,
) -> None:
    """Draw ``chart(*tables, **options)``; it repaints in place while ``options`` stay the same.

    Args:
        chart: a function of `lrlab.charts`.
        key: the element's key.
        tables: the chart's data, in the order of its first arguments. Sessions that show the same
            data can share the result of `compact`.
        on_select: called after a selection in the chart, before the page runs again.
        large: use type and lines for a projector.
        options: the chart's other arguments; they must be hashable.
    """
    names = tuple(f"table_{i}" for i in range(len(tables)))
    spec = _specification(chart, names, large, tuple(options.items()))
    datasets = dict(zip(names, map(compact, tables), strict=True))
    st.vega_lite_chart(
        {**spec, "datasets": datasets},
        key=key,
        width="stretch",
        on_select=on_select or "ignore",
    )


def compact(table: pd.DataFrame | pa.Table) -> pa.Table:
    """The table in few bytes without changing a pixel: texts as a dictionary, integers as int32.

    Columns are converted one by one because ``pa.Table.from_pandas`` starts threads from a
    thousand rows on, which takes longer.
    """
    if isinstance(table, pa.Table):
        return table
    return pa.table({name: _column(table[name].to_numpy()) for name in table})


def _column(values: np.ndarray) -> pa.Array:
    if values.dtype == np.int64:
        values = values.astype(np.int32)
    column = pa.array(values, from_pandas=True)
    return column.dictionary_encode() if pa.types.is_string(column.type) else column


@lru_cache(maxsize=128)
def _specification(
    chart: Callable[..., alt.TopLevelMixin],
    names: tuple[str, ...],
    large: bool,
    options: tuple[tuple[str, object], ...],
) -> dict[str, object]:
    altair_chart = chart(*(alt.NamedData(name) for name in names), **dict(options))
    if large:
        altair_chart = enlarge_text(altair_chart)
    # Otherwise the renderer changes silently above 2,000 rows, and the chart is embedded anew.
    altair_chart = altair_chart.properties(usermeta={"embedOptions": {"renderer": "canvas"}})
    # A test validates every chart; validating here would delay the first page.
    return altair_chart.to_dict(validate=False)
