"""What an optimizer is to LR Lab: a description and a pair of pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lrlab.arrays import ArrayOps, State, Tensor
from lrlab.params import Param, Value

SHARED = "Weight decay and gradient clipping"
"""The heading of the parameters that all optimizers share."""

MATRICES = "For weight matrices only"
"""The heading of the parameters that have no effect on a vector."""

WEIGHT_DECAY = Param(
    "weight_decay",
    None,
    "Pull every weight towards zero by this share of the learning rate, before each step.",
    symbol=r"\lambda",
    low=0.0,
    high=10.0,
    slider=(1e-5, 1.0),
    scale="log",
    optional=True,
    group=SHARED,
)

SHARED_PARAMS = (
    WEIGHT_DECAY,
    Param(
        "clipnorm",
        None,
        "Shorten the gradient of each weight matrix to at most this length.",
        symbol="c_n",
        low=0.0,
        open_low=True,
        slider=(1e-3, 100.0),
        scale="log",
        optional=True,
        group=SHARED,
    ),
    Param(
        "clipvalue",
        None,
        "Cut each gradient component to at most this size.",
        symbol="c_v",
        low=0.0,
        open_low=True,
        slider=(1e-3, 100.0),
        scale="log",
        optional=True,
        group=SHARED,
    ),
)
"""Arguments that every Keras optimizer takes and that change the step
(keras/src/optimizers/base_optimizer.py)."""

SHARED_NAMES = tuple(param.name for param in SHARED_PARAMS)


@dataclass(frozen=True)
class StateVariable:
    """One thing an optimizer remembers for each weight, named as Keras names the variable.

    Args:
        name: Keras's name of the variable.
        symbol: the LaTeX symbol used in the formula.
        help: what it holds, in a few words.
        direction: 1 if it points the way the weight moves, -1 if it points the opposite way, as a
            gradient does, and 0 if it is not a direction.
    """

    name: str
    symbol: str
    help: str
    direction: Literal[-1, 0, 1] = 0


@dataclass(frozen=True)
class Optimizer:
    """A Keras optimizer described as data, with its update rule.

    ``init(xp, x, **hyper)`` gives the state before the first step, one array a state variable.
    ``update(xp, x, g, state, lr, t, **hyper)`` gives the next ``(x, state)``; ``x``, ``g`` and
    each state array have shape ``(..., 2)`` (or are single floats, for an elementwise rule),
    ``lr`` is the learning rate of this step, ``t`` counts from 1, and ``hyper`` holds the
    optimizer's own parameters, which broadcast against ``x``.

    Args:
        key: Keras's name in snake case.
        label: the name people use.
        keras_class: the class in ``keras.optimizers``.
        learning_rate: Keras's default learning rate.
        params: the optimizer's own parameters (`SHARED_PARAMS` come on top).
        latex: the rule that Keras really applies.
        init, update: see above.
        states: what is remembered between steps, in the order of ``init``.
        fixed: Keras arguments this entry sets for good (Momentum and Nesterov are SGD).
        textbook: the textbook's form, where it differs, and ``difference`` says how.
        caution: what whoever trains with it in Keras must see to, for a comment in code.
        elementwise: each weight moves by its own gradient alone.
        epsilon_in_root: epsilon is added to the squares, under the root, not to the root.
        only_accumulates: the squares under the fraction are summed and never forgotten, so the
            effective learning rate can only fall.
        plain_at_zero: the parameter at whose value 0 the rule is plain gradient descent.
        slow_steps: in training a step takes some ten times as long as with other optimizers.
        unfused_because: why training without XLA is faster; empty where it is not.
        on_vectors: what the rule does on a 2-vector and why, where it depends on the shape.
        decay_param: the parameter that is the weight decay of a vector.
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
    unfused_because: str = ""
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
    """The gradient as Keras clips it: by the variable's norm, else by value.

    Args:
        xp: `numpy` or `lrlab.descent.float_ops`.
        g: the gradient, shape ``(..., 2)``, or one of its two components.
        clipnorm: longest gradient allowed, or ``None``.
        clipvalue: largest component allowed, or ``None``.
        norm: the length of the whole gradient, broadcastable to ``g``; read with ``clipnorm``.
    """
    if clipnorm is not None:
        return g * clipnorm / xp.maximum(norm, clipnorm)
    if clipvalue is not None:
        return xp.maximum(xp.minimum(g, clipvalue), -clipvalue)
    return g


def decay_weights(x: Tensor, lr: Tensor, weight_decay: float | None) -> Tensor:
    """Decoupled weight decay, applied before the step: ``x - x * weight_decay * lr``."""
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
    """One optimizer step as Keras takes it: clip, decay the weights, apply the rule.

    Args:
        optimizer: whose rule is applied.
        xp: `numpy` for arrays of shape ``(..., 2)``, `lrlab.descent.float_ops` for one coordinate.
        x, g, state: the point, the gradient there, and the optimizer's state.
        lr: the learning rate of this step.
        t: the step's number, counted from 1.
        hyper: the rule's own parameters.
        shared: ``weight_decay``, ``clipnorm`` and ``clipvalue``.
        norm: the gradient's length, broadcastable to ``g``; read only with ``clipnorm``.

    Returns:
        The next point and the next state.

    Source: ``apply`` in keras/src/optimizers/base_optimizer.py.
    """
    g = clip_gradient(xp, g, shared["clipnorm"], shared["clipvalue"], norm)
    x = decay_weights(x, lr, shared["weight_decay"])
    return optimizer.update(xp, x, g, state, lr, t, **hyper)
