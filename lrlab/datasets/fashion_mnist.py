"""Fashion-MNIST: its description and the checksums of its files.

Source: Xiao, Rasul and Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
Learning Algorithms, 2017.
"""

from __future__ import annotations

from lrlab.datasets.dataset import Dataset, FileSet, IdxFile

PIXELS = 28


def _file_set(train: int, test: int, sha256: tuple[str, str, str, str]) -> FileSet:
    return FileSet(
        IdxFile("train-images-idx3-ubyte.gz", (train, PIXELS, PIXELS), sha256[0]),
        IdxFile("train-labels-idx1-ubyte.gz", (train,), sha256[1]),
        IdxFile("t10k-images-idx3-ubyte.gz", (test, PIXELS, PIXELS), sha256[2]),
        IdxFile("t10k-labels-idx1-ubyte.gz", (test,), sha256[3]),
    )


FULL_SET = _file_set(
    60_000,
    10_000,
    (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)
"""The full dataset as published by Zalando in August 2017."""

SAMPLE_SET = _file_set(
    5_000,
    1_000,
    (
        "444ed5f7ce17397f236f5eba17dd507d3f6912f04edd3e4f1701cdf82f2cc0c5",
        "35d691216f65485d010cc635af5574a9dc04aa5060de9be64ab6e5cb5ead38e9",
        "7cee33c3c6414b1b86c25e665a6c4f41584269de3b7cc9768b1d351922845eef",
        "3128d790775889812b73c4f13923559c8b9e281d112c6ea7862acf60a206a909",
    ),
)
"""The bundled sample, made by ``tools/make_sample.py``."""

FASHION_MNIST = Dataset(
    image_shape=(PIXELS, PIXELS),
    class_names=(
        "T-shirt",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
    files=FULL_SET,
)
