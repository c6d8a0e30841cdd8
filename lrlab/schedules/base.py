"""What a learning-rate schedule is to LR Lab: a description with one formula.

A schedule counts optimizer steps as Keras does: step 0 is the first update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lrlab.arrays import Tensor
from lrlab.params import Param, Value

LEARNING_RATE = "learning_rate"
"""The parameter of a schedule whose rate Keras's optimizer holds as a plain number."""


@dataclass(frozen=True)
class Schedule:
    """A learning-rate schedule described as data.

    ``rate(xp, t, **params)`` gives the learning rate at the steps ``t``, an array of floats;
    parameters broadcast against ``t``, switches and lists aside. The namespace ``xp`` is NumPy
    for the preview and ``keras.ops`` in training, so that one formula serves both. It stands on
    its own, needing nothing of its module but ``math``: Keras code is made from its source.

    Args:
        key: Keras's name in snake case.
        label: the name people use.
        params: its parameters, named as Keras names them.
        latex: the formula.
        rate: see above; ``None`` for a reactive schedule.
        reference: paper or source, and year.
        when: a sentence on when to use it.
        keras_class: the class in ``keras.optimizers.schedules``, where Keras has one.
        callback: the class in ``keras.callbacks`` that changes the rate, for a reactive schedule.
        check: looks at the parameters together; raises `InvalidInput`.
        fit: adjusts step counts that were stretched to a run one by one, so that together they
            end with it.
    """

    key: str
    label: str
    params: tuple[Param, ...]
    latex: str
    rate: Callable[..., Tensor] | None
    reference: str
    when: str
    keras_class: str | None = None
    callback: str | None = None
    check: Callable[[Mapping[str, Value]], None] = lambda values: None
    fit: Callable[[dict[str, Value]], dict[str, Value]] = lambda values: values

    @property
    def step_params(self) -> tuple[Param, ...]:
        """The parameters that count steps, which can be stretched to the run's length."""
        return tuple(param for param in self.params if param.steps)

    @property
    def reactive(self) -> bool:
        """Whether the rate follows from what training measures, so that none is known ahead."""
        return self.callback is not None

    @property
    def plain(self) -> bool:
        """Whether Keras's optimizer holds the rate as a plain number, its own default."""
        return any(param.name == LEARNING_RATE for param in self.params)


def rate_param(
    name: str, default: float, help_text: str, symbol: str = r"\eta_0", zero: bool = False
) -> Param:
    """A learning rate: above 0 (or 0 too, where ``zero``), its slider logarithmic."""
    return Param(
        name,
        default,
        help_text,
        symbol=symbol,
        low=0.0,
        high=1e6,
        open_low=not zero,
        slider=(1e-6, 10.0),
        scale="log",
        rate=True,
    )


def steps_param(
    name: str,
    default: int,
    help_text: str,
    symbol: str,
    share: float,
    low: int = 1,
    needs: str = "",
) -> Param:
    """A number of optimizer steps; ``share`` is its default share of a run, in percent."""
    return Param(
        name,
        default,
        help_text,
        kind="int",
        symbol=symbol,
        low=low,
        high=10_000_000,
        slider=(max(low, 1), 200_000),
        scale="log",
        steps=True,
        share=share,
        needs=needs,
    )


def alpha_param(help_text: str) -> Param:
    """A share of the peak rate, from 0 to 1."""
    return Param("alpha", 0.0, help_text, symbol=r"\alpha", low=0.0, high=1.0, slider=(0.0, 1.0))


INITIAL = rate_param("initial_learning_rate", 0.01, "The learning rate at step 0.", zero=True)
DECAY_STEPS = steps_param(
    "decay_steps", 1000, "After this many steps the decay has run its course once.", "s", 100.0
)
PEAK = rate_param("max_learning_rate", 0.01, "The highest learning rate.", r"\eta_{\max}")
TOTAL_STEPS = steps_param(
    "total_steps", 1000, "After this many steps the schedule has run its course.", "T", 100.0
)
