"""The descriptions of datasets, their files and sources, and how a run splits and scales them.

Importing this package loads neither TensorFlow, Keras nor scikit-learn.
"""
