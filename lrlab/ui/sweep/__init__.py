"""Sweeps on pages."""
