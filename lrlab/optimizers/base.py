"""The description of an optimizer: its parameters, texts and two pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lrlab.arrays import ArrayOps, State, Tensor
from lrlab.params import Param, Value

SHARED_GROUP = "Weight decay and gradient clipping"
"""The heading of the parameters that all optimizers have in common."""

MATRICES = "For weight matrices only"
"""The heading of the parameters that have no effect on a vector."""

WEIGHT_DECAY = Param(
    "weight_decay",
    None,
    "Before each step, multiply every weight by 1 - (this value × the learning rate).",
    symbol=r"\lambda",
    low=0.0,
    high=10.0,
    slider=(1e-5, 1.0),
    scale="log",
    optional=True,
    group=SHARED_GROUP,
)

SHARED_PARAMS = (
    WEIGHT_DECAY,
    Param(
        "clipnorm",
        None,
        "Scale down the gradient of each weight array so that its length is at most this.",
        symbol="c_n",
        low=0.0,
        open_low=True,
        slider=(1e-3, 100.0),
        scale="log",
        optional=True,
        group=SHARED_GROUP,
    ),
    Param(
        "clipvalue",
        None,
        "Limit each gradient component to at most this absolute value.",
        symbol="c_v",
        low=0.0,
        open_low=True,
        slider=(1e-3, 100.0),
        scale="log",
        optional=True,
        group=SHARED_GROUP,
    ),
)
"""The arguments of every Keras optimizer that change a single step
(keras/src/optimizers/base_optimizer.py). Gradient accumulation is left out, because a
trajectory has no batches, and so is ``global_clipnorm``, which on a surface equals ``clipnorm``; in
a network the two differ."""

SHARED_NAMES = tuple(param.name for param in SHARED_PARAMS)


@dataclass(frozen=True)
class StateVariable:
    """A quantity that an optimizer keeps for each weight.

    Args:
        name: Keras's name of the variable.
        symbol: the LaTeX symbol used in the formula.
        help: a few words on what it holds.
        direction: 1 if it points in the direction in which the weight moves, -1 if it points the
            opposite way, like a gradient, 0 if it is not a direction.
    """

    name: str
    symbol: str
    help: str
    direction: Literal[-1, 0, 1] = 0


@dataclass(frozen=True)
class Optimizer:
    """A Keras optimizer described as data, with its update rule.

    ``init(xp, x, **hyper)`` returns the state before the first step, one array per state variable.
    ``update(xp, x, g, state, lr, t, **hyper)`` returns the next ``(x, state)``. ``x``, ``g`` and
    each state array have shape ``(..., 2)``; an elementwise rule also takes single floats. ``lr``
    is the learning rate of this step, ``t`` counts steps from 1, and ``hyper`` holds the
    optimizer's own parameters, which broadcast against ``x``.

    Args:
        key: Keras's name in snake case.
        label: the display name.
        keras_class: the class in ``keras.optimizers``.
        learning_rate: Keras's default learning rate.
        params: the optimizer's own parameters, without `SHARED_PARAMS`.
        latex: the rule as Keras applies it.
        init, update: see above.
        states: the state variables, in the order in which ``init`` returns them.
        fixed: Keras arguments with a fixed value in this entry (Momentum and Nesterov are SGD).
        textbook: the textbook's rule in LaTeX, if it differs from Keras's.
        difference: how the two rules differ; empty if they do not.
        caution: a warning for users of the Keras optimizer, written into generated code.
        elementwise: the update of each weight depends only on that weight's own gradient.
        epsilon_in_root: epsilon is added under the square root, not to the root.
        only_accumulates: the squared gradients in the denominator are summed and never decay, so
            the effective learning rate can only fall.
        plain_at_zero: the parameter that makes the rule plain gradient descent when it is 0.
        slow_steps: a training step takes about ten times as long as with other optimizers.
        on_vectors: what the rule does on a 2-vector and why, if it depends on the array's shape.
        decay_param: the weight decay that applies to vectors: ``weight_decay``, but Muon's
            ``adam_weight_decay``.
        reference: paper and year.
        when: a sentence on when to use it.
    """

    key: str
    label: str
    keras_class: str
    learning_rate: float
    params: tuple[Param, ...]
    latex: str
    init: Callable[..., State]
    update: Callable[..., tuple[Tensor, State]]
    states: tuple[StateVariable, ...]
    reference: str
    when: str
    fixed: Mapping[str, Value] = field(default_factory=dict)
    textbook: str = ""
    difference: str = ""
    caution: str = ""
    elementwise: bool = True
    epsilon_in_root: bool = False
    only_accumulates: bool = False
    plain_at_zero: str = ""
    slow_steps: bool = False
    on_vectors: str = ""
    decay_param: str = "weight_decay"

    @property
    def all_params(self) -> tuple[Param, ...]:
        """The optimizer's own parameters, then those every Keras optimizer takes."""
        own = {param.name for param in self.params}
        return self.params + tuple(param for param in SHARED_PARAMS if param.name not in own)


def clip_gradient(
    xp: ArrayOps, g: Tensor, clipnorm: float | None, clipvalue: float | None, norm: Tensor
) -> Tensor:
    """Clips a gradient as Keras does: by the variable's norm, or else by value.

    Args:
        xp: `numpy` or `lrlab.descent.float_ops`.
        g: the gradient, shape ``(..., 2)``, or one of its two components.
        clipnorm: the largest norm of the gradient, or ``None``.
        clipvalue: the largest absolute value of a component, or ``None``.
        norm: the norm of the whole gradient, broadcastable to ``g``; used only with ``clipnorm``.
    """
    if clipnorm is not None:
        return g * clipnorm / xp.maximum(norm, clipnorm)
    if clipvalue is not None:
        return xp.maximum(xp.minimum(g, clipvalue), -clipvalue)
    return g


def decay_weights(x: Tensor, lr: Tensor, weight_decay: float | None) -> Tensor:
    """Applies decoupled weight decay, before the step: ``x - x * weight_decay * lr``."""
    return x if weight_decay is None else x - x * weight_decay * lr


def step(
    optimizer: Optimizer,
    xp: ArrayOps,
    x: Tensor,
    g: Tensor,
    state: State,
    lr: Tensor,
    t: int,
    hyper: Mapping[str, Tensor],
    shared: Mapping[str, Tensor],
    norm: Tensor = None,
) -> tuple[Tensor, State]:
    """One optimizer step in Keras's order: clip the gradient, decay the weights, apply the rule.

    Args:
        optimizer: the optimizer whose rule is applied.
        xp: `numpy` for arrays of shape ``(..., 2)``, `lrlab.descent.float_ops` for one coordinate.
        x, g, state: the point, its gradient and the optimizer's state.
        lr: the learning rate of this step.
        t: the number of the step, counted from 1.
        hyper: the optimizer's own parameters.
        shared: ``weight_decay``, ``clipnorm`` and ``clipvalue``.
        norm: the norm of the gradient, broadcastable to ``g``; used only with ``clipnorm``.

    Returns:
        The next point and the next state.

    Source: ``apply`` in keras/src/optimizers/base_optimizer.py.
    """
    g = clip_gradient(xp, g, shared["clipnorm"], shared["clipvalue"], norm)
    x = decay_weights(x, lr, shared["weight_decay"])
    return optimizer.update(xp, x, g, state, lr, t, **hyper)
