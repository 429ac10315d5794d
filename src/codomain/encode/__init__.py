"""Turn texts into features, and frozen features into answers."""

from typing import TYPE_CHECKING

from codomain.core.lazy import attach

if TYPE_CHECKING:
    from codomain.encode.cnn_off_the_shelf import OffTheShelf as OffTheShelf
    from codomain.encode.encoder import BadRow as BadRow
    from codomain.encode.encoder import Encoder as Encoder
    from codomain.encode.encoder import resolve as resolve
    from codomain.encode.endpoint import Endpoint as Endpoint
    from codomain.encode.minilm import MiniLM as MiniLM
    from codomain.encode.onnx_dir import OnnxFolder as OnnxFolder
    from codomain.encode.rows import encode_rows as encode_rows
    from codomain.encode.sentence_transformers_dir import SentenceTransformersFolder as SentenceTransformersFolder
    from codomain.encode.static import TokenTable as TokenTable

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "BadRow": "encoder",
        "Encoder": "encoder",
        "Endpoint": "endpoint",
        "MiniLM": "minilm",
        "OffTheShelf": "cnn_off_the_shelf",
        "OnnxFolder": "onnx_dir",
        "SentenceTransformersFolder": "sentence_transformers_dir",
        "TokenTable": "static",
        "encode_rows": "rows",
        "resolve": "encoder",
    },
)
