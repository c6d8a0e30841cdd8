"""Training with Keras: networks, compiled programs, the recorder, checkpoints and the run itself.

Only this package and `lrlab.keras` load TensorFlow. Importing this package itself loads neither
TensorFlow nor Keras.
"""
