"""Stochastic gradient descent: plain, with momentum and with Nesterov momentum.

Source: keras/src/optimizers/sgd.py.
"""

from __future__ import annotations

from lrlab.arrays import ArrayOps, State, Tensor
from lrlab.optimizers.base import Optimizer, StateVariable
from lrlab.params import Param

_MOMENTUM = Param(
    "momentum",
    0.9,
    "The share of the previous step that is added to this one; 0.9 sums about the last 10 steps.",
    symbol=r"\beta",
    low=0.0,
    high=1.0,
    slider=(0.0, 0.999),
    scale="memory",
)
_STATES = (
    StateVariable("momentum", "m", "the previous step, part of which is added to the next", 1),
)


def init(xp: ArrayOps, x: Tensor, **_: Tensor) -> State:
    """The momentum starts at 0."""
    return (x * 0.0,)


def update(
    xp: ArrayOps,
    x: Tensor,
    g: Tensor,
    state: State,
    lr: Tensor,
    t: int,
    *,
    momentum: Tensor,
    nesterov: bool,
) -> tuple[Tensor, State]:
    """``m = momentum * m - lr * g``, then ``x + m``; with Nesterov ``x + momentum * m - lr * g``.

    Source: Polyak 1964; Nesterov 1983 in the form of Sutskever et al. 2013, with the gradient
    taken at the current point (keras/src/optimizers/sgd.py).
    """
    (m,) = state
    m = m * momentum - g * lr
    return (x + (m * momentum - g * lr) if nesterov else x + m), (m,)


def _momentum_update(
    xp: ArrayOps, x: Tensor, g: Tensor, state: State, lr: Tensor, t: int, *, momentum: Tensor
) -> tuple[Tensor, State]:
    return update(xp, x, g, state, lr, t, momentum=momentum, nesterov=False)


def _nesterov_update(
    xp: ArrayOps, x: Tensor, g: Tensor, state: State, lr: Tensor, t: int, *, momentum: Tensor
) -> tuple[Tensor, State]:
    return update(xp, x, g, state, lr, t, momentum=momentum, nesterov=True)


_MOMENTUM_LATEX = r"""\begin{aligned}
m_t &= \beta\, m_{t-1} - \eta_t\, g_t \\
\theta_{t+1} &= \theta_t + m_t
\end{aligned}"""

_NESTEROV_LATEX = r"""\begin{aligned}
m_t &= \beta\, m_{t-1} - \eta_t\, g_t \\
\theta_{t+1} &= \theta_t + \beta\, m_t - \eta_t\, g_t
\end{aligned}"""

SGD = Optimizer(
    key="sgd",
    label="SGD",
    keras_class="SGD",
    learning_rate=0.01,
    params=(
        Param(
            "momentum",
            0.0,
            "The share of the previous step added to this one; 0 is plain gradient descent.",
            symbol=r"\beta",
            low=0.0,
            high=1.0,
            slider=(0.0, 0.999),
            scale="memory",
        ),
        Param(
            "nesterov",
            False,
            "Use Nesterov momentum, which looks one step ahead; has no effect if momentum is 0.",
            kind="bool",
        ),
    ),
    latex=r"""\begin{aligned}
m_t &= \beta\, m_{t-1} - \eta_t\, g_t \\
\theta_{t+1} &= \theta_t + m_t
\qquad (\beta = 0:\ \theta_{t+1} = \theta_t - \eta_t\, g_t)
\end{aligned}""",
    init=init,
    update=update,
    states=_STATES,
    plain_at_zero="momentum",
    reference="Robbins and Monro, A Stochastic Approximation Method, 1951",
    when="The baseline: each step goes straight downhill. With momentum and a well-tuned schedule "
    "it is still hard to beat for image classifiers.",
)

MOMENTUM = Optimizer(
    key="momentum",
    label="Momentum",
    keras_class="SGD",
    learning_rate=0.01,
    params=(_MOMENTUM,),
    fixed={"nesterov": False},
    latex=_MOMENTUM_LATEX,
    textbook=r"""\begin{aligned}
v_t &= \beta\, v_{t-1} + g_t \\
\theta_{t+1} &= \theta_t - \eta_t\, v_t
\end{aligned}""",
    difference="Many textbooks multiply by the learning rate last. Both forms agree while the "
    "learning rate is constant. Under a schedule, Keras's momentum still contains steps taken at "
    "earlier learning rates.",
    init=init,
    update=_momentum_update,
    states=_STATES,
    plain_at_zero="momentum",
    reference="Polyak, Some methods of speeding up the convergence of iteration methods, 1964",
    when="Long narrow valleys: it moves along the floor instead of bouncing between the walls.",
)

NESTEROV = Optimizer(
    key="nesterov",
    label="Nesterov",
    keras_class="SGD",
    learning_rate=0.01,
    params=(_MOMENTUM,),
    fixed={"nesterov": True},
    latex=_NESTEROV_LATEX,
    textbook=r"""\begin{aligned}
m_t &= \beta\, m_{t-1} - \eta_t\, \nabla f(\theta_t + \beta\, m_{t-1}) \\
\theta_{t+1} &= \theta_t + m_t
\end{aligned}""",
    difference="The textbook takes the gradient at the look-ahead point θ + βm. Keras takes it at "
    "the current point and shifts the variable instead: Keras's θ is the textbook's look-ahead "
    "point, so both follow the same path at a constant learning rate.",
    init=init,
    update=_nesterov_update,
    states=_STATES,
    plain_at_zero="momentum",
    reference="Nesterov, A method of solving a convex programming problem with convergence "
    "rate O(1/k²), 1983",
    when="Like Momentum, but it slows down earlier and overshoots less.",
)

FAMILY = (SGD, MOMENTUM, NESTEROV)
