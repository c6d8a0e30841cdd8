"""Cosine decays: one half cosine with an optional warm-up, or several with restarts.

Source: keras/src/optimizers/schedules/learning_rate_schedule.py.
"""

from __future__ import annotations

import math

from lrlab.arrays import ScheduleOps, Tensor
from lrlab.params import Param, Value, number_of
from lrlab.schedules.base import DECAY_STEPS, INITIAL, Schedule, alpha_param, steps_param


def cosine_decay(
    xp: ScheduleOps,
    t: Tensor,
    *,
    initial_learning_rate: Tensor,
    decay_steps: Tensor,
    alpha: Tensor,
    warmup_target: Tensor,
    warmup_steps: Tensor,
) -> Tensor:
    """Half a cosine from the peak down to ``alpha`` times the peak, after a linear warm-up.

    If ``warmup_target`` is ``None``, there is no warm-up and ``warmup_steps`` is ignored, as in
    Keras.
    Source: Loshchilov and Hutter 2017.
    """
    if warmup_target is None:
        peak, start = initial_learning_rate, 0
    else:
        peak, start = warmup_target, warmup_steps
    fraction = xp.clip((t - start) / decay_steps, 0.0, 1.0)
    decayed = peak * ((1 - alpha) * 0.5 * (1 + xp.cos(math.pi * fraction)) + alpha)
    if warmup_target is None:
        return decayed
    warmup_fraction = t / xp.maximum(warmup_steps, 1.0)
    warmed = (warmup_target - initial_learning_rate) * warmup_fraction + initial_learning_rate
    return xp.where(t < warmup_steps, warmed, decayed)


def cosine_decay_restarts(
    xp: ScheduleOps,
    t: Tensor,
    *,
    initial_learning_rate: Tensor,
    first_decay_steps: Tensor,
    t_mul: Tensor,
    m_mul: Tensor,
    alpha: Tensor,
) -> Tensor:
    """Half cosines, each ``t_mul`` times as long as the previous one, and ``m_mul`` times as high
    above the floor ``alpha``.

    The number of the cycle is computed in float32, as in Keras: at a restart, the rounding of a
    logarithm decides whether the step still belongs to the old cycle. NumPy's float32 logarithm
    does not round like TensorFlow's, but a float64 logarithm rounded to float32 does.
    Source: Loshchilov and Hutter 2017.
    """
    elapsed = xp.array(t, dtype="float32") / xp.array(first_decay_steps, dtype="float32")
    if t_mul == 1.0:
        cycle = xp.floor(elapsed)
        fraction = elapsed - cycle
    else:
        growth = xp.array(t_mul, dtype="float32")
        log_length, log_growth = (
            xp.array(xp.log(xp.array(value, dtype="float64")), dtype="float32")
            for value in (1.0 - elapsed * (1.0 - growth), growth)
        )
        cycle = xp.floor(log_length / log_growth)
        cycle_start = (1.0 - growth**cycle) / (1.0 - growth)
        fraction = (elapsed - cycle_start) / growth**cycle
    cycle, fraction = xp.array(cycle, dtype=t.dtype), xp.array(fraction, dtype=t.dtype)
    cosine = 0.5 * m_mul**cycle * (1 + xp.cos(math.pi * fraction))
    return initial_learning_rate * ((1 - alpha) * cosine + alpha)


def _decay_after_warmup(values: dict[str, Value]) -> dict[str, Value]:
    """Shortens the decay by the warm-up before it, so that both together end with the run."""
    if values["warmup_target"] is None:
        return values | {"warmup_steps": 0}
    decay, warmup = number_of(values, "decay_steps"), number_of(values, "warmup_steps")
    return values | {"decay_steps": max(1, decay - warmup)}


_ALPHA = alpha_param("The final learning rate as a share of the peak.")

COSINE_DECAY = Schedule(
    key="cosine_decay",
    label="Cosine decay",
    keras_class="CosineDecay",
    params=(
        INITIAL,
        DECAY_STEPS,
        _ALPHA,
        Param(
            "warmup_target",
            None,
            "The learning rate at the end of a linear warm-up; if off, there is no warm-up.",
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
            "Steps over which the learning rate rises to the target; the decay starts after them.",
            "w",
            10.0,
            low=0,
            needs="warmup_target",
        ),
    ),
    latex=r"""\begin{aligned}
t < w:\ \ \eta_t &= \eta_0 + (\eta_w - \eta_0)\,\tfrac{t}{w} \\
t \ge w:\ \ \eta_t &= \eta_{\max} \left((1-\alpha)\, a + \alpha\right) \\
a &= \tfrac12 + \tfrac12 \cos\!\left(\pi \min(\tfrac{t-w}{s}, 1)\right)
\end{aligned}""",
    rate=cosine_decay,
    reference="Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017",
    when="The usual choice if the length of the run is known.",
    fit=_decay_after_warmup,
)

COSINE_DECAY_RESTARTS = Schedule(
    key="cosine_decay_restarts",
    label="Cosine decay with restarts",
    keras_class="CosineDecayRestarts",
    params=(
        INITIAL,
        steps_param("first_decay_steps", 1000, "The number of steps in cycle 1.", "s", 25.0),
        Param(
            "t_mul",
            2.0,
            "Each cycle is this many times as long as the previous one.",
            symbol="t_{mul}",
            low=1.0,
            high=100.0,
            slider=(1.0, 4.0),
        ),
        Param(
            "m_mul",
            1.0,
            "Each cycle rises this many times as high above the floor as the previous one.",
            symbol="m_{mul}",
            low=0.0,
            high=10.0,
            open_low=True,
            slider=(0.1, 1.5),
        ),
        _ALPHA,
    ),
    latex=r"""\begin{gathered}
\eta_t = \eta_0\left((1-\alpha)\, m_{mul}^{\,i}\, \frac{1 + \cos(\pi f)}{2} + \alpha\right) \\
i\text{: restarts so far}, \ \ f\text{: share of the cycle}
\end{gathered}""",
    rate=cosine_decay_restarts,
    reference="Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017",
    when="Runs that may be stopped early: the end of each cycle is a good point to stop.",
)

FAMILY = (COSINE_DECAY, COSINE_DECAY_RESTARTS)
