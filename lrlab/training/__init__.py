"""Training with Keras: the data, the networks, the recorder and the run itself.

The only home of TensorFlow and Keras. Importing this package, or its module ``data``, loads
neither of them.
"""
