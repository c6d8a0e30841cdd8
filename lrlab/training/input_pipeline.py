"""The row numbers of an epoch in Keras's order, as datasets for ``fit`` and ``evaluate``.

From an array, ``fit`` would build a pipeline that a TensorFlow thread tunes while it runs. Keras
builds a new one for each epoch, and shutting the old one down can block until that thread wakes:
up to half a second (seen with TensorFlow 2.21). So the order is taken from Keras once, and the
datasets here need no tuning.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from lrlab.training.keras_internals import ArrayDataAdapter


def shuffled_as_keras(rows: np.ndarray) -> np.ndarray:
    """Rows in the order in which ``model.fit(rows)`` would train on them in every epoch.

    Keras draws one permutation of all rows at the start of each epoch, and after
    ``keras.utils.set_random_seed`` the same one each time. It depends on the seed and the number of
    rows, not on the batch size. (Keras: keras/src/trainers/data_adapters/array_data_adapter.py.)

    Args:
        rows: shape ``(n,)``.

    Returns:
        The same rows, shape ``(n,)``.
    """
    epoch = ArrayDataAdapter(rows, batch_size=len(rows), shuffle=True).get_tf_dataset()
    return next(iter(epoch)).numpy()


def batched(rows: np.ndarray, size: int) -> tf.data.Dataset:
    """Rows cut from the front into batches of ``size``; the last batch may be smaller.

    Args:
        rows: shape ``(n,)``.
        size: at least 1.
    """
    full_rows = len(rows) // size * size
    batches = tf.data.Dataset.from_tensor_slices(tf.reshape(rows[:full_rows], (-1, size)))
    if full_rows < len(rows):
        batches = batches.concatenate(tf.data.Dataset.from_tensors(rows[full_rows:]))
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)
