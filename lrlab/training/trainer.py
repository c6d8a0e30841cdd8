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
"""The programs and images cached in this process."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        kind: ``completed``, ``diverged`` (the loss became infinite or NaN: a result, not a
            failure) or ``stopped``.
        text: the same for people, with the step.
        steps: updates done.
        compile_mode: a key of `lrlab.training.compile_mode.COMPILE_MODES`.
        test_loss, test_accuracy: on the test images; None unless the run completed.
    """

    kind: Literal["completed", "diverged", "stopped"]
    text: str
    steps: int
    compile_mode: str
    test_loss: float | None = None
    test_accuracy: float | None = None


def preload_images() -> None:
    """Loads all images before a worker has a run to train. Downloads nothing."""
    source = find_source()
    COMPILED_PROGRAMS.load(source, min(FULL_TRAIN_SIZE, source.largest_train_size))


def train(
    plan: RunPlan,
    sink: Sink,
    source: DataSource | None = None,
    compile_mode: CompileMode | None = None,
    *,
    files: CheckpointFiles | None = None,
    start: Checkpoint | None = None,
) -> Outcome:
    """Trains a plan and reports to a sink.

    To 1e-5, the history equals that of a plain ``model.fit`` of the same network, optimizer and
    data after ``keras.utils.set_random_seed(plan.seed)``, compiled with the compile mode's
    ``jit_compile`` and with the optimizer built before ``fit``: if ``fit`` built it while tracing
    its first step, Keras 3.15's ScheduleFreeAdamW would lose its initial weights. A run that
    resumes from a checkpoint has exactly, bit for bit, the rest of the history of an uninterrupted
    run.

    Args:
        plan: what to train.
        sink: receives the measurements and returns stop requests.
        source: the copy of Fashion-MNIST to use; by default the first sound copy, downloaded if
            necessary.
        compile_mode: by default the one that measured fastest for such a plan.
        files: where to write checkpoints; None disables them.
        start: a checkpoint of the same plan, source and compile mode to resume from.

    Returns:
        How the run ended. The sink has received all measurements made before a divergence or stop.

    Raises:
        InvalidInput: the plan's training set is larger than the source.
    """
    sink.started("preparing")
    source = source or find_source(download=True)
    compile_mode = compile_mode or choose_compile_mode(plan)
    images = COMPILED_PROGRAMS.load(source, plan.train_size)
    program = COMPILED_PROGRAMS.find(plan, source, compile_mode)
    model = program.model
    epochs_done = start.epoch if start else 0
    recorder = Recorder(sink, plan.total_steps, epochs_done * plan.steps_per_epoch)
    snapshots = SnapshotCallback(sink, images, epochs_done)
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
            initial_epoch=epochs_done,
            epochs=plan.epochs,
            validation_data=batched(images.validation_rows, TEST_ROWS),
            callbacks=[recorder, snapshots, *callbacks, checkpointer],
            verbose=0,
        )
        sink.started("testing")
        test_logs = model.evaluate(
            batched(images.test_rows, TEST_ROWS),
            callbacks=[recorder, snapshots],
            verbose=0,
            return_dict=True,
        )
        network_file = keras_file(plan.network, trained_weights(model), images)
        sink.result(RunResult(snapshots.mistakes(), network_file))
    except RunEnded as end:
        if end.kind == "stopped":
            checkpointer.write_pending()
        return Outcome(end.kind, str(end), recorder.steps, compile_mode.key)
    return Outcome(
        "completed",
        f"completed all {plan.total_steps:,} steps",
        recorder.steps,
        compile_mode.key,
        test_logs["loss"],
        test_logs["accuracy"],
    )
