"""Charts on the page: the specification is made once, each rerun sends rows alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pyarrow as pa
import streamlit as st

from lrlab.charts import enlarged


def show_chart(
    chart: Callable[..., alt.TopLevelMixin],
    key: str,
    *tables: pd.DataFrame | pa.Table,
    on_select: Callable[[], None] | None = None,
    large: bool = False,
    **look: Any,
) -> None:
    """Draw ``chart(*tables, **look)``, repainting in place while ``look`` stays the same.

    Args:
        chart: a function of `lrlab.charts`.
        key: the element's key.
        tables: its data, in the order of its first arguments; many who look at the same share
            what `compact` made of it.
        on_select: called after a selection in the chart, before the page runs again.
        large: type and lines for a projector.
        look: its other arguments; they must be hashable.
    """
    names = tuple(f"table_{i}" for i in range(len(tables)))
    spec = _specification(chart, names, large, tuple(look.items()))
    datasets = dict(zip(names, map(compact, tables), strict=True))
    st.vega_lite_chart(
        {**spec, "datasets": datasets},
        key=key,
        width="stretch",
        on_select=on_select or "ignore",
    )


def compact(table: pd.DataFrame | pa.Table) -> pa.Table:
    """A table's rows in the fewest bytes that change no pixel: texts once, whole numbers short.

    ``pa.Table.from_pandas`` would start threads for a thousand rows, which takes longer.
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
    chart: Callable[..., alt.TopLevelMixin], names: tuple[str, ...], large: bool, look: tuple
) -> dict[str, Any]:
    made = chart(*(alt.NamedData(name) for name in names), **dict(look))
    if large:
        made = enlarged(made)
    # More than 2,000 rows would silently switch the renderer and embed the chart anew.
    made = made.properties(usermeta={"embedOptions": {"renderer": "canvas"}})
    # Every chart is validated by a test; doing it again would hold up the first page.
    return made.to_dict(validate=False)
