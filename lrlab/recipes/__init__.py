"""The recipe that a user picks, and the plan of a run with it."""
