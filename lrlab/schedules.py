"""The learning-rate schedules: step -> learning rate.

Each is described once, as data, with one formula over an array of steps. A schedule counts
optimizer steps as Keras does: step 0 is the first update.

Source: keras/src/optimizers/schedules/learning_rate_schedule.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np

from lrlab.params import InvalidInput, Param


@dataclass(frozen=True)
class Schedule:
    """A learning-rate schedule described as data.

    Args:
        key: Keras's name in snake case.
        label: the name people use.
        keras_class: the class in ``keras.optimizers.schedules``; ``None`` for a constant.
        params: its parameters, named as Keras names them.
        latex: the formula.
        rate: ``rate(t, **params)`` gives the learning rate at the steps ``t``, an array of
            float64; parameters broadcast against ``t``.
        reference: paper or source, and year.
        when: a sentence on when to use it.
        check: looks at the parameters together; raises `InvalidInput`.
        fit: adjusts step counts that were stretched to a run one by one, so that together they
            end with it.
    """

    key: str
    label: str
    keras_class: str | None
    params: tuple[Param, ...]
    latex: str
    rate: Callable[..., np.ndarray]
    reference: str
    when: str
    check: Callable[[Mapping[str, Any]], None] = lambda values: None
    fit: Callable[[dict[str, Any]], dict[str, Any]] = lambda values: values

    @property
    def step_params(self) -> tuple[Param, ...]:
        """The parameters that count steps, which can be stretched to the run's length."""
        return tuple(param for param in self.params if param.steps)


def constant(t: np.ndarray, *, learning_rate: Any) -> np.ndarray:
    """The same learning rate at every step."""
    return learning_rate + np.zeros_like(t)


def polynomial_decay(
    t: np.ndarray,
    *,
    initial_learning_rate: Any,
    decay_steps: Any,
    end_learning_rate: Any,
    power: Any,
    cycle: bool,
) -> np.ndarray:
    """``(eta_0 - eta_T) (1 - t / s)**c + eta_T``; ``cycle`` stretches ``s`` each time it ends."""
    if cycle:
        span = decay_steps * np.where(t == 0, 1.0, np.ceil(t / decay_steps))
    else:
        span = decay_steps
        t = np.minimum(t, decay_steps)
    return (initial_learning_rate - end_learning_rate) * (1 - t / span) ** power + end_learning_rate


def exponential_decay(
    t: np.ndarray,
    *,
    initial_learning_rate: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool,
) -> np.ndarray:
    """``eta_0 r**(t / s)``; ``staircase`` rounds ``t / s`` down."""
    p = t / decay_steps
    return initial_learning_rate * decay_rate ** (np.floor(p) if staircase else p)


def inverse_time_decay(
    t: np.ndarray,
    *,
    initial_learning_rate: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool,
) -> np.ndarray:
    """``eta_0 / (1 + r t / s)``; ``staircase`` rounds ``t / s`` down."""
    p = t / decay_steps
    return initial_learning_rate / (1 + decay_rate * (np.floor(p) if staircase else p))


def piecewise_constant_decay(
    t: np.ndarray, *, boundaries: tuple[int, ...], values: tuple[float, ...]
) -> np.ndarray:
    """``values[i]`` up to and including ``boundaries[i]``, then the next value."""
    return np.asarray(values)[np.searchsorted(np.asarray(boundaries), t, side="left")]


def cosine_decay(
    t: np.ndarray,
    *,
    initial_learning_rate: Any,
    decay_steps: Any,
    alpha: Any,
    warmup_target: Any,
    warmup_steps: Any,
) -> np.ndarray:
    """Half a cosine from the peak down to ``alpha`` times the peak, after a linear warm-up.

    Without ``warmup_target`` Keras skips the warm-up, whatever ``warmup_steps`` says.
    Source: Loshchilov and Hutter 2017.
    """
    if warmup_target is None:
        peak, start = initial_learning_rate, 0
    else:
        peak, start = warmup_target, warmup_steps
    fraction = np.clip((t - start) / decay_steps, 0.0, 1.0)
    decayed = peak * ((1 - alpha) * 0.5 * (1 + np.cos(np.pi * fraction)) + alpha)
    if warmup_target is None:
        return decayed
    climbed = t / np.maximum(warmup_steps, 1)
    warming = (warmup_target - initial_learning_rate) * climbed + initial_learning_rate
    return np.where(t < warmup_steps, warming, decayed)


def cosine_decay_restarts(
    t: np.ndarray,
    *,
    initial_learning_rate: Any,
    first_decay_steps: Any,
    t_mul: Any,
    m_mul: Any,
    alpha: Any,
) -> np.ndarray:
    """Half cosines, each ``t_mul`` times as long and ``m_mul`` times as high as the one before.

    Which cycle a step belongs to is decided in float32, as Keras does: at a restart the rounding
    of a logarithm decides whether the step still ends the old cycle.
    Source: Loshchilov and Hutter 2017.
    """
    one = np.float32(1.0)
    done = np.asarray(t, np.float32) / np.asarray(first_decay_steps, np.float32)
    if t_mul == 1.0:
        cycle = np.floor(done)
        fraction = done - cycle
    else:
        growth = np.float32(t_mul)
        cycle = np.floor(np.log(one - done * (one - growth)) / np.log(growth))
        begun = (one - growth**cycle) / (one - growth)
        fraction = (done - begun) / growth**cycle
    cosine = 0.5 * m_mul ** cycle.astype(float) * (1 + np.cos(np.pi * fraction.astype(float)))
    return initial_learning_rate * ((1 - alpha) * cosine + alpha)


