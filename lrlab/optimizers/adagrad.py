"""Adagrad and Adadelta: weights with large past gradients take smaller steps.

Sources: keras/src/optimizers/adagrad.py, adadelta.py.
"""

from __future__ import annotations

from lrlab.arrays import ArrayOps, State, Tensor
from lrlab.optimizers.base import Optimizer, StateVariable
from lrlab.params import Param


def epsilon_param(default: float = 1e-7) -> Param:
    """``epsilon`` of the adaptive optimizers: a small number that prevents division by zero."""
    return Param(
        "epsilon",
        default,
        "A small number in the denominator that prevents division by zero when gradients vanish.",
        symbol=r"\epsilon",
        low=0.0,
        slider=(1e-10, 1.0),
        scale="log",
    )


def adagrad_init(
    xp: ArrayOps, x: Tensor, *, initial_accumulator_value: Tensor, **_: Tensor
) -> State:
    """The accumulator starts at ``initial_accumulator_value``, not at 0."""
    return (x * 0.0 + initial_accumulator_value,)


def adagrad_update(
    xp: ArrayOps,
    x: Tensor,
    g: Tensor,
    state: State,
    lr: Tensor,
    t: int,
    *,
    initial_accumulator_value: Tensor,
    epsilon: Tensor,
) -> tuple[Tensor, State]:
    """``s = s + g**2``, then ``x - lr * g / sqrt(s + epsilon)``. Source: Duchi et al. 2011."""
    (s,) = state
    s = s + g * g
    return x - lr * g / xp.sqrt(s + epsilon), (s,)


def adadelta_init(xp: ArrayOps, x: Tensor, **_: Tensor) -> State:
    """Both running means start at 0."""
    return (x * 0.0, x * 0.0)


def adadelta_update(
    xp: ArrayOps,
    x: Tensor,
    g: Tensor,
    state: State,
    lr: Tensor,
    t: int,
    *,
    rho: Tensor,
    epsilon: Tensor,
) -> tuple[Tensor, State]:
    """Scales the gradient by the ratio of two running root mean squares.

    ``d = -g * sqrt(u + epsilon) / sqrt(s + epsilon)``, then ``x + lr * d``, where ``s`` and ``u``
    are running means of ``g**2`` and of ``d**2`` (before this step). Source: Zeiler 2012.
    """
    s, u = state
    s = rho * s + (1 - rho) * (g * g)
    delta = -(xp.sqrt(u + epsilon) * g / xp.sqrt(s + epsilon))
    u = rho * u + (1 - rho) * (delta * delta)
    return x + lr * delta, (s, u)


ADAGRAD = Optimizer(
    key="adagrad",
    label="Adagrad",
    keras_class="Adagrad",
    learning_rate=0.001,
    params=(
        Param(
            "initial_accumulator_value",
            0.1,
            "The initial sum of squared gradients; a larger value makes the first steps smaller.",
            symbol="s_0",
            low=0.0,
            slider=(0.0, 1.0),
        ),
        epsilon_param(),
    ),
    latex=r"""\begin{aligned}
s_t &= s_{t-1} + g_t^2, \qquad s_0 = \text{initial accumulator value} \\
\theta_{t+1} &= \theta_t - \eta_t\, \frac{g_t}{\sqrt{s_t + \epsilon}}
\end{aligned}""",
    textbook=r"""\begin{aligned}
s_t &= s_{t-1} + g_t^2, \qquad s_0 = 0 \\
\theta_{t+1} &= \theta_t - \eta_t\, \frac{g_t}{\sqrt{s_t} + \epsilon}
\end{aligned}""",
    difference="Keras puts ε inside the root and starts the sum at 0.1, which makes the first "
    "steps smaller.",
    init=adagrad_init,
    update=adagrad_update,
    epsilon_in_root=True,
    only_accumulates=True,
    states=(StateVariable("accumulator", "s", "sum of all squared gradients so far"),),
    reference="Duchi, Hazan and Singer, Adaptive Subgradient Methods, 2011",
    when="Sparse features: rare features get larger steps. The effective learning rate never "
    "grows.",
)

ADADELTA = Optimizer(
    key="adadelta",
    label="Adadelta",
    keras_class="Adadelta",
    learning_rate=0.001,
    params=(
        Param(
            "rho",
            0.95,
            "The decay of the running means: 0.95 averages about the last 20 steps.",
            symbol=r"\rho",
            low=0.0,
            high=1.0,
            slider=(0.0, 0.999),
            scale="memory",
        ),
        epsilon_param(),
    ),
    latex=r"""\begin{aligned}
s_t &= \rho\, s_{t-1} + (1-\rho)\, g_t^2 \\
\Delta_t &= -\frac{\sqrt{u_{t-1} + \epsilon}}{\sqrt{s_t + \epsilon}}\; g_t \\
u_t &= \rho\, u_{t-1} + (1-\rho)\, \Delta_t^2 \\
\theta_{t+1} &= \theta_t + \eta_t\, \Delta_t
\end{aligned}""",
    textbook=r"\theta_{t+1} = \theta_t + \Delta_t",
    difference="The paper has no learning rate (η = 1). Keras multiplies the step by one, 0.001 by "
    "default, so with its default Adadelta is very slow.",
    init=adadelta_init,
    update=adadelta_update,
    epsilon_in_root=True,
    states=(
        StateVariable("accumulated_grad", "s", "running mean of squared gradients"),
        StateVariable("accumulated_delta_var", "u", "running mean of squared steps"),
    ),
    reference="Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012",
    when="If you do not want to tune a learning rate: set it to 1, as in the paper.",
)

FAMILY = (ADAGRAD, ADADELTA)
