"""RMSprop: divide the gradient by a running root mean square of itself.

Source: keras/src/optimizers/rmsprop.py.
"""

from __future__ import annotations

from lrlab.arrays import ArrayOps, State, Tensor
from lrlab.optimizers.adagrad import epsilon_param
from lrlab.optimizers.base import Optimizer, StateVariable
from lrlab.params import Param


def init(xp: ArrayOps, x: Tensor, **_: Tensor) -> State:
    """Mean square, momentum and mean gradient start at 0."""
    return (x * 0.0, x * 0.0, x * 0.0)


def update(
    xp: ArrayOps,
    x: Tensor,
    g: Tensor,
    state: State,
    lr: Tensor,
    t: int,
    *,
    rho: Tensor,
    momentum: Tensor,
    epsilon: Tensor,
    centered: bool,
) -> tuple[Tensor, State]:
    """``x - m`` with ``m = momentum * m + lr * g / sqrt(v + epsilon)``.

    ``v`` is the running mean of ``g**2``, less the square of the running mean of ``g`` when
    centered. Source: Hinton, lecture 6e, 2012; centered: Graves 2013.
    """
    v, m, a = state
    v = rho * v + (1 - rho) * (g * g)
    spread = v
    if centered:
        a = rho * a + (1 - rho) * g
        spread = v - a * a
    m = momentum * m + lr * g / xp.sqrt(spread + epsilon)
    return x - m, (v, m, a)


RMSPROP = Optimizer(
    key="rmsprop",
    label="RMSprop",
    keras_class="RMSprop",
    learning_rate=0.001,
    params=(
        Param(
            "rho",
            0.9,
            "How slowly the mean square forgets: 0.9 remembers about ten steps.",
            symbol=r"\rho",
            low=0.0,
            high=1.0,
            slider=(0.0, 0.999),
            scale="memory",
        ),
        Param(
            "momentum",
            0.0,
            "How much of the last step is carried into this one.",
            symbol=r"\beta",
            low=0.0,
            high=1.0,
            slider=(0.0, 0.999),
            scale="memory",
        ),
        epsilon_param(),
        Param(
            "centered",
            False,
            "Divide by the spread of the gradient around its mean, not by its size.",
            kind="bool",
        ),
    ),
    latex=r"""\begin{aligned}
v_t &= \rho\, v_{t-1} + (1-\rho)\, g_t^2 \\
m_t &= \beta\, m_{t-1} + \eta_t\, \frac{g_t}{\sqrt{v_t + \epsilon}} \\
\theta_{t+1} &= \theta_t - m_t
\\[4pt]
\text{centered:}\quad a_t &= \rho\, a_{t-1} + (1-\rho)\, g_t,
\qquad \sqrt{v_t - a_t^2 + \epsilon}\ \text{ below}
\end{aligned}""",
    textbook=r"""\theta_{t+1} = \theta_t - \eta_t\, \frac{g_t}{\sqrt{v_t} + \epsilon}""",
    difference="Keras puts ε inside the root, so the same ε acts as a much larger one: "
    "1e-7 inside is like 3e-4 outside where gradients vanish.",
    init=init,
    update=update,
    epsilon_in_root=True,
    states=(
        StateVariable("velocity", "v", "running mean of squared gradients"),
        StateVariable("momentum", "m", "the step just taken, with its sign reversed", -1),
        StateVariable("average_gradient", "a", "running mean of gradients (centered only)"),
    ),
    reference="Tieleman and Hinton, Lecture 6.5 of Neural Networks for Machine Learning, 2012",
    when="Gradients whose size changes a lot during training, such as in recurrent networks.",
)

FAMILY = (RMSPROP,)
