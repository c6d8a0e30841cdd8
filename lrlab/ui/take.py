"""A plan's recipe as the controls hold it, without the planned run around it."""

from __future__ import annotations

from lrlab.draft import draft_of
from lrlab.fields import recipe_fields
from lrlab.plan import RunPlan


def recipe_draft(plan: RunPlan) -> dict[str, str]:
    """The draft of a plan's recipe alone; network, epochs and so on stay as they are."""
    kept = {"optimizer", "schedule", *recipe_fields()}
    return {key: text for key, text in draft_of(plan).items() if key in kept}
