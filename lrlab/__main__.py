"""The command line: train a recipe in the foreground, or see to the data.

    python -m lrlab train RECIPE.json [--epochs N] [--batch-size N] [--seed N]
                                      [--network NAME] [--train-size N]
    python -m lrlab data

Results go to stdout, everything else to stderr. The exit status is 0; 2 for input that is refused,
which is decided before TensorFlow is loaded; 1 when there is no data at all. A run that diverges
is a result, so it ends with 0.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lrlab.datasets.sources import FETCH_HINT, NoData, find_source
from lrlab.datasets.split import check_train_size
from lrlab.export import read_json
from lrlab.params import InvalidInput
from lrlab.recipes.plan import NETWORKS, PLAN_PARAMS, RunPlan
from lrlab.recipes.recipe import Recipe

if TYPE_CHECKING:
    from lrlab.training.measurements import EpochRecord, EpochSnapshot, Point, RunResult

NO_DATA = 1
REFUSED = 2
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Prints the message and exits with status 2."""
        self.exit(REFUSED, f"{self.prog}: {message}\n")


class EpochLines:
    """The command line's sink: a line of strict JSON for each epoch."""

    def started(self, phase: str) -> None:
        """Not shown."""

    def points(self, points: list[Point]) -> bool:
        """Not shown, and nobody asks for a stop: Ctrl-C ends a run in the foreground."""
        return False

    def epoch(self, record: EpochRecord) -> None:
        """Prints the epoch's line at once, also into a pipe."""
        line = {key: strict(value) for key, value in asdict(record).items() if key != "step"}
        print(json.dumps(line, allow_nan=False), flush=True)

    def learned(self, learned: EpochSnapshot) -> None:
        """Not shown."""

    def result(self, result: RunResult) -> None:
        """Not shown."""


def strict(number: float) -> float | str:
    """A number as strict JSON can hold it: NaN and infinity become their names."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return number


def read_recipe(path: Path) -> Recipe:
    """The recipe in a JSON file.

    Raises:
        InvalidInput: the file cannot be read, is too large, is not JSON or holds no valid recipe.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from None
    given = read_json(content, str(path))
    return Recipe.from_dict(given)


@contextmanager
def muted_stderr() -> Iterator[None]:
    """Discards what native code writes to stderr.

    TensorFlow logs to the file descriptor while it is imported, before any setting of it works.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def whole_number(text: str) -> int:
    """An option's value.

    Raises:
        ArgumentTypeError: it is not a whole number.
    """
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def train_command(options: argparse.Namespace) -> None:
    """Trains a recipe and prints its epochs.

    Raises:
        InvalidInput: a bad recipe, option or training-set size.
    """
    given = {param.name: getattr(options, param.name) for param in PLAN_PARAMS}
    settings = {name: value for name, value in given.items() if value is not None}
    plan = RunPlan.of(read_recipe(options.recipe), options.network, **settings)
    source = find_source(download=True)
    if options.train_size is None:
        plan = replace(plan, train_size=min(plan.train_size, source.largest_train_size))
    check_train_size(source, plan.train_size)
    for line in (*source.warnings, source.description):
        print(line, file=sys.stderr)

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with muted_stderr():
        from lrlab.training.trainer import train
    outcome = train(plan, EpochLines(), source)
    tested = "" if outcome.test_accuracy is None else f"; test accuracy {outcome.test_accuracy:.4f}"
    print(f"{outcome.text}{tested}", file=sys.stderr)


def data_command(options: argparse.Namespace) -> None:
    """Sees to the data and says on stdout which copy is used."""
    source = find_source(download=True)
    for warning in source.warnings:
        print(warning, file=sys.stderr)
    print(f"{source.description} ({source.path})")
    if source.key == "sample":
        print(f"The full set is not here. To get it: {FETCH_HINT}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command and its options; exits with one line where they make no sense."""
    parser = Parser(prog="python -m lrlab", description="LR Lab without its pages.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    training = commands.add_parser("train", help="train a recipe and print one JSON line an epoch")
    training.set_defaults(command=train_command)
    training.add_argument("recipe", type=Path, metavar="RECIPE.json")
    training.add_argument("--network", default="mlp", metavar="NAME", help=", ".join(NETWORKS))
    for param in PLAN_PARAMS:
        flag = f"--{param.name.replace('_', '-')}"
        training.add_argument(flag, type=whole_number, metavar="N", help=param.help)
    data = commands.add_parser("data", help="say which Fashion-MNIST is used, and fetch it")
    data.set_defaults(command=data_command)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: what follows ``python -m lrlab``; those of this process by default.

    Returns:
        The exit status.
    """
    options = parse(arguments)
    try:
        options.command(options)
    except InvalidInput as error:
        print(f"python -m lrlab: {error}", file=sys.stderr)
        return REFUSED
    except NoData as error:
        print(f"python -m lrlab: {error}", file=sys.stderr)
        return NO_DATA
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
