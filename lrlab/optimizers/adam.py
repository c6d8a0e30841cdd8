"""Adam and its relatives Adamax and Nadam.

Sources: keras/src/optimizers/adam.py, adamax.py, nadam.py.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lrlab.arrays import ArrayOps, State, Tensor
from lrlab.optimizers.adagrad import epsilon_param
from lrlab.optimizers.base import Optimizer, StateVariable
from lrlab.params import Param


def beta_params(beta_2: float = 0.999, help_2: str = "") -> tuple[Param, Param]:
    """``beta_1`` and ``beta_2``, the decay rates of the two running means."""
    return (
        Param(
            "beta_1",
            0.9,
            "The decay of the running mean of gradients: 0.9 averages about the last 10 steps.",
            symbol=r"\beta_1",
            low=0.0,
            high=1.0,
            open_high=True,
            slider=(0.0, 0.999),
            scale="memory",
        ),
        Param(
            "beta_2",
            beta_2,
            help_2
            or "The decay of the running mean of squared gradients: 0.999 averages about the "
            "last 1,000 steps.",
            symbol=r"\beta_2",
            low=0.0,
            high=1.0,
            open_high=True,
            slider=(0.0, 0.9999),
            scale="memory",
        ),
    )


MOMENTUM_STATE = StateVariable("momentum", "m", "running mean of gradients", -1)
VELOCITY_STATE = StateVariable("velocity", "v", "running mean of squared gradients")


def two_moments(xp: ArrayOps, x: Tensor, **_: Tensor) -> State:
    """Both running means start at 0."""
    return (x * 0.0, x * 0.0)


def power32(beta: Tensor, t: int) -> Tensor:
    """``beta**t`` rounded to float32, as Keras computes it.

    ``1 - beta**t`` is sensitive to this rounding: with ``beta_2 = 0.9999`` it changes the first
    steps by up to 1e-4 of their length, more than all other rounding in the rule.

    Returns:
        A float, or a float64 array of the shape of ``beta``.
    """
    if isinstance(beta, np.ndarray):
        exact = beta.astype(np.float32).astype(np.float64) ** t
        return exact.astype(np.float32).astype(np.float64)
    return _power32(beta, t)


@lru_cache(maxsize=4096)
def _power32(beta: float, t: int) -> float:
    # Computed in float64 and rounded: NumPy's float32 power is wrong in the last bit for one
    # value in five.
    return float(np.float32(float(np.float32(beta)) ** t))


def round_to_float32(beta: Tensor) -> Tensor:
    """``beta`` rounded to float32, as Keras uses it in some rules."""
    return power32(beta, 1)


def adam_init(xp: ArrayOps, x: Tensor, **_: Tensor) -> State:
    """Both running means start at 0, as does the largest ``v`` (for AMSGrad)."""
    return (x * 0.0, x * 0.0, x * 0.0)


def adam_update(
    xp: ArrayOps,
    x: Tensor,
    g: Tensor,
    state: State,
    lr: Tensor,
    t: int,
    *,
    beta_1: Tensor,
    beta_2: Tensor,
    epsilon: Tensor,
    amsgrad: bool,
) -> tuple[Tensor, State]:
    """``x - alpha * m / (sqrt(v) + epsilon)``; ``alpha`` includes both bias corrections.

    Source: Kingma and Ba 2015, the variant just before section 2.1; AMSGrad: Reddi et al. 2018.
    """
    m, v, v_max = state
    alpha = lr * xp.sqrt(1 - power32(beta_2, t)) / (1 - power32(beta_1, t))
    m = m + (g - m) * (1 - beta_1)
    v = v + (g * g - v) * (1 - beta_2)
    if amsgrad:
        v_max = xp.maximum(v_max, v)
    return x - m * alpha / (xp.sqrt(v_max if amsgrad else v) + epsilon), (m, v, v_max)


def adamax_update(
    xp: ArrayOps,
    x: Tensor,
    g: Tensor,
    state: State,
    lr: Tensor,
    t: int,
    *,
    beta_1: Tensor,
    beta_2: Tensor,
    epsilon: Tensor,
) -> tuple[Tensor, State]:
    """Adam with a decaying maximum of absolute gradients instead of the root mean square.

    Source: Kingma and Ba 2015, section 7.
    """
    m, u = state
    m = m + (g - m) * (1 - beta_1)
    u = xp.maximum(beta_2 * u, xp.abs(g))
    return x - lr * m / ((1 - power32(beta_1, t)) * (u + epsilon)), (m, u)


def nadam_init(xp: ArrayOps, x: Tensor, **_: Tensor) -> State:
    """The running means start at 0, the product of the momentum schedule at 1."""
    return (x * 0.0, x * 0.0, x * 0.0 + 1.0)


def nadam_update(
    xp: ArrayOps,
    x: Tensor,
    g: Tensor,
    state: State,
    lr: Tensor,
    t: int,
    *,
    beta_1: Tensor,
    beta_2: Tensor,
    epsilon: Tensor,
) -> tuple[Tensor, State]:
    """Adam with Nesterov momentum that warms up: ``mu = beta_1 (1 - 0.96**t / 2)``.

    Source: Dozat 2016 (keras/src/optimizers/nadam.py).
    """
    m, v, product = state
    beta_1, beta_2 = round_to_float32(beta_1), round_to_float32(beta_2)
    mu = beta_1 * (1 - 0.5 * 0.96**t)
    mu_next = beta_1 * (1 - 0.5 * 0.96 ** (t + 1))
    product = product * mu
    m = m + (g - m) * (1 - beta_1)
    v = v + (g * g - v) * (1 - beta_2)
    m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
    v_hat = v / (1 - power32(beta_2, t))
    return x - m_hat * lr / (xp.sqrt(v_hat) + epsilon), (m, v, product)


ADAM_LATEX = r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
\theta_{t+1} &= \theta_t - \eta_t\, \frac{\sqrt{1-\beta_2^t}}{1-\beta_1^t}\;
\frac{m_t}{\sqrt{v_t} + \epsilon}
\end{aligned}"""

