"""Polynomial, exponential, piecewise constant and inverse time decay.

Source: keras/src/optimizers/schedules/learning_rate_schedule.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from lrlab.arrays import ScheduleOps, Tensor
from lrlab.params import InvalidInput, Param, Value, numbers_of
from lrlab.schedules.base import DECAY_STEPS, INITIAL, Schedule, rate_param


def polynomial_decay(
    xp: ScheduleOps,
    t: Tensor,
    *,
    initial_learning_rate: Tensor,
    decay_steps: Tensor,
    end_learning_rate: Tensor,
    power: Tensor,
    cycle: bool,
) -> Tensor:
    """``(eta_0 - eta_T) (1 - t / s)**c + eta_T``.

    After step ``s`` the rate stays at ``eta_T``. With ``cycle``, ``s`` is instead replaced by its
    smallest multiple that is at least ``t``.
    """
    if cycle:
        span = decay_steps * xp.where(t == 0, 1.0, xp.ceil(t / decay_steps))
    else:
        span = decay_steps
        t = xp.minimum(t, decay_steps)
    return (initial_learning_rate - end_learning_rate) * (1 - t / span) ** power + end_learning_rate


def exponential_decay(
    xp: ScheduleOps,
    t: Tensor,
    *,
    initial_learning_rate: Tensor,
    decay_steps: Tensor,
    decay_rate: Tensor,
    staircase: bool,
) -> Tensor:
    """``eta_0 r**(t / s)``; ``staircase`` rounds ``t / s`` down."""
    p = t / decay_steps
    return initial_learning_rate * decay_rate ** (xp.floor(p) if staircase else p)


def inverse_time_decay(
    xp: ScheduleOps,
    t: Tensor,
    *,
    initial_learning_rate: Tensor,
    decay_steps: Tensor,
    decay_rate: Tensor,
    staircase: bool,
) -> Tensor:
    """``eta_0 / (1 + r t / s)``; ``staircase`` rounds ``t / s`` down."""
    p = t / decay_steps
    return initial_learning_rate / (1 + decay_rate * (xp.floor(p) if staircase else p))


def piecewise_constant_decay(
    xp: ScheduleOps, t: Tensor, *, boundaries: tuple[int, ...], values: tuple[float, ...]
) -> Tensor:
    """``values[i]`` up to and including step ``boundaries[i]``, then the next value."""
    return xp.take(
        xp.array(values), xp.searchsorted(xp.array(boundaries, dtype=t.dtype), t, side="left")
    )


def _check_pieces(values: Mapping[str, Value]) -> None:
    boundaries, rates = numbers_of(values, "boundaries"), numbers_of(values, "values")
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
                f"larger than the previous one, but {after} follows {before}."
            )


def _separate_boundaries(values: dict[str, Value]) -> dict[str, Value]:
    """Moves boundaries that became equal by rounding one step apart."""
    boundaries: list[float] = []
    for boundary in numbers_of(values, "boundaries"):
        boundaries.append(max(boundary, boundaries[-1] + 1) if boundaries else boundary)
    return values | {"boundaries": tuple(boundaries)}


_STAIRCASE = Param(
    "staircase", False, "Decay once every decay_steps instead of at every step.", kind="bool"
)


def _decay_rate(default: float, help_text: str, high: float) -> Param:
    return Param(
        "decay_rate",
        default,
        help_text,
        symbol="r",
        low=0.0,
        open_low=True,
        # Above 1 the learning rate grows: a range test covers many powers of ten.
        high=1e12,
        slider=(0.01, high),
    )


POLYNOMIAL_DECAY = Schedule(
    key="polynomial_decay",
    label="Polynomial decay",
    keras_class="PolynomialDecay",
    params=(
        INITIAL,
        DECAY_STEPS,
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
            "The shape: 1 is a straight line, 2 falls fast at first, 0.5 falls fast at the end.",
            symbol="c",
            low=0.0,
            high=100.0,
            open_low=True,
            slider=(0.1, 5.0),
        ),
        Param(
            "cycle",
            False,
            "At the end of each decay, start another one that takes longer.",
            kind="bool",
        ),
    ),
    latex=r"""\begin{gathered}
\eta_t = (\eta_0 - \eta_T)\left(1 - \frac{\min(t, s)}{s}\right)^{c} + \eta_T \\
\text{cycle: } s \to s\,\lceil t/s \rceil
\end{gathered}""",
    rate=polynomial_decay,
    reference="Keras's PolynomialDecay; BERT is fine-tuned with linear decay (Devlin et al., 2019)",
    when="A known number of steps, with a learning rate of (almost) zero at the end.",
)

EXPONENTIAL_DECAY = Schedule(
    key="exponential_decay",
    label="Exponential decay",
    keras_class="ExponentialDecay",
    params=(
        INITIAL,
        DECAY_STEPS,
        _decay_rate(0.96, "The factor applied to the learning rate every decay_steps.", 1.0),
        _STAIRCASE,
    ),
    latex=r"\eta_t = \eta_0\, r^{\,t/s} \qquad \text{staircase: } \eta_0\, "
    r"r^{\lfloor t/s \rfloor}",
    rate=exponential_decay,
    reference="Keras's ExponentialDecay; compared in Senior et al., An Empirical Study of "
    "Learning Rates in Deep Neural Networks, 2013",
    when="A steady decay by a fixed factor, independent of the run's length.",
)

PIECEWISE_CONSTANT_DECAY = Schedule(
    key="piecewise_constant_decay",
    label="Piecewise constant",
    keras_class="PiecewiseConstantDecay",
    params=(
        Param(
            "boundaries",
            (1000, 2000),
            "The last step of each piece except the final one, in ascending order.",
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
            "The learning rate of each piece: one more value than boundaries.",
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
    when="Dividing the learning rate by ten at known steps at which progress stalls.",
    check=_check_pieces,
    fit=_separate_boundaries,
)

INVERSE_TIME_DECAY = Schedule(
    key="inverse_time_decay",
    label="Inverse time decay",
    keras_class="InverseTimeDecay",
    params=(
        INITIAL,
        DECAY_STEPS,
        _decay_rate(
            0.5, "After decay_steps the initial learning rate is divided by 1 plus this.", 10.0
        ),
        _STAIRCASE,
    ),
    latex=r"\eta_t = \frac{\eta_0}{1 + r\, t/s} \qquad \text{staircase: } "
    r"\frac{\eta_0}{1 + r \lfloor t/s \rfloor}",
    rate=inverse_time_decay,
    reference="Robbins and Monro, A Stochastic Approximation Method, 1951",
    when="A decay that is fast at first and then slower and slower, as in convergence proofs.",
)

FAMILY = (POLYNOMIAL_DECAY, EXPONENTIAL_DECAY, PIECEWISE_CONSTANT_DECAY, INVERSE_TIME_DECAY)
