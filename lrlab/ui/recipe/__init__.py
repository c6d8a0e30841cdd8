"""The controls of the recipe and of the planned run, and what is done with them."""