def _check_pieces(values: Mapping[str, Any]) -> None:
    boundaries, rates = values["boundaries"], values["values"]
    owner = "schedule piecewise_constant_decay"
    if not boundaries:
        raise InvalidInput(f"{owner}: boundaries is empty. Give at least one step.")
    if len(rates) != len(boundaries) + 1:
        raise InvalidInput(
            f"{owner}: values has {len(rates)} entries for {len(boundaries)} boundaries. "
            f"It must have one more than boundaries: {len(boundaries) + 1}."
        )
    for before, after in pairwise(boundaries):
        if after <= before:
            raise InvalidInput(
                f"{owner}: boundaries = {list(boundaries)} is not in order. Each boundary must be "
                f"larger than the one before it, but {after} follows {before}."
            )


def _order_pieces(values: dict[str, Any]) -> dict[str, Any]:
    """Boundaries that rounding made equal are moved one step apart."""
    apart: list[int] = []
    for boundary in values["boundaries"]:
        apart.append(max(boundary, apart[-1] + 1) if apart else boundary)
    return values | {"boundaries": tuple(apart)}


def _decay_after_warmup(values: dict[str, Any]) -> dict[str, Any]:
    """The decay's share of the run includes the warm-up before it, if there is one."""
    if values["warmup_target"] is None:
        return values | {"warmup_steps": 0}
    return values | {"decay_steps": max(1, values["decay_steps"] - values["warmup_steps"])}


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


_INITIAL = rate_param("initial_learning_rate", 0.01, "The learning rate at step 0.", zero=True)
_DECAY_STEPS = steps_param(
    "decay_steps", 1000, "After this many steps the decay has run its course once.", "s", 100.0
)
_STAIRCASE = Param(
    "staircase", False, "Fall in steps, once every decay_steps, instead of smoothly.", kind="bool"
)


def _alpha(symbol: str = r"\alpha") -> Param:
    return Param(
        "alpha",
        0.0,
        "The share of the peak rate that is left at the end.",
        symbol=symbol,
        low=0.0,
        high=1.0,
        slider=(0.0, 1.0),
    )


def _decay_rate(default: float, help_text: str, high: float) -> Param:
    return Param(
        "decay_rate",
        default,
        help_text,
        symbol="r",
        low=0.0,
        open_low=True,
        high=1e6,
        slider=(0.01, high),
    )


CONSTANT = Schedule(
    key="constant",
    label="Constant",
    keras_class=None,
    params=(rate_param("learning_rate", 0.001, "The learning rate at every step.", r"\eta"),),
    latex=r"\eta_t = \eta",
    rate=constant,
    reference="The rate itself, as in every optimizer's own paper",
    when="The first experiment: change one thing at a time.",
)

POLYNOMIAL_DECAY = Schedule(
    key="polynomial_decay",
    label="Polynomial decay",
    keras_class="PolynomialDecay",
    params=(
        _INITIAL,
        _DECAY_STEPS,
        rate_param(
            "end_learning_rate",
            0.0001,
            "The learning rate after decay_steps.",
            r"\eta_T",
            zero=True,
        ),
        Param(
            "power",
            1.0,
            "The shape: 1 falls in a straight line, 2 fast at first, 0.5 fast at the end.",
            symbol="c",
            low=0.0,
            high=100.0,
            open_low=True,
            slider=(0.1, 5.0),
        ),
        Param(
            "cycle",
            False,
            "Start again, over a longer stretch, each time the end is reached.",
            kind="bool",
        ),
    ),
    latex=r"""\eta_t = (\eta_0 - \eta_T)\left(1 - \frac{\min(t, s)}{s}\right)^{c} + \eta_T
\qquad \text{cycle: } s \to s\,\lceil t/s \rceil""",
    rate=polynomial_decay,
    reference="Keras's PolynomialDecay; linear decay is the rule of thumb for fine-tuning BERT "
    "(Devlin et al., 2019)",
    when="A known number of steps, with the rate down to (nearly) zero at the end.",
)

EXPONENTIAL_DECAY = Schedule(
    key="exponential_decay",
    label="Exponential decay",
    keras_class="ExponentialDecay",
    params=(
        _INITIAL,
        _DECAY_STEPS,
        _decay_rate(0.96, "The factor by which the rate falls every decay_steps.", 1.0),
        _STAIRCASE,
    ),
    latex=r"\eta_t = \eta_0\, r^{\,t/s} \qquad \text{staircase: } \eta_0\, "
    r"r^{\lfloor t/s \rfloor}",
    rate=exponential_decay,
    reference="Keras's ExponentialDecay; compared in Senior et al., An Empirical Study of "
    "Learning Rates in Deep Neural Networks, 2013",
    when="A steady decay by a fixed factor, whatever the run's length.",
)

