"""Datasets as data, where their files come from, and how a run splits and scales them.

Importing this package loads neither TensorFlow, Keras nor scikit-learn.
"""
