"""AdamW and two optimizers based on it: Muon (AdamW except for matrices) and schedule-free AdamW.

Sources: keras/src/optimizers/adamw.py, muon.py, schedule_free_adamw.py.
"""

from __future__ import annotations

from dataclasses import replace

from lrlab.arrays import ArrayOps, State, Tensor
from lrlab.optimizers.adagrad import epsilon_param
from lrlab.optimizers.adam import (
    ADAM,
    ADAM_DIFFERENCE,
    ADAM_TEXTBOOK,
    MOMENTUM_STATE,
    VELOCITY_STATE,
    adam_update,
    beta_params,
    power32,
    round_to_float32,
    two_moments,
)
from lrlab.optimizers.base import MATRICES, WEIGHT_DECAY, Optimizer, StateVariable
from lrlab.params import Param

_DECAY = replace(WEIGHT_DECAY, default=0.004, optional=False, group="")


def muon_update(
    xp: ArrayOps,
    x: Tensor,
    g: Tensor,
    state: State,
    lr: Tensor,
    t: int,
    *,
    adam_beta_1: Tensor,
    adam_beta_2: Tensor,
    epsilon: Tensor,
    adam_lr_ratio: Tensor,
    **_: Tensor,
) -> tuple[Tensor, State]:
    """Muon's step for a vector: Adam's step at ``adam_lr_ratio`` times the learning rate.

    Muon's rule for matrices is not needed on a 2D surface. Source: Jordan et al. 2024.
    """
    m, v = state
    x, (m, v, _unused) = adam_update(
        xp,
        x,
        g,
        (m, v, v),
        lr * adam_lr_ratio,
        t,
        beta_1=adam_beta_1,
        beta_2=adam_beta_2,
        epsilon=epsilon,
        amsgrad=False,
    )
    return x, (m, v)


def schedule_free_init(xp: ArrayOps, x: Tensor, **_: Tensor) -> State:
    """The fast point ``z`` starts at the weights, the mean square at 0."""
    return (x * 1.0, x * 0.0)


def schedule_free_update(
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
    warmup_steps: Tensor,
) -> tuple[Tensor, State]:
    """A fast point ``z`` takes the steps; the weights are the average of all its positions.

    In the paper, ``beta_1`` interpolates the weights between the fast point and the average. On
    TensorFlow, Keras reads the new ``z`` where its formula needs the previous one, and ``beta_1``
    cancels out. Source: Defazio et al. 2024 (keras/src/optimizers/schedule_free_adamw.py).
    """
    z, v = state
    beta_2 = round_to_float32(beta_2)
    lr = lr * min(t / warmup_steps, 1.0) if warmup_steps > 0 else lr
    v = v + (g * g - v) * (1 - beta_2)
    z = z - lr * g / (xp.sqrt(v / (1 - power32(beta_2, t))) + epsilon)
    return (1 - 1 / t) * x + 1 / t * z, (z, v)


ADAMW = Optimizer(
    key="adamw",
    label="AdamW",
    keras_class="AdamW",
    learning_rate=0.001,
    params=(*ADAM.params, _DECAY),
    latex=r"""\begin{aligned}
\theta'_t &= \theta_t - \eta_t \lambda\, \theta_t \\
m_t &= \beta_1 m_{t-1} + (1-\beta_1)\, g_t, \qquad v_t = \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
\theta_{t+1} &= \theta'_t - \eta_t\, \frac{\sqrt{1-\beta_2^t}}{1-\beta_1^t}\;
\frac{m_t}{\sqrt{v_t} + \epsilon}
\end{aligned}""",
    textbook=ADAM_TEXTBOOK,
    difference=ADAM_DIFFERENCE,
    init=ADAM.init,
    update=ADAM.update,
    states=ADAM.states,
    reference="Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019",
    when="Adam with decoupled weight decay, for networks that need it, such as transformers.",
)


def _coefficient(name: str, default: float, symbol: str) -> Param:
    return Param(
        name,
        default,
        "A coefficient of the polynomial that makes the update matrix nearly orthogonal.",
        symbol=symbol,
        low=-100.0,
        high=100.0,
        slider=(-10.0, 10.0),
        group=MATRICES,
    )


_MUON_BETAS = tuple(replace(param, name=f"adam_{param.name}") for param in beta_params())

