"""The door to Keras: a recipe as Keras objects and as Keras code.

Importing this package, or its module ``code``, does not load Keras.
"""
