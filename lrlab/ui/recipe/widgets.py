"""A parameter's description -> its widget. Every control in LR Lab is made here."""

from __future__ import annotations

import streamlit as st

from lrlab.controls.fields import CHOICES, OPENING, Field
from lrlab.params import OFF, InvalidInput
from lrlab.text import escape_markdown
from lrlab.ui.recipe.session_draft import held, is_plain_number

EXACT_WIDTH = 72
"""Pixels of the box for an exact value: five digits and their sign."""


def choice(what: str, label: str, help_text: str | None = None) -> str:
    """A list to pick an optimizer, a schedule, a network or a surface from; returns its key."""
    registry = CHOICES[what]
    return st.selectbox(
        label,
        list(registry),
        list(registry).index(OPENING[what]),
        key=what,
        format_func=lambda key: registry[key].label,
        bind="query-params",
        help=help_text,
    )


def control(field: Field) -> None:
    """The widget for a parameter, bound to the URL; the value is then in the draft."""
    param = field.param
    label = field.title
    default = held(param, field.default)
    if param.kind == "bool":
        st.toggle(label, default, key=field.key, help=field.help, bind="query-params")
    elif is_plain_number(param):
        st.number_input(
            label,
            int(param.low),
            int(param.high),
            default,
            key=field.key,
            help=field.help,
            bind="query-params",
        )
    elif param.kind in ("ints", "floats", "formula"):
        _text(field, label)
    else:
        _slider_with_exact_box(field, label)
    if message := st.session_state.get(_refused(field)):
        st.error(escape_markdown(message), icon=":material/error:")


def _slider_with_exact_box(field: Field, label: str) -> None:
    """A slider that is the only truth, and a box whose number is put into it.

    Two widgets kept in step by callbacks would race each other.
    """
    param, state = field.param, st.session_state
    # On a session's first run the link's exact value must be among the options.
    current = state.get(field.key, st.query_params.get(field.key, field.default))
    stops = {param.text(stop): stop for stop in param.grid()}
    if current != OFF:
        try:
            stops[current] = param.parse(current, field.owner)
        except InvalidInput:
            state[field.key] = current = field.default
    options = sorted(stops, key=stops.__getitem__)
    if param.optional:
        options.insert(0, OFF)
    disabled = bool(param.needs) and _is_off(field)
    with st.container(
        key=f"exact-{field.key}", horizontal=True, wrap=False, vertical_alignment="bottom"
    ):
        value = st.select_slider(
            label,
            options,
            field.default,
            key=field.key,
            help=f"{field.help} Allowed: {param.allowed()}.",
            bind="query-params",
            disabled=disabled,
        )
        st.text_input(
            f"{param.label or param.name}, exact value",
            key=f"{field.key}.exact",
            placeholder=value,
            on_change=_take_exact,
            args=(field,),
            label_visibility="collapsed",
            disabled=disabled,
            width=EXACT_WIDTH,
        )


def _text(field: Field, label: str) -> None:
    st.text_input(
        label,
        field.default,
        key=field.key,
        help=field.help
        if field.param.kind == "formula"
        else f"{field.help} Write numbers with commas between them.",
        bind="query-params",
        on_change=_check_text,
        args=(field,),
    )


def _take_exact(field: Field) -> None:
    key = f"{field.key}.exact"
    typed, st.session_state[key] = st.session_state[key], ""
    if typed.strip():
        _keep_or_refuse(field, typed)


def _check_text(field: Field) -> None:
    _keep_or_refuse(field, st.session_state[field.key])


def _keep_or_refuse(field: Field, typed: str) -> None:
    try:
        value = field.param.parse(typed, field.owner)
    except InvalidInput as error:
        st.session_state[_refused(field)] = str(error)
    else:
        st.session_state.pop(_refused(field), None)
        st.session_state[field.key] = field.param.text(value)


def _refused(field: Field) -> str:
    return f"{field.key}.refused"


def _is_off(field: Field) -> bool:
    """Whether the optional parameter that this one needs is not in use."""
    owner = field.key.split(".")[0]
    return st.session_state.get(f"{owner}.{field.param.needs}", OFF) == OFF