MUON = Optimizer(
    key="muon",
    label="Muon",
    keras_class="Muon",
    learning_rate=0.001,
    params=(
        *_MUON_BETAS,
        replace(
            _DECAY,
            name="adam_weight_decay",
            optional=True,
            help="Weight decay for vectors, which Muon updates with AdamW.",
        ),
        epsilon_param(),
        Param(
            "adam_lr_ratio",
            1.0,
            "The learning rate for vectors is the learning rate times this.",
            low=0.0,
            high=1000.0,
            slider=(0.01, 10.0),
            scale="log",
        ),
        replace(_DECAY, optional=True, group=MATRICES, help="Weight decay for matrices."),
        Param(
            "momentum",
            0.95,
            "The share of the previous step that is added to this one.",
            symbol=r"\beta",
            low=0.0,
            high=1.0,
            slider=(0.0, 0.999),
            scale="memory",
            group=MATRICES,
        ),
        Param(
            "ns_steps",
            5,
            "The number of Newton-Schulz iterations that make the update matrix nearly orthogonal.",
            kind="int",
            low=1,
            high=20,
            slider=(1, 10),
            group=MATRICES,
        ),
        Param("nesterov", True, "Use Nesterov momentum.", kind="bool", group=MATRICES),
        Param(
            "rms_rate",
            0.2,
            "Scales a matrix's step to about the size of Adam's step.",
            low=0.0,
            high=100.0,
            slider=(0.01, 1.0),
            scale="log",
            optional=True,
            group=MATRICES,
        ),
        _coefficient("muon_a", 3.4445, "a"),
        _coefficient("muon_b", -4.7750, "b"),
        _coefficient("muon_c", 2.0315, "c"),
    ),
    decay_param="adam_weight_decay",
    latex=r"""\begin{aligned}
M_t &= \beta M_{t-1} + G_t, \qquad U_t = \operatorname{orthogonal}(G_t + \beta M_t) \\
\Theta_{t+1} &= \Theta_t - \eta_t\, 0.2\,\sqrt{\max(n, m)}\; U_t
\qquad \text{for an } n \times m \text{ matrix} \\
\theta_{t+1} &= \text{AdamW's step} \qquad \text{for everything else}
\end{aligned}""",
    slow_steps=True,
    init=two_moments,
    update=muon_update,
    states=(MOMENTUM_STATE, VELOCITY_STATE),
    on_vectors="Muon's own rule applies to matrices only; it updates everything else with AdamW. "
    "The point (x, y) is a vector, so this path is AdamW's. Train a network to see Muon itself.",
    reference="Jordan et al., Muon: An Optimizer for Hidden Layers in Neural Networks, 2024; "
    "Liu et al., Muon is Scalable for LLM Training, 2025",
    when="The hidden layers of large networks; each step costs more than one of Adam's.",
)

SCHEDULE_FREE_ADAMW = Optimizer(
    key="schedule_free_adamw",
    label="Schedule-free AdamW",
    keras_class="ScheduleFreeAdamW",
    learning_rate=0.0025,
    params=(
        replace(
            beta_params()[0],
            help="In the paper, the share of the average in the weights; the fast point has the "
            "rest. No effect in Keras 3.15.",
            open_low=True,
            slider=(0.01, 0.999),
        ),
        beta_params()[1],
        epsilon_param(1e-8),
        Param(
            "warmup_steps",
            0,
            "The number of steps in which the learning rate rises from near 0, on top of any "
            "schedule.",
            kind="int",
            symbol="w",
            low=0,
            high=10_000_000,
            slider=(1, 10_000),
            scale="log",
        ),
    ),
    latex=r"""\begin{aligned}
v_t &= \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2 \\
z_t &= z_{t-1} - \eta_t\, \frac{g_t}{\sqrt{v_t/(1-\beta_2^t)} + \epsilon} \\
\theta_{t+1} &= \left(1 - \tfrac1t\right) \theta_t + \tfrac1t\, z_t
\end{aligned}""",
    textbook=r"""\begin{aligned}
\bar x_t &= \left(1 - \tfrac1t\right) \bar x_{t-1} + \tfrac1t\, z_t \\
\theta_{t+1} &= (1-\beta_1)\, z_t + \beta_1\, \bar x_t
\end{aligned}""",
    difference="In the paper, the weights lie between the fast point z and its average. On "
    "TensorFlow, Keras 3.15 uses the new z where it needs the previous one, so β₁ cancels out "
    "and the weights are the average itself. LR Lab builds the optimizer before training. "
    "Otherwise Keras builds it while tracing the first step, z starts at 0, and the initial "
    "weights are lost.",
    caution="Call optimizer.build(model.trainable_variables) before model.fit. Otherwise Keras "
    "3.15 builds the optimizer while tracing the first step, and the initial weights are lost.",
    init=schedule_free_init,
    update=schedule_free_update,
    states=(
        StateVariable("momentum", "z", "the fast point, which takes the steps"),
        VELOCITY_STATE,
    ),
    reference="Defazio et al., The Road Less Scheduled, 2024",
    when="Runs of unknown length: averaging replaces a learning-rate decay, so use a constant "
    "learning rate.",
)

FAMILY = (ADAMW, MUON, SCHEDULE_FREE_ADAMW)
