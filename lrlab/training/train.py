"""One training run, from a plan to its outcome. The worker and the command line both call this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import keras

from lrlab.plan import RunPlan
from lrlab.training.data import DataSource, find_source
from lrlab.training.images import load_images, standardisation_table
from lrlab.training.model import build_model
from lrlab.training.recorder import Recorder, RunEnded, Sink

TEST_BATCH_SIZE = 250
"""Images at a time when the finished network is tested; it changes the speed alone."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        kind: ``completed``, ``diverged`` (the loss stopped being finite: a result, not a failure)
            or ``stopped``.
        text: the same for people, with the step.
        steps: updates done.
        test_loss, test_accuracy: on the test images; None unless the run completed.
    """

    kind: Literal["completed", "diverged", "stopped"]
    text: str
    steps: int
    test_loss: float | None = None
    test_accuracy: float | None = None


def train(plan: RunPlan, sink: Sink, source: DataSource | None = None) -> Outcome:
    """Trains a plan, reporting to a sink.

    The history is that of a plain ``model.fit`` of the same network, optimizer and data after
    ``keras.utils.set_random_seed(plan.seed)``, to the last bit. Resets Keras's global state.

    Args:
        plan: what to train.
        sink: where measurements go and where a stop request comes from.
        source: the copy of Fashion-MNIST to use; without one, the first sound copy, downloaded
            if need be.

    Returns:
        How the run ended. Measurements made before a divergence or a stop have reached the sink.

    Raises:
        InvalidInput: the plan's training set is larger than the source.
    """
    sink.started("preparing")
    images = load_images(source or find_source(download=True), plan.train_size)
    keras.backend.clear_session()
    keras.utils.set_random_seed(plan.seed)
    model = build_model(plan.network, standardisation_table(images.train_images))
    model.compile(
        optimizer=plan.recipe.keras_optimizer(),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    recorder = Recorder(sink, plan.total_steps)
    try:
        recorder.check_stop()
        sink.started("training")
        model.fit(
            images.train_images,
            images.train_labels,
            batch_size=plan.batch_size,
            epochs=plan.epochs,
            validation_data=(images.validation_images, images.validation_labels),
            callbacks=[recorder, *plan.recipe.keras_callbacks()],
            verbose=0,
        )
        sink.started("testing")
        test_loss, test_accuracy = model.evaluate(
            images.test_images,
            images.test_labels,
            batch_size=TEST_BATCH_SIZE,
            callbacks=[recorder],
            verbose=0,
        )
    except RunEnded as end:
        return Outcome(end.kind, str(end), recorder.steps)
    text = f"completed all {plan.total_steps:,} steps"
    return Outcome("completed", text, recorder.steps, test_loss, test_accuracy)
