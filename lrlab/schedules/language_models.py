"""Schedules for large language models, which start with a warm-up from near 0. Keras has neither.

Step ``t`` of a warm-up of ``w`` steps uses ``(t + 1) / w`` of the peak, so no step has a learning
rate of 0 and the last one has the peak.
"""

from __future__ import annotations

from lrlab.arrays import ScheduleOps, Tensor
from lrlab.params import Param
from lrlab.schedules.base import PEAK, TOTAL_STEPS, Schedule, alpha_param, steps_param


def inverse_sqrt(
    xp: ScheduleOps, t: Tensor, *, max_learning_rate: Tensor, warmup_steps: Tensor
) -> Tensor:
    """A linear warm-up over ``warmup_steps``, then an inverse square root decay.

    With ``n = t + 1`` and a peak of ``(d * warmup_steps)**-0.5`` this is the learning rate of the
    Transformer, ``d**-0.5 * min(n**-0.5, n * warmup_steps**-1.5)``.
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
    """A linear warm-up, a constant part, and a decay to ``alpha`` times the peak.

    The decay covers the last ``decay_steps`` of ``total_steps`` and has the shape ``1 - x**power``
    for ``x`` from 0 to 1.
    Source: Hu et al. 2024; ``power = 0.5``: Hägele et al. 2024.
    """
    rising = xp.minimum((t + 1) / xp.maximum(warmup_steps, 1.0), 1.0)
    x = xp.clip((t - (total_steps - decay_steps)) / decay_steps, 0.0, 1.0)
    return max_learning_rate * xp.minimum(rising, 1 - (1 - alpha) * x**power)


INVERSE_SQRT = Schedule(
    key="inverse_sqrt",
    label="Inverse square root (Noam)",
    params=(
        PEAK,
        steps_param(
            "warmup_steps",
            400,
            "The number of warm-up steps; then the rate falls.",
            "w",
            10.0,
        ),
    ),
    latex=r"""\eta_t = \eta_{\max}\,\min\!\left(\frac{t+1}{w},\ \sqrt{\frac{w}{t+1}}\right)""",
    rate=inverse_sqrt,
    reference="Vaswani et al., Attention Is All You Need, 2017",
    when="Transformers with Adam in runs of unknown length: the schedule has no end.",
)

WARMUP_STABLE_DECAY = Schedule(
    key="warmup_stable_decay",
    label="Warm-up-stable-decay (WSD)",
    params=(
        PEAK,
        TOTAL_STEPS,
        steps_param("warmup_steps", 100, "The number of warm-up steps.", "w", 10.0, low=0),
        steps_param("decay_steps", 200, "The number of decay steps at the end.", "s", 20.0),
        Param(
            "power",
            1.0,
            "The shape of the decay: 1 is a straight line, 0.5 falls fast at first.",
            symbol="c",
            low=0.0,
            high=100.0,
            open_low=True,
            slider=(0.1, 5.0),
        ),
        alpha_param("The final learning rate as a share of the peak."),
    ),
    latex=r"""\begin{aligned}
\eta_t &= \eta_{\max}\,\min\!\left(\tfrac{t+1}{w},\ 1 - (1-\alpha)\, x^{c}\right) \\
x &= \min\!\left(1,\ \max\!\left(0,\ \tfrac{t - (T - s)}{s}\right)\right)
\end{aligned}""",
    rate=warmup_stable_decay,
    reference="Hu et al., MiniCPM, 2024; Hägele et al., Scaling Laws and Compute-Optimal Training "
    "Beyond Fixed Training Durations, 2024",
    when="Long runs that may be extended: only the decay depends on the end, and it can start at "
    "any point of the constant part.",
)

FAMILY = (INVERSE_SQRT, WARMUP_STABLE_DECAY)
