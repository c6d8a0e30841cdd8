"""A run as a standalone Keras script or notebook that reproduces the run's history.

The code contains the run's data split and scaling, seed, network, optimizer, schedule, callbacks
and ``jit_compile``, and imports nothing from LR Lab. `tests/test_export_script.py` runs it.
"""

from __future__ import annotations

import inspect
import json
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from lrlab.keras.code import call_code, indented, keras_parts, value_code
from lrlab.recipes.networks import NETWORKS
from lrlab.recipes.plan import RunPlan

STANDARD_MODULES = ("gzip", "json", "math", "os")
"""The standard-library modules that every script imports."""

MAX_LAYER_LENGTH = 88
"""Maximum characters of a layer written on one line."""

SCRIPT_OPTIONS = """\
options = argparse.ArgumentParser()
options.add_argument("--data", help="a folder with Fashion-MNIST's four .gz files")
options.add_argument("--history", help="a JSON file to write the history to")
options = options.parse_args()
DATA_FOLDER, HISTORY_FILE = options.data, options.history
"""

NOTEBOOK_OPTIONS = """\
DATA_FOLDER = None  # folder with Fashion-MNIST's four .gz files; None downloads them with Keras
HISTORY_FILE = None  # JSON file to write the history to
"""

READ = """\
def read(name):
    with gzip.open(os.path.join(DATA_FOLDER, name)) as stream:
        content = stream.read()
    dimensions = content[3]
    shape = np.frombuffer(content, ">u4", count=dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


if DATA_FOLDER is None:
    (images, labels), (test_images, test_labels) = keras.datasets.fashion_mnist.load_data()
else:
    images = read("train-images-idx3-ubyte.gz")
    labels = read("train-labels-idx1-ubyte.gz")
    test_images = read("t10k-images-idx3-ubyte.gz")
    test_labels = read("t10k-labels-idx1-ubyte.gz")
"""

SPLIT = """\
{stratified_order}

# Hold back a quarter for validation, exactly like scikit-learn's
# train_test_split(..., random_state={seed}).
order = np.random.RandomState({seed}).permutation(len(images))
held_back = math.ceil({share} * len(images))
validation_rows, train_rows = order[:held_back], order[held_back:]
if TRAIN_SIZE > len(train_rows):
    raise SystemExit(f"This copy of Fashion-MNIST leaves {{len(train_rows)}} images to train on.")
if TRAIN_SIZE < len(train_rows):
    train_rows = train_rows[stratified_order(labels[train_rows])[:TRAIN_SIZE]]
"""

SCALE = """\
mean = images[train_rows].mean(axis=0)
deviation = images[train_rows].std(axis=0)
deviation[deviation == 0] = 1


def scaled(part):
    return ((part - mean) / deviation).astype("float32")


training = scaled(images[train_rows]), labels[train_rows]
validation = scaled(images[validation_rows]), labels[validation_rows]
test = scaled(test_images), test_labels
"""

TRAIN = """\
# Build the optimizer before model.fit does, or ScheduleFreeAdamW loses the initial weights.
optimizer.build(model.trainable_variables)
model.compile(
    loss="sparse_categorical_crossentropy",
    optimizer=optimizer,
    metrics=["accuracy"],
    jit_compile={jit_compile},
)
history = model.fit(
    *training,
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    validation_data=validation,
    validation_batch_size=1000,
    callbacks={callbacks},
    verbose=2,
).history
history = {{name: [float(value) for value in values] for name, values in history.items()}}
test_loss, test_accuracy = model.evaluate(*test, batch_size=1000, verbose=0)
"""

REPORT = """\
for epoch in range(len(history["loss"])):
    print(f"epoch {epoch + 1}:", {name: values[epoch] for name, values in history.items()})
print(f"test loss {test_loss:.5f}, test accuracy {test_accuracy:.4f}")
if HISTORY_FILE:
    with open(HISTORY_FILE, "w") as file:
        json.dump(history, file)
"""


class Section(NamedTuple):
    """A section of the generated code.

    Args:
        title: a heading without a final period.
        code: statements, ending with a line break.
    """

    title: str
    code: str


def keras_script(plan: RunPlan, *, jit_compile: bool, name: str, data_source: str = "") -> str:
    """The Python script of a run.

    Args:
        plan: what was trained.
        jit_compile: the run's setting, ``COMPILE_MODES[run.compile_mode].jit_compile``.
        name: the run's name, for a comment.
        data_source: which copy of Fashion-MNIST the run used, for a comment.

    Returns:
        A script that prints the history and binds ``model``, ``history``, ``test_loss`` and
        ``test_accuracy`` at module level.
    """
    options = Section("Command-line options", SCRIPT_OPTIONS)
    sections = _sections(plan, jit_compile, options)
    header = _header(name, data_source)
    imports = _import_code(plan, "argparse")
    code = "\n\n".join(f"# {section.title}.\n{section.code}" for section in sections)
    return f"{header}\n{imports}\n{code}"


