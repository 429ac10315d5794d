"""An encoder in a folder that sentence-transformers saved."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codomain.core import EncoderIdentity, UserError, need
from codomain.encode.encoders.counts import TokenCounts
from codomain.encode.encoders.folder import (
    check_list,
    hash_of,
    model_folder,
    model_name,
    plain,
    prompts,
    read_json,
)

_MODEL_FILES = {".safetensors", ".bin", ".json", ".txt", ".model"}
_OTHER_FORMS = {"onnx", "openvino"}  # copies of the same weights for other programs


class SentenceTransformersFolder:
    """A sentence-transformers model, run by that library; no code from the folder is run.

    Its prompts become the prefixes of rows and queries. The same text gives the same vector within 1e-6 in float32
    whatever else is in its batch.

    Parameters
    ----------
    path : str
        The folder.

    Raises
    ------
    UserError
        When it is not a folder (hub names are not fetched), cannot be read, or the extra `st` is not installed.
    """

    batch_rows = 32

    def __init__(self, path: str) -> None:
        folder = model_folder(path)
        library = need("sentence_transformers", "st")
        try:
            with _quiet(need("transformers.utils.logging", "st")):
                self._model = library.SentenceTransformer(str(folder), local_files_only=True, trust_remote_code=False)
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise UserError(
                f"sentence-transformers cannot read {folder}: {str(error).splitlines()[0]}",
                needed="a folder that SentenceTransformer.save wrote",
            ) from error
        files = [
            file for file in folder.rglob("*")
            if file.suffix in _MODEL_FILES and file.is_file() and not _OTHER_FORMS & set(file.relative_to(folder).parts)
        ]  # fmt: skip
        prefix_row, prefix_query = prompts(
            {"prompts": self._model.prompts, "default_prompt_name": self._model.default_prompt_name}
        )
        steps = [type(step).__name__ for step in self._model]
        self.identity = EncoderIdentity(
            model_name(read_json(folder / "config.json", {}), "sentence-transformers"),
            hash_of(folder, files), self._model.get_embedding_dimension(),
            next((str(step.pooling_mode) for step in self._model if hasattr(step, "pooling_mode")), ""),
            prefix_row, prefix_query, "Normalize" in steps, self._model.max_seq_length or 0, f"st:{folder}",
        )  # fmt: skip

    def encode(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Return vectors of shape (n, dim), each text with the model's prompt for queries or documents in front."""
        prompt = self.identity.prefix_query if query else self.identity.prefix_row
        check_list(texts)
        if not texts:
            return np.empty((0, self.identity.dim), dtype=np.float32)
        found = self._model.encode(plain(texts), prompt=prompt, batch_size=32, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)

    def count(self, texts: Sequence[str]) -> TokenCounts | None:
        """Count the tokens of texts that are read, and those that are not known; None for a model without such ones."""
        tokenizer = self._model.tokenizer
        if not hasattr(tokenizer, "unk_token_id"):
            return None
        special = tokenizer.num_special_tokens_to_add(False)
        front = len(tokenizer(self.identity.prefix_row, add_special_tokens=False)["input_ids"])
        found = tokenizer(plain(texts), add_special_tokens=False, verbose=False)["input_ids"] if len(texts) else []
        room = max(self.identity.max_tokens - special - front, 1) if self.identity.max_tokens else 0
        return TokenCounts.of(found, tokenizer.unk_token_id, room, cut=True)


@contextmanager
def _quiet(logging: Any) -> Iterator[None]:
    """Keep transformers from drawing its own bar over a load of milliseconds."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
