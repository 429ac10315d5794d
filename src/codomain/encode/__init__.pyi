# ruff: isort: skip_file
from .cnn_off_the_shelf import OffTheShelf as OffTheShelf
from .encoders.counts import TokenCounts as TokenCounts
from .encoders.counts import count_tokens as count_tokens
from .encoders.encoder import BadRow as BadRow
from .encoders.encoder import Encoder as Encoder
from .encoders.endpoint import Endpoint as Endpoint
from .encoders.minilm import MiniLM as MiniLM
from .encoders.onnx_dir import OnnxFolder as OnnxFolder
from .encoders.resolve import resolve as resolve
from .encoders.rows import encode_rows as encode_rows
from .encoders.sentence_transformers_dir import SentenceTransformersFolder as SentenceTransformersFolder
from .encoders.static import TokenTable as TokenTable
