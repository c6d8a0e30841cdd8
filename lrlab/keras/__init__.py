"""Converts recipes to Keras objects and to Keras code.

Importing this package or its module ``code`` does not load Keras.
"""
