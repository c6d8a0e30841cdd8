"""Sweeps on pages: planning and starting one, and its result."""
