"""What a person picks: a recipe, and a run planned with it."""
