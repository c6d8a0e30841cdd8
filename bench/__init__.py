"""Measurements: ``make bench`` prints each figure beside its target. Nothing here is a test."""
