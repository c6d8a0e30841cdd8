"""RMSprop: divides the gradient by its own running root mean square.

Source: keras/src/optimizers/rmsprop.py.
"""

from __future__ import annotations

from lrlab.arrays import ArrayOps, State, Tensor
from lrlab.optimizers.adagrad import epsilon_param
from lrlab.optimizers.base import Optimizer, StateVariable
from lrlab.params import Param


def init(xp: ArrayOps, x: Tensor, **_: Tensor) -> State:
    """The mean square, the momentum and the mean gradient start at 0."""
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

    ``v`` is the running mean of ``g**2``. With ``centered``, the square of the running mean of
    ``g`` is subtracted from it. Source: Hinton, lecture 6e, 2012; centered: Graves 2013.
    """
    v, m, a = state
    v = rho * v + (1 - rho) * (g * g)
    variance = v
    if centered:
        a = rho * a + (1 - rho) * g
        variance = v - a * a
    m = momentum * m + lr * g / xp.sqrt(variance + epsilon)
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
            "The decay of the mean square: 0.9 averages about the last 10 steps.",
            symbol=r"\rho",
            low=0.0,
            high=1.0,
            slider=(0.0, 0.999),
            scale="memory",
        ),
        Param(
            "momentum",
            0.0,
            "The share of the previous step that is added to this one.",
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
            "Divide by the standard deviation of the gradient instead of its root mean square.",
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
    difference="Keras puts ε inside the root, where the same ε has a much larger effect: when "
    "gradients vanish, 1e-7 inside the root is like 3e-4 outside.",
    init=init,
    update=update,
    epsilon_in_root=True,
    states=(
        StateVariable("velocity", "v", "running mean of squared gradients"),
        StateVariable("momentum", "m", "the previous step with its sign reversed", -1),
        StateVariable("average_gradient", "a", "running mean of gradients (centered only)"),
    ),
    reference="Tieleman and Hinton, Lecture 6.5 of Neural Networks for Machine Learning, 2012",
    when="Gradients whose size changes a lot during training, as in recurrent networks.",
)

FAMILY = (RMSPROP,)
