"""A parameter's description -> its widget. Every control in LR Lab is made here."""

from __future__ import annotations

import streamlit as st

from lrlab.controls.fields import CHOICES, INITIAL_CHOICES, Field
from lrlab.params import OFF, InvalidInput
from lrlab.text import escape_markdown
from lrlab.ui.recipe.session_draft import is_plain_number

EXACT_WIDTH = 72
"""Width in pixels of the box for an exact value: five digits and their sign."""


def choice(kind: str, label: str, help_text: str | None = None) -> str:
    """A list of the optimizers, schedules, networks or surfaces.

    Args:
        kind: a key of `CHOICES`.
        label: the list's title.
        help_text: its help.

    Returns:
        The chosen entry's key.
    """
    registry = CHOICES[kind]
    return st.selectbox(
        label,
        list(registry),
        list(registry).index(INITIAL_CHOICES[kind]),
        key=kind,
        format_func=lambda key: registry[key].label,
        bind="query-params",
        help=help_text,
    )


def control(field: Field) -> None:
    """Draw the widget for a parameter, bound to the URL; its value is then in the draft."""
    param = field.param
    if param.kind == "bool":
        st.toggle(
            field.title,
            field.default == "true",
            key=field.key,
            help=field.help,
            bind="query-params",
        )
    elif is_plain_number(param):
        st.number_input(
            field.title,
            int(param.low),
            int(param.high),
            int(field.default),
            key=field.key,
            help=field.help,
            bind="query-params",
        )
    elif param.kind in ("ints", "floats", "formula"):
        _text_box(field)
    else:
        _slider_with_exact_box(field)
    if message := st.session_state.get(refusal_key(field)):
        st.error(escape_markdown(message), icon=":material/error:")


def refusal_key(field: Field) -> str:
    """Session key of the message about a refused value that was typed into the field."""
    return f"{field.key}.refused"


def _slider_with_exact_box(field: Field) -> None:
    """A slider that alone holds the value, and a box whose number is copied into the slider.

    Two widgets that both hold the value and are synchronized by callbacks would race.
    """
    param, state = field.param, st.session_state
    # On a session's first run the link's exact value must be among the options.
    current = state.get(field.key, st.query_params.get(field.key, field.default))
    stops = {param.text(stop): stop for stop in param.grid()}
    if current != OFF:
        try:
            stops[current] = param.parse_number(current, field.owner)
        except InvalidInput:
            state[field.key] = current = field.default
    options = sorted(stops, key=stops.__getitem__)
    if param.optional:
        options.insert(0, OFF)
    disabled = bool(param.needs) and _is_required_param_off(field)
    with st.container(
        key=f"exact-{field.key}", horizontal=True, wrap=False, vertical_alignment="bottom"
    ):
        value = st.select_slider(
            field.title,
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
            on_change=_copy_exact_value,
            args=(field,),
            label_visibility="collapsed",
            disabled=disabled,
            width=EXACT_WIDTH,
        )


def _text_box(field: Field) -> None:
    st.text_input(
        field.title,
        field.default,
        key=field.key,
        help=field.help
        if field.param.kind == "formula"
        else f"{field.help} Separate numbers with commas.",
        bind="query-params",
        on_change=_check_text_box,
        args=(field,),
    )


def _copy_exact_value(field: Field) -> None:
    key = f"{field.key}.exact"
    text, st.session_state[key] = st.session_state[key], ""
    if text.strip():
        _store_or_refuse(field, text)


def _check_text_box(field: Field) -> None:
    _store_or_refuse(field, st.session_state[field.key])


def _store_or_refuse(field: Field, text: str) -> None:
    try:
        value = field.param.parse(text, field.owner)
    except InvalidInput as error:
        st.session_state[refusal_key(field)] = str(error)
    else:
        st.session_state.pop(refusal_key(field), None)
        st.session_state[field.key] = field.param.text(value)


def _is_required_param_off(field: Field) -> bool:
    """Whether the optional parameter that this one needs is not in use."""
    owner = field.key.split(".")[0]
    return bool(st.session_state.get(f"{owner}.{field.param.needs}", OFF) == OFF)
