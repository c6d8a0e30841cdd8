"""The controls of the recipe and of the planned run, and what the pages do with their values."""
