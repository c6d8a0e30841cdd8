"""Generates Python code that builds a recipe's Keras optimizer without LR Lab."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from lrlab.schedules import RAMP, Schedule
from lrlab.schedules.base import LEARNING_RATE

if TYPE_CHECKING:
    from lrlab.params import Param, Value
    from lrlab.recipes.recipe import Choice, Recipe

COMMENT_WIDTH = 90
"""The most characters of comment text on one line."""

FORMULA_CLASS = """
@keras.saving.register_keras_serializable()
class {name}(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, **params):
        self.params = params

    def __call__(self, step):
        return {formula}(keras.ops, keras.ops.cast(step, "float32"), **self.params)

    def get_config(self):
        return self.params
"""

RAMP_CLASS = """
@keras.saving.register_keras_serializable()
class {name}(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, schedule, **params):
        self.schedule = schedule
        self.params = params

    def __call__(self, step):
        factor = {formula}(keras.ops, keras.ops.cast(step, "float32"), **self.params)
        return self.schedule(step) * factor

    def get_config(self):
        schedule = keras.optimizers.schedules.serialize(self.schedule)
        return {{"schedule": schedule, **self.params}}

    @classmethod
    def from_config(cls, config):
        schedule = keras.optimizers.schedules.deserialize(config["schedule"])
        return cls(**{{**config, "schedule": schedule}})
"""


class KerasCode(NamedTuple):
    """The parts of a recipe's code; each part except ``imports`` ends with a line break.

    Args:
        imports: the import lines, without line breaks.
        definitions: for each schedule that Keras lacks, the function from `lrlab.schedules` and a
            Keras class that uses it.
        optimizer: assigns ``optimizer``, after the optimizer's warning as a comment, if any.
        callbacks: assigns ``callbacks`` for a reactive schedule, otherwise empty.
    """

    imports: tuple[str, ...]
    definitions: tuple[str, ...]
    optimizer: str
    callbacks: str


def keras_parts(recipe: Recipe) -> KerasCode:
    """The parts of the code that builds a recipe's Keras optimizer."""
    spec, schedule = recipe.optimizer_spec, recipe.schedule_spec
    values = _used_arguments(recipe.schedule, schedule.params)
    definitions: list[str] = []
    if schedule.plain and recipe.ramp is None:
        rate = repr(recipe.schedule.number(LEARNING_RATE))
    elif schedule.keras_class is None:
        definitions.append(_definition(schedule, FORMULA_CLASS))
        rate = call_code(_class_name(schedule), values)
    else:
        rate = call_code(f"keras.optimizers.schedules.{schedule.keras_class}", values)
    if recipe.ramp is not None:
        definitions.append(_definition(RAMP, RAMP_CLASS))
        inner = f"schedule={indented(rate)}"
        rate = call_code(_class_name(RAMP), recipe.ramp.values, first=inner)
    arguments = (*_used_arguments(recipe.optimizer, spec.all_params), *spec.fixed.items())
    optimizer = call_code(
        f"keras.optimizers.{spec.keras_class}", arguments, f"learning_rate={indented(rate)}"
    )
    callbacks = ""
    if schedule.callback is not None:
        callback = call_code(
            f"keras.callbacks.{schedule.callback}", recipe.callback_arguments.items()
        )
        callbacks = (
            "# For model.fit, with validation data. The callback cuts the learning rate.\n"
            f"callbacks = [\n    {indented(callback)},\n]\n"
        )
    caution = "".join(f"# {line}\n" for line in textwrap.wrap(spec.caution, COMMENT_WIDTH))
    imports = _imports(definitions)
    return KerasCode(imports, tuple(definitions), f"{caution}optimizer = {optimizer}\n", callbacks)


def keras_code(recipe: Recipe) -> str:
    """Code that assigns ``optimizer`` and, for a reactive schedule, ``callbacks``.

    For a schedule that Keras lacks, the code includes its function from `lrlab.schedules`.
    """
    code = keras_parts(recipe)
    standard = "".join(f"{line}\n" for line in code.imports if "keras" not in line)
    imports = f"{standard}\nimport keras\n" if standard else "import keras\n"
    parts = [imports, *code.definitions, code.optimizer, *filter(None, [code.callbacks])]
    return ("\n\n" if code.definitions else "\n").join(parts)


def _imports(definitions: Iterable[str]) -> tuple[str, ...]:
    text = "".join(definitions)
    return (*(["import math"] if "math." in text else []), "import keras")


def _definition(schedule: Schedule, template: str) -> str:
    """The source of the schedule's function, and a Keras class that uses it."""
    function = schedule.formula
    class_code = template.format(name=_class_name(schedule), formula=function.__name__)
    return f"{_without_annotations(inspect.getsource(function))}\n{class_code}"


def _without_annotations(source: str) -> str:
    """A function's source without type annotations, because their names are LR Lab's own."""
    function = ast.parse(source).body[0]
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    spans = [
        (argument.lineno, argument.col_offset + len(argument.arg), argument.annotation)
        for argument in ast.walk(function)
        if isinstance(argument, ast.arg) and argument.annotation
    ]
    for line, start, annotation in sorted(spans, key=lambda span: span[:2], reverse=True):
        text = lines[line - 1]
        lines[line - 1] = text[:start] + text[annotation.end_col_offset :]
    return re.sub(r"\) -> [^:\n]+:", "):", b"".join(lines).decode(), count=1)


def _class_name(schedule: Schedule) -> str:
    return "".join(word.capitalize() for word in schedule.key.split("_"))


def _used_arguments(choice: Choice, params: Iterable[Param]) -> list[tuple[str, Value]]:
    """All arguments except those that are ``None`` and default to it."""
    none_by_default = {param.name for param in params if param.default is None}
    return [
        (name, value)
        for name, value in choice.values
        if value is not None or name not in none_by_default
    ]


def call_code(name: str, values: Iterable[tuple[str, Value]], first: str = "") -> str:
    """The code of a call, with one argument per line.

    Args:
        name: the callable.
        values: name and value of each keyword argument.
        first: the code of an argument before them, if any.
    """
    lines = [first] if first else []
    lines += [f"{key}={value_code(value)}" for key, value in values]
    return f"{name}(\n" + "".join(f"    {line},\n" for line in lines) + ")"


def indented(call: str) -> str:
    """The code of a call, indented by one level except for its first line."""
    return call.replace("\n", "\n    ")


def value_code(value: Value) -> str:
    """The Python literal of a value; a tuple is written as a list."""
    if isinstance(value, str):
        return json.dumps(value)
    return repr(list(value) if isinstance(value, tuple) else value)
