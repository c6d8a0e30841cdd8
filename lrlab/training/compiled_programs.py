"""Programs that are compiled once and train any number of runs.

The seed, the learning rate and the schedule's formula are not part of a program, so runs that
differ only in these share one. Each run still starts from scratch: `CompiledProgram.begin` builds
the run's network and optimizer anew after ``keras.utils.set_random_seed`` and copies all their
variables.
"""

from __future__ import annotations

import gc
from collections import OrderedDict

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers.schedules import LearningRateSchedule

from lrlab.datasets.sources import DataSource
from lrlab.datasets.split import Images, load_images, read_images
from lrlab.keras.schedules import keras_learning_rate
from lrlab.recipes.plan import RunPlan
from lrlab.recipes.recipe import Choice
from lrlab.training.block_model import BlockModel, DeviceImages
from lrlab.training.checkpoint_files import Checkpoint
from lrlab.training.compile_mode import CompileMode, block_steps
from lrlab.training.network_model import network_layers

MAX_PROGRAMS = 4
"""The most programs to keep."""


class RateTable(LearningRateSchedule):
    """The learning rates of another schedule, looked up by step.

    Args:
        size: the most steps it can hold.
    """

    def __init__(self, size: int) -> None:
        self._rates = tf.Variable(tf.zeros(size), trainable=False)

    def load(self, schedule: LearningRateSchedule, steps: int, compile_mode: CompileMode) -> None:
        """Stores the learning rates of steps 0, 1, ..., ``steps - 1`` of a schedule.

        The schedule computes them one step at a time and in the given compile mode, as in training.
        """

        @tf.function(autograph=False, jit_compile=compile_mode.jit_compile)
        def rates() -> tf.Tensor:
            every_step = tf.range(steps, dtype=tf.int64)
            return tf.map_fn(schedule, every_step, fn_output_signature=tf.float32)

        self._rates.assign(tf.pad(rates(), [[0, self._rates.shape[0] - steps]]))

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The learning rate used by update ``step``."""
        return tf.gather(self._rates, step)


class CompiledProgram:
    """A network and its optimizer, compiled once.

    Args:
        plan: sets the network, the optimizer's hyperparameters, whether the learning rate is a
            number or a schedule, and the batch size.
        device_images: all images of the data source, on the device.
        images: the same images, with the rows of each split.
        compile_mode: how it is compiled.
    """

    def __init__(
        self,
        plan: RunPlan,
        device_images: DeviceImages,
        images: Images,
        compile_mode: CompileMode,
    ) -> None:
        self._compile_mode = compile_mode
        layers = network_layers(plan.network, images.table)
        block = block_steps(plan)
        self.model = BlockModel(layers, device_images, plan.batch_size, block, compile_mode)
        optimizer = plan.recipe.keras_optimizer()
        table_size = _rate_table_size(plan)
        self._rates = RateTable(table_size) if table_size else None
        if self._rates is not None:
            optimizer.learning_rate = self._rates
        self.model.compile(
            optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        # Built here: building while tracing the first step would make Keras trace twice.
        optimizer.build(self.model.trainable_variables)
        self.model.test_step(images.train_rows[:1])

    @property
    def variables(self) -> list[keras.Variable]:
        """All variables that training changes: those of the network and the optimizer, without the
        lookup table of the standardising first layer."""
        layers = self.model.layers[1:]
        network = [variable for layer in layers for variable in layer.variables]
        return network + self.model.optimizer.variables

    def begin(self, plan: RunPlan, images: Images, start: Checkpoint | None = None) -> None:
        """Sets every variable to its initial value for the plan's seed, or to a checkpoint's value.

        Args:
            plan: one that this program fits; seed, learning rates and training images may differ
                from those of the plan it was built for.
            images: the plan's images.
            start: a checkpoint of the plan.
        """
        keras.utils.set_random_seed(plan.seed)
        network = keras.Sequential(network_layers(plan.network, images.table))
        optimizer = plan.recipe.keras_optimizer()
        optimizer.build(network.trainable_variables)
        for ours, fresh in ((self.model, network), (self.model.optimizer, optimizer)):
            for variable, source in zip(ours.variables, fresh.variables, strict=True):
                variable.assign(source)
        if start is not None:
            for variable, value in zip(self.variables, start.variables, strict=True):
                variable.assign(value)
        if self._rates is not None:
            schedule = keras_learning_rate(plan.recipe)
            self._rates.load(schedule, plan.total_steps, self._compile_mode)


class CompiledPrograms:
    """A cache of the most recently used images and programs."""

    def __init__(self) -> None:
        self._device_images: tuple[DataSource, DeviceImages] | None = None
        self._images: tuple[DataSource, int, Images] | None = None
        self._programs: OrderedDict[tuple[str, Choice, int, int, CompileMode], CompiledProgram] = (
            OrderedDict()
        )

    def load(self, source: DataSource, train_size: int) -> Images:
        """As `load_images`, but reads each file once and keeps the pixels only on the device.

        Args:
            source: the copy of Fashion-MNIST to read.
            train_size: number of training images.

        Raises:
            InvalidInput: ``train_size`` is larger than the source.
        """
        if self._images is None or self._images[:2] != (source, train_size):
            images = load_images(source, train_size, read=self._read)
            self._images = (source, train_size, images)
        return self._images[2]

    def find(self, plan: RunPlan, source: DataSource, compile_mode: CompileMode) -> CompiledProgram:
        """The program for a plan; a new one is not compiled yet.

        Args:
            plan: what the program will train.
            source: the copy of Fashion-MNIST to train on.
            compile_mode: how the program is compiled.
        """
        images, device_images = self.load(source, plan.train_size), self._load_on_device(source)
        table_size = _rate_table_size(plan)
        key = (plan.network, plan.recipe.optimizer, table_size, plan.batch_size, compile_mode)
        program = self._programs.pop(key, None)
        if program is None:
            if len(self._programs) == MAX_PROGRAMS:
                self._programs.popitem(last=False)
                gc.collect()
            program = CompiledProgram(plan, device_images, images, compile_mode)
        self._programs[key] = program
        return program

    def _load_on_device(self, source: DataSource) -> DeviceImages:
        if self._device_images is None or self._device_images[0] != source:
            self._programs.clear()
            device_images = DeviceImages(*(tf.constant(array) for array in read_images(source)))
            self._device_images = (source, device_images)
        return self._device_images[1]

    def _read(self, source: DataSource) -> tuple[np.ndarray, np.ndarray]:
        device_images = self._load_on_device(source)
        # Views of TensorFlow's memory, not copies.
        return np.asarray(device_images.images), np.asarray(device_images.labels)


def _rate_table_size(plan: RunPlan) -> int:
    """The size of the learning-rate table that a plan needs: a power of two, so that few sizes
    occur; 0 if the learning rate is a variable of the optimizer."""
    if isinstance(keras_learning_rate(plan.recipe), LearningRateSchedule):
        return 1 << (plan.total_steps - 1).bit_length()
    return 0
