"""Programs that are compiled once and train any number of runs.

Neither the seed nor the learning rate nor the formula of a schedule is part of a program, so runs
that differ in these alone share one. Each run starts from scratch all the same: `Program.begin`
builds its network and optimizer anew after ``keras.utils.set_random_seed``, and copies every one
of their variables.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrlab.datasets.sources import DataSource
from lrlab.datasets.split import Images, load_images, read_images
from lrlab.keras.schedules import keras_learning_rate
from lrlab.recipes.plan import RunPlan
from lrlab.training.block_model import BlockModel, DeviceImages
from lrlab.training.checkpoint_files import Checkpoint
from lrlab.training.compile_mode import CompileMode, block_steps
from lrlab.training.network_model import network_layers

Schedule = keras.optimizers.schedules.LearningRateSchedule

MAX_PROGRAMS = 4
"""Programs kept."""


class RateTable(Schedule):
    """The learning rates of another schedule, looked up by step.

    Args:
        size: the number of steps it has room for.
    """

    def __init__(self, size: int) -> None:
        self._rates = tf.Variable(tf.zeros(size), trainable=False)

    def load(self, schedule: Schedule, steps: int, way: CompileMode) -> None:
        """Takes the rates of steps 0, 1, ..., ``steps - 1`` from a schedule.

        The schedule computes them one by one, as in training, and compiled as there.
        """

        @tf.function(autograph=False, jit_compile=way.jit_compile)
        def rates() -> tf.Tensor:
            every = tf.range(steps, dtype=tf.int64)
            return tf.map_fn(schedule, every, fn_output_signature=tf.float32)

        self._rates.assign(tf.pad(rates(), [[0, self._rates.shape[0] - steps]]))

    def __call__(self, step: Any) -> tf.Tensor:
        """The learning rate used by update ``step``."""
        return tf.gather(self._rates, step)


class CompiledProgram:
    """A network with its optimizer, compiled once.

    Args:
        plan: decides the network, the optimizer's hyperparameters, the kind of learning rate and
            the batch size.
        pictures: what it trains on.
        images: the same, with the rows of each part.
        way: how it is compiled.
    """

    def __init__(
        self, plan: RunPlan, pictures: DeviceImages, images: Images, way: CompileMode
    ) -> None:
        self._way = way
        layers = network_layers(plan.network, images.table)
        self.model = BlockModel(layers, pictures, plan.batch_size, block_steps(plan), way)
        optimizer = plan.recipe.keras_optimizer()
        room = _room_for_rates(plan)
        self._rates = RateTable(room) if room else None
        if self._rates is not None:
            optimizer.learning_rate = self._rates
        self.model.compile(
            optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        # What Keras would build while it traces a first step costs a second trace there.
        optimizer.build(self.model.trainable_variables)
        self.model.test_step(images.train_rows[:1])

    @property
    def variables(self) -> list[keras.Variable]:
        """What a training changes: all variables of the network and the optimizer, but for the
        table of the standardising first layer."""
        layers = self.model.layers[1:]
        network = [variable for layer in layers for variable in layer.variables]
        return network + self.model.optimizer.variables

    def begin(self, plan: RunPlan, images: Images, start: Checkpoint | None = None) -> None:
        """Puts every variable where a new network and optimizer have it after the plan's seed,
        or where a checkpoint has it.

        Args:
            plan: one that the program was made for, but for seed, rates and training images.
            images: those of the plan.
            start: a checkpoint of the plan.
        """
        keras.utils.set_random_seed(plan.seed)
        network = keras.Sequential(network_layers(plan.network, images.table))
        optimizer = plan.recipe.keras_optimizer()
        optimizer.build(network.trainable_variables)
        for ours, new in ((self.model, network), (self.model.optimizer, optimizer)):
            for variable, source in zip(ours.variables, new.variables, strict=True):
                variable.assign(source)
        if start is not None:
            for variable, value in zip(self.variables, start.variables, strict=True):
                variable.assign(value)
        if self._rates is not None:
            self._rates.load(keras_learning_rate(plan.recipe), plan.total_steps, self._way)


class CompiledPrograms:
    """The images and the programs that were used last."""

    def __init__(self) -> None:
        self._pictures: tuple[DataSource, DeviceImages] | None = None
        self._images: tuple[DataSource, int, Images] | None = None
        self._kept: OrderedDict[Hashable, CompiledProgram] = OrderedDict()

    def load(self, source: DataSource, train_size: int) -> Images:
        """As `load_images`, but reads nothing twice, and keeps the images on the device alone.

        Args:
            source: the copy to read.
            train_size: images to train on.

        Raises:
            InvalidInput: ``train_size`` is more than the source holds.
        """
        if self._images is None or self._images[:2] != (source, train_size):
            images = load_images(source, train_size, read=self._read)
            self._images = (source, train_size, images)
        return self._images[2]

    def find(self, plan: RunPlan, source: DataSource, way: CompileMode) -> CompiledProgram:
        """The program for a plan; a new one is yet to be compiled.

        Args:
            plan: what it is to train.
            source: the copy it is to train on.
            way: how it is to be compiled.
        """
        images, pictures = self.load(source, plan.train_size), self._on_device(source)
        key = (plan.network, plan.recipe.optimizer, _room_for_rates(plan), plan.batch_size, way)
        program = self._kept.pop(key, None)
        if program is None:
            if len(self._kept) == MAX_PROGRAMS:
                self._kept.popitem(last=False)
                gc.collect()
            program = CompiledProgram(plan, pictures, images, way)
        self._kept[key] = program
        return program

    def _on_device(self, source: DataSource) -> DeviceImages:
        if self._pictures is None or self._pictures[0] != source:
            self._kept.clear()
            pictures = DeviceImages(*(tf.constant(part) for part in read_images(source)))
            self._pictures = (source, pictures)
        return self._pictures[1]

    def _read(self, source: DataSource) -> tuple[np.ndarray, np.ndarray]:
        pictures = self._on_device(source)
        # These are views: the memory is TensorFlow's.
        return np.asarray(pictures.images), np.asarray(pictures.labels)


def _room_for_rates(plan: RunPlan) -> int:
    """The size of the table of rates that a plan needs: a power of two, so that few sizes occur;
    0 where the rate is the optimizer's variable."""
    if isinstance(keras_learning_rate(plan.recipe), Schedule):
        return 1 << (plan.total_steps - 1).bit_length()
    return 0