ADAM_TEXTBOOK = r"""\begin{aligned}
\hat m_t &= \frac{m_t}{1-\beta_1^t}, \qquad \hat v_t = \frac{v_t}{1-\beta_2^t} \\
\theta_{t+1} &= \theta_t - \eta_t\, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}
\end{aligned}"""

ADAM_DIFFERENCE = (
    "Keras adds ε to √v before the bias correction, the paper after it. With ε = 1e-7 this "
    "matters only in the first steps, and only if gradients are tiny."
)

AMSGRAD = Param(
    "amsgrad",
    False,
    "AMSGrad: divide by the largest v so far, so that the effective learning rate never grows.",
    kind="bool",
)

ADAM = Optimizer(
    key="adam",
    label="Adam",
    keras_class="Adam",
    learning_rate=0.001,
    params=(*beta_params(), epsilon_param(), AMSGRAD),
    latex=ADAM_LATEX,
    textbook=ADAM_TEXTBOOK,
    difference=ADAM_DIFFERENCE,
    init=adam_init,
    update=adam_update,
    states=(
        MOMENTUM_STATE,
        VELOCITY_STATE,
        StateVariable("velocity_hat", r"v^{\max}", "largest v so far (AMSGrad only)"),
    ),
    reference="Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015",
    when="The usual first choice: it works for most networks with little tuning.",
)

ADAMAX = Optimizer(
    key="adamax",
    label="Adamax",
    keras_class="Adamax",
    learning_rate=0.001,
    params=(
        *beta_params(help_2="The decay of the largest recent gradient."),
        epsilon_param(),
    ),
    latex=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
u_t &= \max(\beta_2 u_{t-1},\ |g_t|) \\
\theta_{t+1} &= \theta_t - \frac{\eta_t}{1-\beta_1^t}\; \frac{m_t}{u_t + \epsilon}
\end{aligned}""",
    textbook=r"\theta_{t+1} = \theta_t - \frac{\eta_t}{1-\beta_1^t}\; \frac{m_t}{u_t}",
    difference="Keras adds ε to the denominator; the paper has none.",
    init=two_moments,
    update=adamax_update,
    states=(
        MOMENTUM_STATE,
        StateVariable("norm", "u", "decaying maximum of absolute gradients"),
    ),
    reference="Kingma and Ba, Adam: A Method for Stochastic Optimization, section 7, 2015",
    when="Like Adam, but less sensitive to occasional very large gradients.",
)

NADAM = Optimizer(
    key="nadam",
    label="Nadam",
    keras_class="Nadam",
    learning_rate=0.001,
    params=(*beta_params(), epsilon_param()),
    latex=r"""\begin{aligned}
\mu_t &= \beta_1\,(1 - \tfrac12\, 0.96^{\,t}), \qquad \Pi_t = \textstyle\prod_{i \le t} \mu_i \\
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
\hat m_t &= \frac{\mu_{t+1}\, m_t}{1-\Pi_t\,\mu_{t+1}} + \frac{(1-\mu_t)\, g_t}{1-\Pi_t} \\
\theta_{t+1} &= \theta_t - \eta_t\, \frac{\hat m_t}{\sqrt{v_t / (1-\beta_2^t)} + \epsilon}
\end{aligned}""",
    textbook=r"""\begin{aligned}
\hat m_t &= \frac{\beta_1 m_t}{1-\beta_1^{t+1}} + \frac{(1-\beta_1)\, g_t}{1-\beta_1^t} \\
\theta_{t+1} &= \theta_t - \eta_t\, \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}
\end{aligned}""",
    difference="Textbooks often use a constant β₁. In Keras, as in Dozat's paper, the momentum μ "
    "grows from about half of β₁ to β₁.",
    init=nadam_init,
    update=nadam_update,
    states=(
        MOMENTUM_STATE,
        VELOCITY_STATE,
        StateVariable("u_product", r"\Pi", "product of the momentum schedule so far"),
    ),
    reference="Dozat, Incorporating Nesterov Momentum into Adam, 2016",
    when="Adam with Nesterov momentum; often a little faster at first. Used in the notebook.",
)

FAMILY = (ADAM, ADAMAX, NADAM)