def keras_notebook(plan: RunPlan, *, jit_compile: bool, name: str, data_source: str = "") -> str:
    """The same as a Jupyter notebook: JSON in nbformat 4.5; arguments as in `keras_script`."""
    options = Section("File locations", NOTEBOOK_OPTIONS)
    first = Section("A run from LR Lab", f"{_header(name, data_source)}\n{_import_code(plan)}")
    cells = []
    for number, section in enumerate([first, *_sections(plan, jit_compile, options)]):
        cells.append(_cell("markdown", f"title-{number}", f"## {section.title}"))
        cells.append(_cell("code", f"code-{number}", section.code.rstrip("\n")))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False)


def _cell(kind: str, cell_id: str, source: str) -> dict[str, object]:
    lines = source.splitlines(keepends=True)
    cell: dict[str, object] = {"cell_type": kind, "id": cell_id, "metadata": {}, "source": lines}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell


def _header(name: str, data_source: str) -> str:
    """The header as comments only, because people choose the names in it."""
    lines = [f"Run {_one_line(name)!r} of LR Lab in plain Keras. This code reproduces its history."]
    if data_source:
        lines.append(f"The run used this data: {_one_line(data_source)}.")
        lines.append("A different copy gives a different history.")
        lines.append("Set the folder of the copy with --data, or DATA_FOLDER in a notebook.")
    lines.append(f"Requirements: pip install {' '.join(_requirements())}")
    return "".join(f"# {line}\n" for line in lines)


def _requirements() -> list[str]:
    """pip requirements for the installed Keras and TensorFlow; other versions round differently."""
    requirements = []
    for name in ("keras", "tensorflow", "tensorflow-cpu"):
        with suppress(PackageNotFoundError):
            requirements.append(f"{name}=={version(name)}")
    return requirements


def _one_line(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def _import_code(plan: RunPlan, *more: str) -> str:
    recipe_imports = [line for line in keras_parts(plan.recipe).imports if line.startswith("from ")]
    modules = sorted({*STANDARD_MODULES, *more})
    lines = [*(f"import {module}" for module in modules), *recipe_imports]
    # Other Keras backends give slightly different numbers.
    backend = 'os.environ["KERAS_BACKEND"] = "tensorflow"\n'
    return "\n".join(lines) + f"\n\n{backend}\nimport keras\nimport numpy as np\n"


def _sections(plan: RunPlan, jit_compile: bool, options: Section) -> list[Section]:
    from lrlab.datasets.dataset import VALIDATION_SHARE
    from lrlab.datasets.split import SPLIT_SEED, SUBSET_SEED, stratified_order

    recipe = keras_parts(plan.recipe)
    subset = f"SUBSET_SEED = {SUBSET_SEED}\n\n\n{inspect.getsource(stratified_order)}"
    split = SPLIT.format(stratified_order=subset, seed=SPLIT_SEED, share=VALIDATION_SHARE)
    sections = [
        options,
        Section("Settings", _settings(plan)),
        Section("Load the images", READ),
        Section("Split the images into training and validation sets", split),
        Section("Standardise each pixel by its mean and deviation over the training images", SCALE),
        Section("Build the network, with initial weights from the seed", _network(plan)),
        Section("Create the optimizer", "\n\n".join([*recipe.definitions, recipe.optimizer])),
    ]
    if recipe.callbacks:
        title = "Create the callback that lowers the learning rate"
        sections.append(Section(title, recipe.callbacks))
    callbacks = "callbacks" if recipe.callbacks else "[]"
    train = TRAIN.format(jit_compile=jit_compile, callbacks=callbacks)
    report = Section("Print and save the history", REPORT)
    return [*sections, Section("Train and test", train), report]


def _settings(plan: RunPlan) -> str:
    settings = {
        "SEED": plan.seed,
        "EPOCHS": plan.epochs,
        "BATCH_SIZE": plan.batch_size,
        "TRAIN_SIZE": plan.train_size,
    }
    return "".join(f"{name} = {value}\n" for name, value in settings.items())


def _network(plan: RunPlan) -> str:
    lines = ["keras.Input((28, 28))"]
    for layer in NETWORKS[plan.network].layers:
        arguments = [f"{name}={value_code(value)}" for name, value in layer.arguments.items()]
        line = f"keras.layers.{layer.keras_class}({', '.join(arguments)})"
        if len(line) > MAX_LAYER_LENGTH:
            line = call_code(f"keras.layers.{layer.keras_class}", layer.arguments.items())
        lines.append(indented(indented(line)))
    body = "".join(f"        {line},\n" for line in lines)
    return f"keras.utils.set_random_seed(SEED)\nmodel = keras.Sequential(\n    [\n{body}    ]\n)\n"
