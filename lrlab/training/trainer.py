"""One training run, from a plan to its outcome. The worker and the command line both call this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lrlab.datasets.sources import DataSource, find_source
from lrlab.recipes.plan import FULL_TRAIN_SIZE, RunPlan
from lrlab.training.block_model import TEST_ROWS
from lrlab.training.checkpoint_files import Checkpoint, CheckpointFiles
from lrlab.training.checkpointer import Checkpointer
from lrlab.training.compile_mode import CompileMode, choose_compile_mode
from lrlab.training.compiled_programs import CompiledPrograms
from lrlab.training.epoch_snapshots import SnapshotCallback
from lrlab.training.input_pipeline import batched, shuffled_as_keras
from lrlab.training.keras_file import keras_file, trained_weights
from lrlab.training.measurements import RunResult
from lrlab.training.memory import release_freed_memory
from lrlab.training.recorder import Recorder, RunEnded, Sink

COMPILED_PROGRAMS = CompiledPrograms()
"""What this process has compiled."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        kind: ``completed``, ``diverged`` (the loss stopped being finite: a result, not a failure)
            or ``stopped``.
        text: the same for people, with the step.
        steps: updates done.
        way: how it was trained, a key of `lrlab.training.compile_mode.COMPILE_MODES`.
        test_loss, test_accuracy: on the test images; None unless the run completed.
    """

    kind: Literal["completed", "diverged", "stopped"]
    text: str
    steps: int
    way: str
    test_loss: float | None = None
    test_accuracy: float | None = None


def preload_images() -> None:
    """Reads what a run on all images needs; for a worker that has nothing to train yet.

    Downloads nothing.
    """
    source = find_source()
    COMPILED_PROGRAMS.load(source, min(FULL_TRAIN_SIZE, source.largest_train_size))


def train(
    plan: RunPlan,
    sink: Sink,
    source: DataSource | None = None,
    way: CompileMode | None = None,
    *,
    files: CheckpointFiles | None = None,
    start: Checkpoint | None = None,
) -> Outcome:
    """Trains a plan, reporting to a sink.

    The history is, to 1e-5, that of a plain ``model.fit`` of the same network, optimizer and data
    after ``keras.utils.set_random_seed(plan.seed)``, compiled with the way's ``jit_compile``. The
    optimizer is built before: while ``fit`` traces its first step, Keras 3.15's ScheduleFreeAdamW
    would lose the weights it starts from. A run that goes on from a checkpoint has, bit for bit,
    the rest of the history of one that was never cut off.

    Args:
        plan: what to train.
        sink: where measurements go and where a stop request comes from.
        source: the copy of Fashion-MNIST to use; without one, the first sound copy, downloaded
            if need be.
        way: how to train; without one, the fastest that was measured for such a plan.
        files: where to write checkpoints; without it none are written.
        start: a checkpoint of the same plan, source and way, to go on from.

    Returns:
        How the run ended. Measurements made before a divergence or a stop have reached the sink.

    Raises:
        InvalidInput: the plan's training set is larger than the source.
    """
    sink.started("preparing")
    source = source or find_source(download=True)
    way = way or choose_compile_mode(plan)
    images = COMPILED_PROGRAMS.load(source, plan.train_size)
    program = COMPILED_PROGRAMS.find(plan, source, way)
    model = program.model
    done = start.epoch if start else 0
    recorder = Recorder(sink, plan.total_steps, done * plan.steps_per_epoch)
    observer = SnapshotCallback(sink, images, done)
    callbacks = plan.recipe.keras_callbacks()
    checkpointer = Checkpointer(files, program.variables, callbacks, start)
    try:
        recorder.report()
        if not model.is_ready_for(plan.train_size):
            sink.started("compiling")
            model.prepare(plan.train_size, len(images.validation_rows))
            release_freed_memory()
        program.begin(plan, images, start)
        sink.started("training")
        model.fit(
            batched(shuffled_as_keras(images.train_rows), model.block_rows),
            shuffle=False,
            initial_epoch=done,
            epochs=plan.epochs,
            validation_data=batched(images.validation_rows, TEST_ROWS),
            callbacks=[recorder, observer, *callbacks, checkpointer],
            verbose=0,
        )
        sink.started("testing")
        tested = model.evaluate(
            batched(images.test_rows, TEST_ROWS),
            callbacks=[recorder, observer],
            verbose=0,
            return_dict=True,
        )
        file = keras_file(plan.network, trained_weights(model), images)
        sink.result(RunResult(observer.mistakes(), file))
    except RunEnded as end:
        if end.kind == "stopped":
            checkpointer.write_waiting()
        return Outcome(end.kind, str(end), recorder.steps, way.key)
    text = f"completed all {plan.total_steps:,} steps"
    return Outcome("completed", text, recorder.steps, way.key, tested["loss"], tested["accuracy"])
