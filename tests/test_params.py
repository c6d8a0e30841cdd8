"""A parameter's description checks, parses and writes values, and gives its slider's stops."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlab import OPTIMIZERS, SCHEDULES, SURFACES
from lrlab.params import InvalidInput, Param, check_all, lookup, number_text, shown
from lrlab.recipes.plan import PLAN_PARAMS
from lrlab.schedules import RAMP

ALL_PARAMS = {
    f"{owner}.{param.name}": param
    for owner, params in (
        *((key, spec.all_params) for key, spec in OPTIMIZERS.items()),
        *((key, spec.params) for key, spec in SCHEDULES.items()),
        *((key, surface.params) for key, surface in SURFACES.items()),
        ("ramp", RAMP.params),
        ("plan", PLAN_PARAMS),
    )
    for param in params
}
"""Every parameter, by owner and name."""

EXAMPLES = {
    "share": Param("share", 0.5, "help", low=0.0, high=1.0, open_high=True),
    "rate": Param("rate", 0.1, "help", low=0.0, open_low=True),
    "count": Param("count", 3, "help", kind="int", low=1, high=10),
    "switch": Param("switch", False, "help", kind="bool"),
    "limit": Param("limit", None, "help", low=0.0, open_low=True, optional=True),
    "marks": Param("marks", (1, 2), "help", kind="ints", low=0, high=100),
    "rates": Param("rates", (0.1,), "help", kind="floats", low=0.0),
    "any": Param("any", 0.0, "help"),
    "power": Param("power", -0.5, "help", low=-10.0, high=0.0),
    "below": Param("below", 1.0, "help", high=5.0, open_high=True),
}
"""Parameters of each kind."""


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("share", 0, 0.0),
        ("share", 0.999, 0.999),
        ("share", np.float32(0.5), 0.5),
        ("rate", 5e-324, 5e-324),
        ("count", 10, 10),
        ("count", 3.0, 3),
        ("count", np.int64(4), 4),
        ("switch", True, True),
        ("limit", None, None),
        ("limit", 2, 2.0),
        ("marks", [0, 100.0], (0, 100)),
        ("marks", (), ()),
        ("rates", [1, 2.5], (1.0, 2.5)),
        ("any", -1e308, -1e308),
        ("power", -10, -10.0),
    ],
)
def test_a_valid_value_is_converted_to_the_parameters_type(
    name: str, value: Any, expected: Any
) -> None:
    checked = EXAMPLES[name].check(value, "x")
    assert checked == expected
    assert type(checked) is type(expected)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("share", 1.0, "a number from 0 to below 1"),
        ("share", -1e-9, "a number from 0 to below 1"),
        ("share", math.nan, "a number from 0 to below 1"),
        ("rate", 0.0, "a number above 0"),
        ("rate", math.inf, "a number above 0"),
        ("rate", 10**400, "a number above 0"),
        ("rate", "0.1", "a number above 0"),
        ("rate", True, "a number above 0"),
        ("rate", None, "a number above 0"),
        ("rate", 1 + 2j, "a number above 0"),
        ("count", 2.5, "a whole number from 1 to 10"),
        ("count", 11, "a whole number from 1 to 10"),
        ("count", -(10**30), "a whole number from 1 to 10"),
        ("count", True, "a whole number from 1 to 10"),
        ("switch", 1, "true or false"),
        ("switch", "true", "true or false"),
        ("switch", None, "true or false"),
        ("limit", 0.0, "a number above 0, or none"),
        ("limit", "off", "a number above 0, or none"),
        ("marks", [1, -1], "a list of whole numbers, each from 0 to 100"),
        ("marks", [1, 2.5], "a list of whole numbers, each from 0 to 100"),
        ("marks", [[1]], "a list of whole numbers, each from 0 to 100"),
        ("marks", "12", "a list of whole numbers, each from 0 to 100"),
        ("marks", {1: 2}, "a list of whole numbers, each from 0 to 100"),
        ("marks", 5, "a list of whole numbers, each from 0 to 100"),
        ("rates", [math.nan], "a list of numbers, each 0 or more"),
        ("rates", [None], "a list of numbers, each 0 or more"),
        ("any", math.inf, "a number that is finite"),
        ("power", 0.1, "a number from -10 to 0"),
        ("below", 5.0, "a number below 5"),
    ],
)
def test_a_refusal_names_owner_parameter_value_and_what_is_allowed(
    name: str, value: Any, allowed: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        EXAMPLES[name].check(value, "optimizer x")
    assert str(refusal.value) == (
        f"optimizer x: {name} = {shown(value)} is not allowed. It must be {allowed}."
    )


def test_a_refusal_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="count"):
        EXAMPLES["count"].check(0, "x")


def test_a_long_value_is_shortened_in_the_message() -> None:
    with pytest.raises(InvalidInput) as refusal:
        EXAMPLES["rate"].check("9" * 100_000, "x")
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize("name", ALL_PARAMS)
def test_every_default_is_allowed(name: str) -> None:
    param = ALL_PARAMS[name]
    assert param.check(param.default, "x") == param.default
    assert param.help.endswith(".")


@pytest.mark.parametrize("name", ALL_PARAMS)
def test_every_default_is_parsed_back_from_its_text(name: str) -> None:
    param = ALL_PARAMS[name]
    parsed = param.parse(param.text(param.default), "x")
    assert parsed == param.default
    assert type(parsed) is type(param.default)


@pytest.mark.parametrize("name", [name for name, param in ALL_PARAMS.items() if param.slider])
def test_a_sliders_stops_are_valid_sorted_and_include_its_ends_and_the_default(name: str) -> None:
    param = ALL_PARAMS[name]
    stops = param.grid()
    assert stops == sorted(set(stops))
    assert 2 <= len(stops) <= 300
    assert all(param.check(stop, "x") == stop for stop in stops)
    assert all(param.parse(param.text(stop), "x") == stop for stop in stops)
    assert param.default is None or param.default in stops
    low, high = param.slider
    assert min(stops) == pytest.approx(
        min(low, param.default if param.default is not None else low)
    )
    doubled = param.scale == "doubling"
    assert max(stops) > high / 2 if doubled else max(stops) >= high * (1 - 1e-9)


def test_a_parameter_without_a_slider_has_no_stops() -> None:
    assert EXAMPLES["any"].grid() == []


@pytest.mark.parametrize(
    ("scale", "slider", "expected"),
    [
        ("linear", (0.0, 1.0), {0.01, 0.5, 0.99}),
        ("log", (1e-4, 10.0), {1e-4, 2e-4, 0.001, 1.5, 10.0}),
        ("memory", (0.0, 0.999), {0.5, 0.9, 0.99, 0.999}),
        ("doubling", (8, 512), {8.0, 16.0, 128.0, 512.0}),
    ],
)
def test_each_scale_has_stops_at_round_numbers(
    scale: Any, slider: tuple[float, float], expected: set[float]
) -> None:
    stops = replace(EXAMPLES["any"], slider=slider, scale=scale, default=slider[0]).grid()
    assert expected <= set(stops)


def test_a_logarithmic_slider_of_whole_numbers_has_whole_stops() -> None:
    stops = replace(EXAMPLES["count"], slider=(1, 200_000), scale="log", default=17).grid()
    assert {1, 10, 17, 1000, 200_000} <= set(stops)
    assert all(type(stop) is int for stop in stops)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("rate", " 3e-4 ", 3e-4),
        ("rate", "1", 1.0),
        ("count", "7", 7),
        ("count", "7.0", 7),
        ("switch", "TRUE", True),
        ("switch", "false", False),
        ("limit", "off", None),
        ("limit", " Off ", None),
        ("limit", "0.5", 0.5),
        ("marks", "1, 2,3", (1, 2, 3)),
        ("marks", "", ()),
        ("rates", "1e-3,0.5", (1e-3, 0.5)),
    ],
)
def test_a_text_is_parsed_as_people_type_it(name: str, text: str, expected: Any) -> None:
    assert EXAMPLES[name].parse(text, "x") == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rate", ""),
        ("rate", "fast"),
        ("rate", "nan"),
        ("rate", "inf"),
        ("rate", "0x10"),
        ("rate", "1,5"),
        ("rate", "off"),
        ("rate", "1e999"),
        ("count", "2.5"),
        ("count", "9" * 5000),
        ("switch", "yes"),
        ("limit", "none at all"),
        ("marks", "1; 2"),
        ("marks", "1, x"),
        ("rates", "[0.1]"),
    ],
)
def test_an_invalid_text_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(InvalidInput, match=f"optimizer x: {name} = "):
        EXAMPLES[name].parse(text, "optimizer x")


@settings(derandomize=True, deadline=None, database=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_parsed_back_from_its_text(number: float) -> None:
    assert EXAMPLES["any"].parse(EXAMPLES["any"].text(number), "x") == number
    assert len(number_text(number)) <= len(repr(number))


@pytest.mark.parametrize(
    ("number", "text"),
    [(1e-5, "1e-5"), (0.9, "0.9"), (10.0, "10"), (10, "10"), (1e22, "1e22"), (-0.5, "-0.5")],
)
def test_numbers_are_written_concisely(number: float, text: str) -> None:
    assert number_text(number) == text


@settings(derandomize=True, deadline=None, database=None)
@given(name=st.sampled_from(sorted(EXAMPLES)), text=st.text())
def test_any_text_is_parsed_or_refused(name: str, text: str) -> None:
    param = EXAMPLES[name]
    try:
        value = param.parse(text, "x")
    except InvalidInput:
        return
    assert param.check(value, "x") == value


def test_omitted_parameters_get_their_defaults_in_the_order_of_the_description() -> None:
    params = (EXAMPLES["share"], EXAMPLES["count"], EXAMPLES["limit"])
    checked = check_all(params, {"count": 5}, "x")
    assert list(checked.items()) == [("share", 0.5), ("count", 5), ("limit", None)]


@pytest.mark.parametrize("name", ["shar", "", "SHARE", 3, None, ("share",)])
def test_an_unknown_parameter_is_refused_with_the_available_ones(name: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_all((EXAMPLES["share"], EXAMPLES["count"]), {name: 1}, "optimizer x")
    message = str(refusal.value)
    assert message.startswith(f"optimizer x has no parameter {name!r}.")
    assert message.endswith("It has: count, share.")


def test_a_parameter_of_an_owner_without_parameters_is_refused() -> None:
    with pytest.raises(InvalidInput, match="It has: none"):
        check_all((), {"a": 1}, "x")


@pytest.mark.parametrize("key", ["adamm", "", None, 3, ["adam"], {"name": "adam"}])
def test_an_unknown_key_is_refused_with_the_available_ones(key: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        lookup(OPTIMIZERS, key, "optimizer")
    assert str(refusal.value).startswith(f"There is no optimizer {key!r}. Choose one of: sgd,")
