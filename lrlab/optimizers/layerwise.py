"""Optimizers whose step depends on the whole weight array: Lamb and Adafactor.

Sources: keras/src/optimizers/lamb.py, adafactor.py.
"""

from __future__ import annotations

from lrlab.arrays import ArrayOps, State, Tensor
from lrlab.optimizers.adagrad import epsilon_param
from lrlab.optimizers.adam import MOMENTUM_STATE, VELOCITY_STATE, beta_params, power32, two_moments
from lrlab.optimizers.base import Optimizer, StateVariable
from lrlab.params import Param


def _norm(xp: ArrayOps, x: Tensor) -> Tensor:
    return xp.sqrt((x * x).sum(axis=-1, keepdims=True))


def lamb_update(
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
    """Adam's step ``u``, scaled to the norm of the weights: ``x - lr * |x| / |u| * u``.

    The ratio is 1 if either norm is 0. Source: You et al. 2020.
    """
    m, v = state
    m = m + (g - m) * (1 - beta_1)
    v = v + (g * g - v) * (1 - beta_2)
    u = (m / (1 - power32(beta_1, t))) / (xp.sqrt(v / (1 - power32(beta_2, t))) + epsilon)
    x_norm, u_norm = _norm(xp, x), _norm(xp, u)
    ratio = xp.where((x_norm > 0) & (u_norm > 0), x_norm / u_norm, 1.0)
    return x - ratio * lr * u, (m, v)


def adafactor_init(xp: ArrayOps, x: Tensor, **_: Tensor) -> State:
    """The running mean of squared gradients starts at 0."""
    return (x * 0.0,)


def adafactor_update(
    xp: ArrayOps,
    x: Tensor,
    g: Tensor,
    state: State,
    lr: Tensor,
    t: int,
    *,
    beta_2_decay: Tensor,
    epsilon_1: Tensor,
    epsilon_2: Tensor,
    clip_threshold: Tensor,
    relative_step: bool,
) -> tuple[Tensor, State]:
    """Divides the gradient by its running RMS and scales the step to the RMS of the weights.

    The learning rate is capped at ``1 / sqrt(t)``, even if ``relative_step`` is false, and
    multiplied by the RMS of ``x`` or by ``epsilon_2``, whichever is larger. Source: Shazeer and
    Stern 2018, the form for vectors.
    """
    (v,) = state
    beta_2 = 1 - t**beta_2_decay
    v = beta_2 * v + (1 - beta_2) * (g * g + epsilon_1)
    u = g / xp.sqrt(v)
    u = u / xp.maximum(1.0, _norm(xp, u) / 2**0.5 / clip_threshold)
    scale = xp.maximum(epsilon_2, _norm(xp, x) / 2**0.5)
    return x - scale * xp.minimum(lr, 1 / t**0.5) * u, (v,)


LAMB = Optimizer(
    key="lamb",
    label="Lamb",
    keras_class="Lamb",
    learning_rate=0.001,
    params=(*beta_params(), epsilon_param()),
    latex=r"""\begin{aligned}
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t \\
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
u_t &= \frac{m_t / (1-\beta_1^t)}{\sqrt{v_t / (1-\beta_2^t)} + \epsilon} \\
\theta_{t+1} &= \theta_t - \eta_t\, \frac{\lVert\theta_t\rVert}{\lVert u_t\rVert}\; u_t
\end{aligned}""",
    init=two_moments,
    update=lamb_update,
    states=(MOMENTUM_STATE, VELOCITY_STATE),
    elementwise=False,
    on_vectors="Lamb scales its step by the length of the whole weight array, which here is the "
    "point (x, y). Steps are long far from the origin and short near it, and the origin itself "
    "is hard to leave.",
    reference="You et al., Large Batch Optimization for Deep Learning, 2020",
    when="Very large batches: the step of each layer is proportional to the size of its weights.",
)

ADAFACTOR = Optimizer(
    key="adafactor",
    label="Adafactor",
    keras_class="Adafactor",
    learning_rate=0.001,
    params=(
        Param(
            "beta_2_decay",
            -0.8,
            "How fast the averaging window of squared gradients grows during training.",
            symbol="c",
            low=-10.0,
            high=0.0,
            slider=(-2.0, 0.0),
        ),
        Param(
            "epsilon_1",
            1e-30,
            "Added to each squared gradient.",
            symbol=r"\epsilon_1",
            low=0.0,
            slider=(1e-30, 1e-3),
            scale="log",
        ),
        Param(
            "epsilon_2",
            1e-3,
            "A lower bound on the size of the weights, by which each step is scaled.",
            symbol=r"\epsilon_2",
            low=0.0,
            slider=(1e-6, 1.0),
            scale="log",
        ),
        Param(
            "clip_threshold",
            1.0,
            "If the root mean square of a step exceeds this, the step is scaled down to it.",
            symbol="d",
            low=0.0,
            open_low=True,
            slider=(0.01, 10.0),
            scale="log",
        ),
        Param(
            "relative_step",
            True,
            "Cap the learning rate at 1/√t. Keras 3.15 does so in either case.",
            kind="bool",
        ),
    ),
    latex=r"""\begin{aligned}
\hat\beta_t &= 1 - t^{\,c}, \qquad
v_t = \hat\beta_t v_{t-1} + (1-\hat\beta_t)(g_t^2 + \epsilon_1) \\
u_t &= \frac{g_t}{\sqrt{v_t}}, \qquad
\hat u_t = \frac{u_t}{\max(1,\ \operatorname{RMS}(u_t)/d)} \\
\theta_{t+1} &= \theta_t - \max(\epsilon_2,\ \operatorname{RMS}(\theta_t))\,
\min\!\left(\eta_t, \tfrac{1}{\sqrt t}\right) \hat u_t
\end{aligned}""",
    init=adafactor_init,
    update=adafactor_update,
    states=(StateVariable("velocity", "v", "running mean of squared gradients"),),
    elementwise=False,
    on_vectors="For a matrix, Adafactor stores one number per row and per column instead of one "
    "per weight. The point (x, y) is a vector, for which it stores every number, so the path "
    "shows its scaling but not how it saves memory.",
    reference="Shazeer and Stern, Adafactor: Adaptive Learning Rates with Sublinear Memory "
    "Cost, 2018",
    when="Networks that are too large to store Adam's state; its steps are proportional to the "
    "size of the weights.",
)

FAMILY = (LAMB, ADAFACTOR)
