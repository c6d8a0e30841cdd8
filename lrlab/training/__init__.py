"""Training with Keras: networks, compiled programs, the recorder, checkpoints and the run itself.

This is the only package that imports TensorFlow. Importing the package itself loads neither
TensorFlow nor Keras.
"""
