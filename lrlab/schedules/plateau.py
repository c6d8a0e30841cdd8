"""The reactive schedule: Keras cuts the learning rate when the validation loss stops improving.

Source: keras/src/callbacks/reduce_lr_on_plateau.py.
"""

from __future__ import annotations

from lrlab.params import Param
from lrlab.schedules.base import LEARNING_RATE, Schedule, rate_param

REDUCE_LR_ON_PLATEAU = Schedule(
    key="reduce_lr_on_plateau",
    label="Reduce on plateau",
    params=(
        rate_param(LEARNING_RATE, 0.001, "The initial learning rate.", r"\eta"),
        Param(
            "factor",
            0.1,
            "The learning rate is multiplied by this when the validation loss stops improving.",
            symbol="q",
            low=0.0,
            high=1.0,
            open_low=True,
            open_high=True,
            slider=(0.05, 0.95),
        ),
        Param(
            "patience",
            10,
            "The number of epochs without improvement before a cut.",
            kind="int",
            symbol="p",
            low=0,
            high=10_000,
            slider=(0, 20),
        ),
        Param(
            "min_delta",
            1e-4,
            "The validation loss must fall by more than this to count as an improvement.",
            symbol=r"\delta",
            low=0.0,
            high=1e6,
            slider=(1e-6, 0.1),
            scale="log",
        ),
        Param(
            "cooldown",
            0,
            "The number of epochs after a cut that do not count towards patience.",
            kind="int",
            low=0,
            high=10_000,
            slider=(0, 20),
        ),
        rate_param("min_lr", 0.0, "The smallest learning rate.", r"\eta_{\min}", zero=True),
    ),
    latex=r"""\begin{gathered}
\eta \leftarrow \max(q\,\eta,\ \eta_{\min}) \quad \text{after } p \text{ epochs} \\
\text{without } L_{val} < L_{best} - \delta
\end{gathered}""",
    rate=None,
    callback="ReduceLROnPlateau",
    reference="Keras's ReduceLROnPlateau; used by hand in Krizhevsky et al., ImageNet "
    "Classification with Deep Convolutional Neural Networks, 2012",
    when="Long runs of unknown length: it cuts the learning rate only when progress has stalled.",
)

FAMILY = (REDUCE_LR_ON_PLATEAU,)
