"""The row numbers an epoch goes over, in Keras's order, ready for ``fit`` and ``evaluate``.

What ``fit`` would make of an array is a pipeline that TensorFlow tunes while it runs, from a thread
of its own. Keras makes a new one for each epoch, and the old one's end can wait, doing nothing,
until that thread wakes by itself: up to half a second (seen with TensorFlow 2.21). So the order is
taken from Keras once, and the pipelines here have nothing to tune.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter


def shuffled_as_keras(rows: np.ndarray) -> np.ndarray:
    """Rows in the order in which ``model.fit(rows)`` would train on them in every epoch.

    Keras draws one permutation of all rows as an epoch starts, and after
    ``keras.utils.set_random_seed`` the same one each time. The seed and the number of rows decide
    it, not how many go into a batch. (Keras: keras/src/trainers/data_adapters/
    array_data_adapter.py.)

    Args:
        rows: shape ``(n,)``.

    Returns:
        The same rows, shape ``(n,)``.
    """
    epoch = ArrayDataAdapter(rows, batch_size=len(rows), shuffle=True).get_tf_dataset()
    return next(iter(epoch)).numpy()


def batched(rows: np.ndarray, size: int) -> tf.data.Dataset:
    """Rows, cut from the front into pieces of ``size``; the last may be smaller.

    Args:
        rows: shape ``(n,)``.
        size: at least 1.
    """
    whole = len(rows) // size * size
    pieces = tf.data.Dataset.from_tensor_slices(tf.reshape(rows[:whole], (-1, size)))
    if whole < len(rows):
        pieces = pieces.concatenate(tf.data.Dataset.from_tensors(rows[whole:]))
    options = tf.data.Options()
    options.autotune.enabled = False
    return pieces.with_options(options)
