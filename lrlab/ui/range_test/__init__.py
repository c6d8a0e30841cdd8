"""Range tests on pages: starting one, and its result."""
