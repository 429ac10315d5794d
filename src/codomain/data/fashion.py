"""Pictures of clothes, from Debian's package."""

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError
from codomain.data.identity import hash_files

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
FILES = {
    split: (f"{start}-images-idx3-ubyte.gz", f"{start}-labels-idx1-ubyte.gz")
    for split, start in (("train", "train"), ("test", "t10k"))
}
NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def fashion_mnist(split: str = "train", folder: str | Path = DEBIAN) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """Return grey pictures and what each shows.

    Parameters
    ----------
    split : {"train", "test"}, default="train"
        The 60,000 or the 10,000.
    folder : str or Path, default="/usr/share/datasets/fashion-mnist"
        Where the four files are.

    Returns
    -------
    pictures : ndarray of uint8, shape (n, 28, 28)
        From 0 to 255.
    labels : ndarray of str, shape (n,)
        One of ten names.

    Raises
    ------
    UserError
        When the split has another name, or a file is missing or not of this form.
    """
    if split not in FILES:
        raise UserError(f"split={split!r} cannot be used.", needed="'train' or 'test'")
    pictures, labels = (_idx(Path(folder) / name) for name in FILES[split])
    return pictures, np.array(NAMES)[labels]


def identity(folder: str | Path = DEBIAN) -> str:
    """Return a hash of the four files, 16 hex digits, or "absent"."""
    return hash_files(*(Path(folder) / name for names in FILES.values() for name in names))


def _idx(path: Path) -> NDArray[np.uint8]:
    """Read bytes in the IDX form: two zeros, the kind 8, the number of axes, their lengths, the values."""
    if not path.exists():
        raise UserError(
            f"The file {path.name} is not in {path.parent}.",
            needed="the data of Debian's package dataset-fashion-mnist",
            todo="apt-get install dataset-fashion-mnist",
        )
    with gzip.open(path) as file:
        data = file.read()
    axes = data[3] if data[:3] == b"\0\0\x08" else 0
    shape = np.frombuffer(data, ">u4", axes, 4)
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * axes)
    if not axes or len(values) != int(shape.prod()):
        raise UserError(
            f"{path} is not an IDX file of bytes.", todo="apt-get install --reinstall dataset-fashion-mnist"
        )
    return values.reshape(shape)