PIECEWISE_CONSTANT_DECAY = Schedule(
    key="piecewise_constant_decay",
    label="Piecewise constant",
    keras_class="PiecewiseConstantDecay",
    params=(
        Param(
            "boundaries",
            (1000, 2000),
            "The last step of each piece but the last, in order.",
            kind="ints",
            symbol="b_i",
            low=0,
            high=10_000_000,
            steps=True,
            share=(50.0, 75.0),
        ),
        Param(
            "values",
            (0.01, 0.001, 0.0001),
            "The learning rate of each piece: one more than there are boundaries.",
            kind="floats",
            symbol=r"\eta_i",
            low=0.0,
            high=1e6,
            rate=True,
        ),
    ),
    latex=r"\eta_t = \eta_i \quad \text{for } b_{i-1} < t \le b_i",
    rate=piecewise_constant_decay,
    reference="The step decay of image classifiers, as in He et al., Deep Residual Learning, 2016",
    when="Dividing the rate by ten when progress stalls, at steps known beforehand.",
    check=_check_pieces,
    fit=_order_pieces,
)

COSINE_DECAY = Schedule(
    key="cosine_decay",
    label="Cosine decay",
    keras_class="CosineDecay",
    params=(
        _INITIAL,
        _DECAY_STEPS,
        _alpha(),
        Param(
            "warmup_target",
            None,
            "The peak a linear warm-up climbs to; without it Keras skips the warm-up.",
            symbol=r"\eta_w",
            low=0.0,
            high=1e6,
            open_low=True,
            slider=(1e-6, 10.0),
            scale="log",
            optional=True,
            rate=True,
        ),
        steps_param(
            "warmup_steps",
            0,
            "How many steps the warm-up takes.",
            "w",
            10.0,
            low=0,
            needs="warmup_target",
        ),
    ),
    latex=r"""\eta_t = \eta_{\max}\left((1-\alpha)\,
\frac{1 + \cos\!\left(\pi \min(\tfrac{t-w}{s}, 1)\right)}{2} + \alpha\right)
\qquad t < w:\ \ \eta_t = \eta_0 + (\eta_w - \eta_0)\,\frac{t}{w}""",
    rate=cosine_decay,
    reference="Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017",
    when="The usual choice today when the length of the run is known.",
    fit=_decay_after_warmup,
)

COSINE_DECAY_RESTARTS = Schedule(
    key="cosine_decay_restarts",
    label="Cosine decay with restarts",
    keras_class="CosineDecayRestarts",
    params=(
        _INITIAL,
        steps_param("first_decay_steps", 1000, "How many steps the first cycle takes.", "s", 25.0),
        Param(
            "t_mul",
            2.0,
            "Each cycle is this many times as long as the one before.",
            symbol="t_{mul}",
            low=1.0,
            high=100.0,
            slider=(1.0, 4.0),
        ),
        Param(
            "m_mul",
            1.0,
            "Each cycle starts at this many times the height of the one before.",
            symbol="m_{mul}",
            low=0.0,
            high=10.0,
            open_low=True,
            slider=(0.1, 1.5),
        ),
        _alpha(),
    ),
    latex=r"""\eta_t = \eta_0\left((1-\alpha)\, m_{mul}^{\,i}\,
\frac{1 + \cos(\pi\, f)}{2} + \alpha\right)
\qquad i = \text{restarts so far},\ f = \text{share of this cycle done}""",
    rate=cosine_decay_restarts,
    reference="Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017",
    when="Runs that may be stopped early: the end of each cycle is a good place to stop.",
)

INVERSE_TIME_DECAY = Schedule(
    key="inverse_time_decay",
    label="Inverse time decay",
    keras_class="InverseTimeDecay",
    params=(
        _INITIAL,
        _DECAY_STEPS,
        _decay_rate(
            0.5, "How fast it falls: after decay_steps the rate is divided by 1 + this.", 10.0
        ),
        _STAIRCASE,
    ),
    latex=r"\eta_t = \frac{\eta_0}{1 + r\, t/s} \qquad \text{staircase: } "
    r"\frac{\eta_0}{1 + r \lfloor t/s \rfloor}",
    rate=inverse_time_decay,
    reference="Robbins and Monro, A Stochastic Approximation Method, 1951",
    when="Fast at first, then ever more slowly: the decay that convergence proofs like.",
)

SCHEDULES: Mapping[str, Schedule] = MappingProxyType(
    {
        schedule.key: schedule
        for schedule in (
            CONSTANT,
            POLYNOMIAL_DECAY,
            EXPONENTIAL_DECAY,
            PIECEWISE_CONSTANT_DECAY,
            COSINE_DECAY,
            COSINE_DECAY_RESTARTS,
            INVERSE_TIME_DECAY,
        )
    }
)
"""Each schedule by its key. Adding one is one entry."""
