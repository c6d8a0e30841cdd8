"""A recipe -> Python code that makes the same Keras optimizer on its own, without LR Lab."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from lrlab.schedules import RAMP, Schedule
from lrlab.schedules.base import LEARNING_RATE

if TYPE_CHECKING:
    from lrlab.params import Param
    from lrlab.recipes.recipe import Choice, Recipe

COMMENT = 90
"""Characters of a comment on one line."""

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
        share = {formula}(keras.ops, keras.ops.cast(step, "float32"), **self.params)
        return self.schedule(step) * share

    def get_config(self):
        schedule = keras.optimizers.schedules.serialize(self.schedule)
        return {{"schedule": schedule, **self.params}}

    @classmethod
    def from_config(cls, config):
        schedule = keras.optimizers.schedules.deserialize(config["schedule"])
        return cls(**{{**config, "schedule": schedule}})
"""


class KerasCode(NamedTuple):
    """A recipe's code in its parts, each ending with a line break.

    Args:
        imports: the lines it needs.
        definitions: formulas that Keras lacks, as they stand in `lrlab.schedules`, with a class
            around each.
        optimizer: binds ``optimizer``; before it stands what to see to, as a comment.
        callbacks: binds ``callbacks`` for a reactive schedule; else empty.
    """

    imports: tuple[str, ...]
    definitions: tuple[str, ...]
    optimizer: str
    callbacks: str


def keras_parts(recipe: Recipe) -> KerasCode:
    """The parts of the code that makes a recipe's Keras optimizer."""
    spec, schedule = recipe.optimizer_spec, recipe.schedule_spec
    values = _written(recipe.schedule, schedule.params)
    definitions = []
    if schedule.plain and recipe.ramp is None:
        rate = repr(recipe.schedule.params[LEARNING_RATE])
    elif schedule.keras_class is None:
        definitions.append(_definition(schedule, FORMULA_CLASS))
        rate = call_code(_class_name(schedule), values)
    else:
        rate = call_code(f"keras.optimizers.schedules.{schedule.keras_class}", values)
    if recipe.ramp is not None:
        definitions.append(_definition(RAMP, RAMP_CLASS))
        inner = f"schedule={indented(rate)}"
        rate = call_code(_class_name(RAMP), recipe.ramp.values, first=inner)
    arguments = (*_written(recipe.optimizer, spec.all_params), *spec.fixed.items())
    made = call_code(
        f"keras.optimizers.{spec.keras_class}", arguments, f"learning_rate={indented(rate)}"
    )
    callbacks = ""
    if schedule.callback is not None:
        callback = call_code(
            f"keras.callbacks.{schedule.callback}", recipe.callback_arguments.items()
        )
        callbacks = (
            "# For model.fit, which needs validation data too: the callback lowers the rate.\n"
            f"callbacks = [\n    {indented(callback)},\n]\n"
        )
    caution = "".join(f"# {line}\n" for line in textwrap.wrap(spec.caution, COMMENT))
    imports = _imports(definitions)
    return KerasCode(imports, tuple(definitions), f"{caution}optimizer = {made}\n", callbacks)


def keras_code(recipe: Recipe) -> str:
    """Code that binds ``optimizer``, and ``callbacks`` too where the schedule is reactive.

    A formula that Keras lacks is written out as it stands in `lrlab.schedules`.
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
    """The formula's function as it is written in LR Lab, and a Keras class around it."""
    function = schedule.rate
    if function is None:
        raise TypeError(f"schedule {schedule.key} has no formula")
    made = template.format(name=_class_name(schedule), formula=function.__name__)
    return f"{_without_annotations(inspect.getsource(function))}\n{made}"


def _without_annotations(source: str) -> str:
    """A function's source without the types of its arguments, which are names of LR Lab's."""
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


def _written(choice: Choice, params: Iterable[Param]) -> list[tuple[str, Any]]:
    """The arguments worth writing: all but those that are unused, as they are by default."""
    unused = {param.name for param in params if param.default is None}
    return [(name, v) for name, v in choice.values if v is not None or name not in unused]


def call_code(name: str, values: Iterable[tuple[str, Any]], first: str = "") -> str:
    """A call with an argument on each line."""
    lines = [first] if first else []
    lines += [f"{key}={value_code(value)}" for key, value in values]
    return f"{name}(\n" + "".join(f"    {line},\n" for line in lines) + ")"


def indented(call: str) -> str:
    """A call as it stands one level deeper."""
    return call.replace("\n", "\n    ")


def value_code(value: Any) -> str:
    """A plain value as it stands in code."""
    if isinstance(value, str):
        return json.dumps(value)
    return repr(list(value) if isinstance(value, tuple) else value)
