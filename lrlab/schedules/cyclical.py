"""Smith's cyclical learning rates, with one cycle or many. Keras has neither."""

from __future__ import annotations

import math

from lrlab.arrays import ScheduleOps, Tensor
from lrlab.params import Param
from lrlab.schedules.base import PEAK, TOTAL_STEPS, Schedule, rate_param, steps_param


def triangular(
    xp: ScheduleOps,
    t: Tensor,
    *,
    initial_learning_rate: Tensor,
    max_learning_rate: Tensor,
    cycle_steps: Tensor,
    decay_rate: Tensor,
    staircase: bool,
) -> Tensor:
    """Linear cycles between two learning rates; ``decay_rate`` lowers the peaks.

    Each cycle rises ``decay_rate`` times as high above the lowest rate as the previous one.
    With ``staircase`` the peaks fall once per cycle (the paper's "triangular2" if ``decay_rate``
    is 0.5), otherwise at every step (its "exp_range").
    Source: Smith 2017.
    """
    phase = xp.mod(t, cycle_steps)
    height = 1 - xp.abs(2 * phase / cycle_steps - 1)
    cycles = (t - phase) / cycle_steps if staircase else t / cycle_steps
    span = (max_learning_rate - initial_learning_rate) * decay_rate**cycles
    return initial_learning_rate + span * height


def one_cycle(
    xp: ScheduleOps,
    t: Tensor,
    *,
    max_learning_rate: Tensor,
    total_steps: Tensor,
    warmup_steps: Tensor,
    div_factor: Tensor,
    final_div_factor: Tensor,
    linear: bool,
) -> Tensor:
    """One cycle: up to the peak in ``warmup_steps``, then down to the end at ``total_steps``.

    It starts at the peak divided by ``div_factor`` and ends at the start divided by
    ``final_div_factor``. Both parts are half cosines, or straight lines if ``linear``.
    Source: Smith and Topin 2018.
    """
    start = max_learning_rate / div_factor
    end = start / final_div_factor
    up = xp.clip(t / xp.maximum(warmup_steps, 1.0), 0.0, 1.0)
    down = xp.clip((t - warmup_steps) / xp.maximum(total_steps - warmup_steps, 1.0), 0.0, 1.0)
    if not linear:
        up = (1 - xp.cos(math.pi * up)) / 2
        down = (1 - xp.cos(math.pi * down)) / 2
    rising = start + (max_learning_rate - start) * up
    falling = max_learning_rate - (max_learning_rate - end) * down
    return xp.where(t < warmup_steps, rising, falling)


def _divisor(name: str, default: float, help_text: str, symbol: str, high: float) -> Param:
    return Param(
        name,
        default,
        help_text,
        symbol=symbol,
        low=1.0,
        high=1e12,
        slider=(1.0, high),
        scale="log",
    )


TRIANGULAR = Schedule(
    key="triangular",
    label="Triangular (CLR)",
    params=(
        rate_param("initial_learning_rate", 0.001, "The lowest learning rate.", zero=True),
        PEAK,
        steps_param(
            "cycle_steps",
            1000,
            "The number of steps in a cycle, up and down: twice the paper's step size.",
            "c",
            50.0,
            low=2,
        ),
        Param(
            "decay_rate",
            1.0,
            "Each cycle rises this many times as high above the lowest rate as the previous one; 1 "
            "keeps the height.",
            symbol="r",
            low=0.0,
            high=1.0,
            open_low=True,
            slider=(0.1, 1.0),
        ),
        Param(
            "staircase",
            True,
            "Lower the peaks once per cycle (triangular2 if decay_rate is 0.5) instead of at every "
            "step (exp_range).",
            kind="bool",
        ),
    ),
    latex=r"""\begin{gathered}
\eta_t = \eta_0 + (\eta_{\max} - \eta_0)\, r^{\lfloor t/c \rfloor}\, h \\
h = 1 - \left|\,2\,\tfrac{t \bmod c}{c} - 1\,\right| \\
\text{no staircase: } r^{\,t/c}
\end{gathered}""",
    rate=triangular,
    reference="Smith, Cyclical Learning Rates for Training Neural Networks, 2017",
    when="If no good learning rate is known: it covers all values between two bounds.",
)

ONE_CYCLE = Schedule(
    key="one_cycle",
    label="1cycle",
    params=(
        PEAK,
        TOTAL_STEPS,
        steps_param("warmup_steps", 300, "The number of steps up to the peak.", "w", 30.0, low=0),
        _divisor("div_factor", 25.0, "The highest learning rate divided by the first.", "d", 1e3),
        _divisor("final_div_factor", 1e4, "The first learning rate divided by the last.", "f", 1e6),
        Param("linear", False, "Straight lines instead of half cosines.", kind="bool"),
    ),
    latex=r"""\begin{aligned}
t < w:\ \ \eta_t &= \eta_0 + (\eta_{\max} - \eta_0)\; a\!\left(\tfrac{t}{w}\right) \\
t \ge w:\ \ \eta_t &= \eta_{\max} - (\eta_{\max} - \eta_T)\; a\!\left(\tfrac{t-w}{T-w}\right) \\
\eta_0 &= \eta_{\max} / d, \quad \eta_T = \eta_0 / f \\
a(x) &= \tfrac{1 - \cos \pi x}{2}, \quad \text{linear: } a(x) = x
\end{aligned}""",
    rate=one_cycle,
    reference="Smith and Topin, Super-Convergence: Very Fast Training of Neural Networks Using "
    "Large Learning Rates, 2018",
    when="Short runs of known length: the peak can be higher than any constant learning rate that "
    "trains stably.",
)

FAMILY = (TRIANGULAR, ONE_CYCLE)
