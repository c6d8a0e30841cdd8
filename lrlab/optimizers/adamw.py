"""AdamW and what grew from it: Muon (AdamW for all but matrices) and schedule-free AdamW.

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
    single,
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
    """What Muon does to a vector: Adam's step at ``adam_lr_ratio`` times the rate.

    Its own rule, for matrices, is not needed on a 2D surface. Source: Jordan et al. 2024.
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
    """The fast point ``z`` starts where the weights are, the mean square at 0."""
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
    """A fast point ``z`` takes the plain steps, the weights are the average of all its places.

    In the paper the weights lie between the two, by ``beta_1``. Keras means to do that too, but
    on TensorFlow it reads ``z`` after it has moved where it wants the one before, and ``beta_1``
    cancels out. Source: Defazio et al. 2024 (keras/src/optimizers/schedule_free_adamw.py).
    """
    z, v = state
    beta_2 = single(beta_2)
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
    when="Adam for networks that need weight decay, such as transformers.",
)


def _coefficient(name: str, default: float, symbol: str) -> Param:
    return Param(
        name,
        default,
        "A coefficient of the polynomial that makes the step's matrix nearly orthogonal.",
        symbol=symbol,
        low=-100.0,
        high=100.0,
        slider=(-10.0, 10.0),
        group=MATRICES,
    )


_MUON_BETAS = tuple(
    replace(param, name=f"adam_{param.name}", slider=param.slider) for param in beta_params()
)

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
            help="Weight decay for vectors, which Muon leaves to AdamW.",
        ),
        epsilon_param(),
        Param(
            "adam_lr_ratio",
            1.0,
            "The share of the learning rate that vectors get.",
            low=0.0,
            high=1000.0,
            slider=(0.01, 10.0),
            scale="log",
        ),
        replace(_DECAY, optional=True, group=MATRICES, help="Weight decay for matrices."),
        Param(
            "momentum",
            0.95,
            "How much of the last step is carried into this one.",
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
            "How many Newton-Schulz iterations make the step's matrix nearly orthogonal.",
            kind="int",
            low=1,
            high=20,
            slider=(1, 10),
            group=MATRICES,
        ),
        Param("nesterov", True, "Look ahead along the momentum.", kind="bool", group=MATRICES),
        Param(
            "rms_rate",
            0.2,
            "Scales a matrix's step to the size that Adam's would have.",
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
    on_vectors="Muon's own rule is for matrices; everything else it leaves to AdamW. The point "
    "(x, y) is a vector, so this path is AdamW's. Train a network to see Muon itself.",
    reference="Jordan et al., Muon: An Optimizer for Hidden Layers in Neural Networks, 2024; "
    "Liu et al., Muon is Scalable for LLM Training, 2025",
    when="The hidden layers of large networks; each of its steps costs more than Adam's.",
)

SCHEDULE_FREE_ADAMW = Optimizer(
    key="schedule_free_adamw",
    label="Schedule-free AdamW",
    keras_class="ScheduleFreeAdamW",
    learning_rate=0.0025,
    params=(
        replace(
            beta_params()[0],
            help="In the paper how far the weights lie from the fast point towards the average; "
            "without effect in Keras 3.15.",
            open_low=True,
            slider=(0.01, 0.999),
        ),
        beta_params()[1],
        epsilon_param(1e-8),
        Param(
            "warmup_steps",
            0,
            "Over so many steps the learning rate climbs from near 0, on top of any schedule.",
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
    difference="In the paper the weights lie between the fast point z and its average. On "
    "TensorFlow, Keras 3.15 mixes in the new z where the old one belongs, β₁ cancels out, and "
    "the weights are the average itself. LR Lab builds the optimizer before training: where Keras "
    "does so while it traces the first step, z starts at 0 and the initial weights are lost.",
    caution="Call optimizer.build(model.trainable_variables) before model.fit: where Keras 3.15 "
    "builds it while tracing the first step, the initial weights are lost.",
    init=schedule_free_init,
    update=schedule_free_update,
    states=(
        StateVariable("momentum", "z", "the fast point, which takes the plain steps"),
        VELOCITY_STATE,
    ),
    reference="Defazio et al., The Road Less Scheduled, 2024",
    when="When the length of the run is not known: averaging takes the place of a decay, so give "
    "it a constant rate.",
)

FAMILY = (ADAMW, MUON, SCHEDULE_FREE_ADAMW)
