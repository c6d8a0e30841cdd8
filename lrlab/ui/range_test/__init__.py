"""Range tests on pages."""
