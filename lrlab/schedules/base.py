"""The description of a learning-rate schedule: its parameters, texts and one formula.

Steps are optimizer updates, counted from 0 as in Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lrlab.arrays import Tensor
from lrlab.params import Param, Value

LEARNING_RATE = "learning_rate"
"""The parameter of the schedules for which Keras's optimizer holds a plain number."""


@dataclass(frozen=True)
class Schedule:
    """A learning-rate schedule described as data.

    ``rate(xp, t, **params)`` returns the learning rate at the steps ``t``, an array of floats.
    Parameters broadcast against ``t``, except switches and lists. The namespace ``xp`` is NumPy
    for the preview and ``keras.ops`` in training, so both use the same formula. The function may
    use no global name except ``math``, because its source is copied into generated Keras code.

    Args:
        key: Keras's name in snake case.
        label: the display name.
        params: its parameters, under their Keras names.
        latex: the formula.
        rate: see above; ``None`` for a reactive schedule.
        reference: paper or source, and year.
        when: a sentence on when to use it.
        keras_class: the class in ``keras.optimizers.schedules``, or ``None`` if Keras has none.
        callback: for a reactive schedule, the class in ``keras.callbacks`` that changes the
            learning rate.
        check: checks the parameters in combination; raises `InvalidInput`.
        fit: adjusts step counts that were each stretched to a run, so that together they end with
            the run.
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
    def formula(self) -> Callable[..., Tensor]:
        """The function ``rate``.

        Raises:
            TypeError: the schedule is reactive and has no formula.
        """
        if self.rate is None:
            raise TypeError(f"schedule {self.key} has no formula")
        return self.rate

    @property
    def step_params(self) -> tuple[Param, ...]:
        """The parameters that count steps and can be stretched to the run's length."""
        return tuple(param for param in self.params if param.steps)

    @property
    def reactive(self) -> bool:
        """Whether the learning rate depends on training metrics and is unknown before the run."""
        return self.callback is not None

    @property
    def plain(self) -> bool:
        """Whether Keras's optimizer holds the learning rate as a plain number.

        Its default is then the optimizer's default learning rate.
        """
        return any(param.name == LEARNING_RATE for param in self.params)


def rate_param(
    name: str, default: float, help_text: str, symbol: str = r"\eta_0", zero: bool = False
) -> Param:
    """A learning-rate parameter: above 0, or from 0 if ``zero``, with a logarithmic slider."""
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
    """A parameter that counts optimizer steps.

    ``share`` is its default share of the run in percent; for the others see `Param`.
    """
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
    """``alpha``: a share of the peak learning rate, from 0 to 1."""
    return Param("alpha", 0.0, help_text, symbol=r"\alpha", low=0.0, high=1.0, slider=(0.0, 1.0))


INITIAL = rate_param("initial_learning_rate", 0.01, "The learning rate at step 0.", zero=True)
DECAY_STEPS = steps_param(
    "decay_steps", 1000, "The number of steps in which the decay completes once.", "s", 100.0
)
PEAK = rate_param("max_learning_rate", 0.01, "The highest learning rate.", r"\eta_{\max}")
TOTAL_STEPS = steps_param(
    "total_steps", 1000, "The number of steps after which the schedule ends.", "T", 100.0
)
