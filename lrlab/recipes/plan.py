"""The plan of a run: a recipe, network, epochs, batch size, seed and training-set size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lrlab.datasets.fashion_mnist import FASHION_MNIST
from lrlab.params import InvalidInput, Param, check_all, lookup, number_of, shown
from lrlab.recipes.networks import NETWORKS
from lrlab.recipes.recipe import Recipe

FULL_TRAIN_SIZE = FASHION_MNIST.train_size
"""Training images after the notebook's split of Fashion-MNIST's 60,000."""

PLAN_PARAMS = (
    Param(
        "epochs",
        2,
        "The number of passes over the training images.",
        kind="int",
        low=1,
        high=100,
        slider=(1, 20),
        label="Epochs",
    ),
    Param(
        "batch_size",
        32,
        "The number of images per optimizer step.",
        kind="int",
        low=1,
        high=4096,
        slider=(8, 512),
        scale="doubling",
        label="Batch size",
    ),
    Param(
        "seed",
        1,
        "Determines the initial weights and the order of the images, so that a run is repeatable.",
        kind="int",
        low=0,
        high=2**31 - 1,
        label="Seed",
    ),
    Param(
        "train_size",
        FULL_TRAIN_SIZE,
        "The number of training images; fewer images are faster but less accurate.",
        kind="int",
        low=10,
        high=FULL_TRAIN_SIZE,
        slider=(1_000, FULL_TRAIN_SIZE),
        label="Training images",
    ),
)
"""The settings of a run other than its recipe and network."""


@dataclass(frozen=True)
class RunPlan:
    """Everything that determines a run. Create it with `RunPlan.of` or `RunPlan.from_dict`."""

    recipe: Recipe
    network: str
    epochs: int
    batch_size: int
    seed: int
    train_size: int

    @classmethod
    def of(cls, recipe: Recipe, network: str = "mlp", **settings: object) -> RunPlan:
        """A checked plan.

        Args:
            recipe: the recipe.
            network: a key of `NETWORKS`.
            settings: values of `PLAN_PARAMS`; missing ones take their defaults.

        Raises:
            InvalidInput: an unknown network or setting, or a value that is not allowed.
        """
        return _checked(recipe, network, settings)

    @classmethod
    def from_dict(cls, data: object) -> RunPlan:
        """The plan from the result of `to_dict`; missing entries take their defaults.

        Raises:
            InvalidInput: ``data`` is not a mapping, lacks a recipe, or has a value that is not
                allowed.
        """
        if not isinstance(data, Mapping) or "recipe" not in data:
            raise InvalidInput(f'A plan must be a mapping with a "recipe", not {shown(data)}.')
        settings = dict(data)
        recipe = Recipe.from_dict(settings.pop("recipe"))
        return _checked(recipe, settings.pop("network", "mlp"), settings)

    def to_dict(self) -> dict[str, object]:
        """The plan as a mapping of JSON values."""
        settings = {param.name: getattr(self, param.name) for param in PLAN_PARAMS}
        return {"recipe": self.recipe.to_dict(), "network": self.network, **settings}

    def with_settings(self, **settings: int) -> RunPlan:
        """A copy of this plan with other values for some of `PLAN_PARAMS`.

        Raises:
            InvalidInput: an unknown setting, or a value that is not allowed.
        """
        current = {param.name: getattr(self, param.name) for param in PLAN_PARAMS}
        return RunPlan.of(self.recipe, self.network, **current | settings)

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps per epoch, including the last, smaller batch."""
        return -(-self.train_size // self.batch_size)

    @property
    def total_steps(self) -> int:
        """Optimizer steps in the whole run."""
        return self.steps_per_epoch * self.epochs

    def epoch_at(self, step: int) -> int:
        """The epoch, counted from 1, that the run is in after ``step`` optimizer steps."""
        return min(step // self.steps_per_epoch + 1, self.epochs)


def seed_plans(plan: RunPlan, seeds: int) -> dict[str, RunPlan]:
    """Run name -> the plan with another seed, for ``seeds`` consecutive seeds from its own.

    Raises:
        InvalidInput: the last seed is larger than the largest allowed seed.
    """
    return {
        f"{plan.recipe.label}{seed_suffix(seed)}": plan.with_settings(seed=seed)
        for seed in range(plan.seed, plan.seed + seeds)
    }


def seed_suffix(seed: int) -> str:
    """The end of the name of a run that was queued with other seeds."""
    return f", seed {seed}"


def _checked(recipe: Recipe, network: object, settings: Mapping[str, object]) -> RunPlan:
    values = check_all(PLAN_PARAMS, settings, "run")
    numbers = {name: int(number_of(values, name)) for name in values}
    return RunPlan(recipe, lookup(NETWORKS, network, "network").key, **numbers)


PRESETS: Mapping[str, RunPlan] = MappingProxyType(
    {
        "Exercise 1: Nadam": RunPlan.of(
            Recipe.from_dict(
                {
                    "optimizer": {"name": "nadam"},
                    "schedule": {"name": "constant", "learning_rate": 1e-3},
                }
            )
        ),
        "Exercise 2: SGD, decay": RunPlan.of(
            Recipe.from_dict(
                {
                    "optimizer": {"name": "sgd"},
                    "schedule": {
                        "name": "exponential_decay",
                        "initial_learning_rate": 0.1,
                        "decay_steps": 100_000,
                        "decay_rate": 0.96,
                    },
                }
            )
        ),
    }
)
"""Title -> plan of the two exercises in the notebook on which LR Lab is based."""
