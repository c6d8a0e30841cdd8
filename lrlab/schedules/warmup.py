"""The schedules of large language models, which climb from nothing; Keras lacks them.

Update number ``n = t + 1`` of a climb over ``w`` updates has ``n / w`` of the peak rate: no
update is wasted on a rate of 0, and the last one has all of it.
"""

from __future__ import annotations

from lrlab.arrays import ScheduleOps, Tensor
from lrlab.params import Param
from lrlab.schedules.base import PEAK, TOTAL_STEPS, Schedule, alpha_param, steps_param


def inverse_sqrt(
    xp: ScheduleOps, t: Tensor, *, max_learning_rate: Tensor, warmup_steps: Tensor
) -> Tensor:
    """Up in a straight line for ``warmup_steps`` updates, then down with the root of their number.

    With a peak of ``(d * warmup_steps) ** -0.5`` this is the Transformer's rate,
    ``d**-0.5 * min(n**-0.5, n * warmup_steps**-1.5)`` at update number ``n``.
    Source: Vaswani et al. 2017, equation 3.
    """
    n = t + 1
    return max_learning_rate * xp.minimum(n / warmup_steps, xp.sqrt(warmup_steps / n))


def warmup_stable_decay(
    xp: ScheduleOps,
    t: Tensor,
    *,
    max_learning_rate: Tensor,
    total_steps: Tensor,
    warmup_steps: Tensor,
    decay_steps: Tensor,
    power: Tensor,
    alpha: Tensor,
) -> Tensor:
    """Up in a straight line, level, and down to ``alpha`` times the peak when the total is over.

    The decay follows ``1 - x**power`` as ``x`` goes from 0 to 1 over the last ``decay_steps``.
    Source: Hu et al. 2024; the shape ``power = 0.5`` is Hägele et al. 2024.
    """
    climbed = xp.minimum((t + 1) / xp.maximum(warmup_steps, 1.0), 1.0)
    x = xp.clip((t - (total_steps - decay_steps)) / decay_steps, 0.0, 1.0)
    return max_learning_rate * xp.minimum(climbed, 1 - (1 - alpha) * x**power)


INVERSE_SQRT = Schedule(
    key="inverse_sqrt",
    label="Inverse square root (Noam)",
    params=(
        PEAK,
        steps_param(
            "warmup_steps", 400, "The rate climbs for this many steps, then it falls.", "w", 10.0
        ),
    ),
    latex=r"""\eta_t = \eta_{\max}\,\min\!\left(\frac{t+1}{w},\ \sqrt{\frac{w}{t+1}}\right)""",
    rate=inverse_sqrt,
    reference="Vaswani et al., Attention Is All You Need, 2017",
    when="Transformers with Adam, when the length of the run is not known: it never ends.",
)

WARMUP_STABLE_DECAY = Schedule(
    key="warmup_stable_decay",
    label="Warm-up-stable-decay (WSD)",
    params=(
        PEAK,
        TOTAL_STEPS,
        steps_param("warmup_steps", 100, "How many steps the warm-up takes.", "w", 10.0, low=0),
        steps_param("decay_steps", 200, "How many steps the decay at the end takes.", "s", 20.0),
        Param(
            "power",
            1.0,
            "The decay's shape: 1 is a straight line, 0.5 falls fast at first.",
            symbol="c",
            low=0.0,
            high=100.0,
            open_low=True,
            slider=(0.1, 5.0),
        ),
        alpha_param("The share of the highest rate that is left at the end."),
    ),
    latex=r"""\begin{aligned}
\eta_t &= \eta_{\max}\,\min\!\left(\tfrac{t+1}{w},\ 1 - (1-\alpha)\, x^{c}\right) \\
x &= \min\!\left(1,\ \max\!\left(0,\ \tfrac{t - (T - s)}{s}\right)\right)
\end{aligned}""",
    rate=warmup_stable_decay,
    reference="Hu et al., MiniCPM, 2024; Hägele et al., Scaling Laws and Compute-Optimal Training "
    "Beyond Fixed Training Durations, 2024",
    when="Long runs that may be carried on: only the decay must know the end, and it can branch "
    "off the level part at any time.",
)

FAMILY = (INVERSE_SQRT, WARMUP_STABLE_DECAY)
