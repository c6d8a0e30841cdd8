"""Ftrl: follow the regularised leader.

Source: keras/src/optimizers/ftrl.py.
"""

from __future__ import annotations

from lrlab.arrays import ArrayOps, State, Tensor
from lrlab.optimizers.base import Optimizer, StateVariable
from lrlab.params import Param


def init(xp: ArrayOps, x: Tensor, *, initial_accumulator_value: Tensor, **_: Tensor) -> State:
    """The accumulator starts at ``initial_accumulator_value``, the linear term at 0."""
    return (x * 0.0 + initial_accumulator_value, x * 0.0)


def update(
    xp: ArrayOps,
    x: Tensor,
    g: Tensor,
    state: State,
    lr: Tensor,
    t: int,
    *,
    learning_rate_power: Tensor,
    initial_accumulator_value: Tensor,
    l1_regularization_strength: Tensor,
    l2_regularization_strength: Tensor,
    l2_shrinkage_regularization_strength: Tensor,
    beta: Tensor,
) -> tuple[Tensor, State]:
    """Computes the weight from the accumulated ``n`` and ``z``, not from the previous weight.

    ``x = (clip(z, -l1, l1) - z) / (n**p / lr + 2 * l2 + beta / lr)`` with
    ``p = -learning_rate_power``. Source: McMahan et al. 2013.
    """
    n, z = state
    l1 = l1_regularization_strength
    l2 = l2_regularization_strength + beta / (2.0 * lr)
    p = -learning_rate_power
    n_next = n + g * g
    z = (
        z
        + (g + 2 * l2_shrinkage_regularization_strength * x)
        - (xp.power(n_next, p) - xp.power(n, p)) / lr * x
    )
    quadratic = xp.power(n_next, p) / lr + 2 * l2
    return (xp.maximum(xp.minimum(z, l1), -l1) - z) / quadratic, (n_next, z)


def _strength(name: str, symbol: str, help_text: str) -> Param:
    return Param(name, 0.0, help_text, symbol=symbol, low=0.0, slider=(0.0, 1.0))


FTRL = Optimizer(
    key="ftrl",
    label="Ftrl",
    keras_class="Ftrl",
    learning_rate=0.001,
    params=(
        Param(
            "learning_rate_power",
            -0.5,
            "How fast steps shrink as gradients accumulate; 0 keeps the learning rate constant.",
            symbol="-p",
            high=0.0,
            low=-10.0,
            slider=(-1.0, 0.0),
        ),
        Param(
            "initial_accumulator_value",
            0.1,
            "The initial sum of squared gradients; a larger value makes the first steps smaller.",
            symbol="n_0",
            low=0.0,
            slider=(0.0, 1.0),
        ),
        _strength(
            "l1_regularization_strength", r"\lambda_1", "Sets small weights to exactly zero (L1)."
        ),
        _strength("l2_regularization_strength", r"\lambda_2", "Pulls weights towards zero (L2)."),
        _strength(
            "l2_shrinkage_regularization_strength",
            r"\lambda_s",
            "Pulls weights towards zero through the gradient, like an L2 term in the loss.",
        ),
        _strength("beta", r"\beta", "Added to the root of the sum of squared gradients."),
    ),
    latex=r"""\begin{aligned}
\tilde g_t &= g_t + 2\lambda_s\, \theta_t, \qquad n_t = n_{t-1} + g_t^2 \\
z_t &= z_{t-1} + \tilde g_t - \frac{n_t^{\,p} - n_{t-1}^{\,p}}{\eta_t}\, \theta_t \\
\theta_{t+1} &= \frac{\operatorname{clip}(z_t, -\lambda_1, \lambda_1) - z_t}
{(n_t^{\,p} + \beta)/\eta_t + 2\lambda_2}
\end{aligned}""",
    textbook=r"""\sigma_t = \frac{n_t^{\,p}}{\eta_t} - \frac{n_{t-1}^{\,p}}{\eta_{t-1}},
\qquad z_t = z_{t-1} + g_t - \sigma_t\, \theta_t""",
    difference="Keras divides the old n by the new learning rate, so the weight can jump when a "
    "schedule changes the rate. The linear term z starts at 0, so the first step discards the "
    "initial weight.",
    init=init,
    update=update,
    only_accumulates=True,
    states=(
        StateVariable("accumulator", "n", "sum of squared gradients so far"),
        StateVariable("linear", "z", "sum of gradients minus a correction for past weights"),
    ),
    reference="McMahan et al., Ad Click Prediction: a View from the Trenches, 2013",
    when="Very large sparse linear models in which most weights should be exactly zero.",
)

FAMILY = (FTRL,)
