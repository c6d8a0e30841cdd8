"""Lion: each weight moves by the learning rate, in the direction of a sign.

Source: keras/src/optimizers/lion.py.
"""

from __future__ import annotations

from lrlab.arrays import ArrayOps, State, Tensor
from lrlab.optimizers.base import Optimizer, StateVariable
from lrlab.params import Param


def init(xp: ArrayOps, x: Tensor, **_: Tensor) -> State:
    """The running mean starts at 0."""
    return (x * 0.0,)


def update(
    xp: ArrayOps,
    x: Tensor,
    g: Tensor,
    state: State,
    lr: Tensor,
    t: int,
    *,
    beta_1: Tensor,
    beta_2: Tensor,
) -> tuple[Tensor, State]:
    """``x - lr * sign(beta_1 * m + (1 - beta_1) * g)``, then ``m`` decays with ``beta_2``.

    Source: Chen et al. 2023.
    """
    (m,) = state
    x = x - lr * xp.sign(m * beta_1 + g * (1 - beta_1))
    return x, (m * beta_2 + g * (1 - beta_2),)


LION = Optimizer(
    key="lion",
    label="Lion",
    keras_class="Lion",
    learning_rate=0.001,
    params=(
        Param(
            "beta_1",
            0.9,
            "The weight of the running mean in this step; the newest gradient gets the rest.",
            symbol=r"\beta_1",
            low=0.0,
            high=1.0,
            open_low=True,
            slider=(0.01, 0.999),
            scale="memory",
        ),
        Param(
            "beta_2",
            0.99,
            "The decay of the running mean of gradients: 0.99 averages about the last 100 steps.",
            symbol=r"\beta_2",
            low=0.0,
            high=1.0,
            slider=(0.0, 0.999),
            scale="memory",
        ),
    ),
    latex=r"""\begin{aligned}
\theta_{t+1} &= \theta_t - \eta_t\,
\operatorname{sign}\!\left(\beta_1 m_{t-1} + (1-\beta_1)\, g_t\right) \\
m_t &= \beta_2 m_{t-1} + (1-\beta_2)\, g_t
\end{aligned}""",
    init=init,
    update=update,
    states=(StateVariable("momentum", "m", "running mean of gradients", -1),),
    reference="Chen et al., Symbolic Discovery of Optimization Algorithms, 2023",
    when="Large networks with large batches. Use a tenth of Adam's learning rate, because every "
    "weight moves by the full learning rate at every step.",
)

FAMILY = (LION,)
