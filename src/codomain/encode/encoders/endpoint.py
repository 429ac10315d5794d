"""An encoder behind an address: any server with an OpenAI-compatible API. The texts are sent to it."""

import os
from collections.abc import Sequence
from typing import Any
from urllib.error import HTTPError
from urllib.parse import SplitResult, parse_qsl

import numpy as np
from numpy.typing import NDArray

from codomain.core import EncoderIdentity, UserError, unit_rows
from codomain.core.server import KEY, NoAnswerError, Server
from codomain.core.server import address as split
from codomain.encode.encoders.encoder import BadRow
from codomain.encode.encoders.folder import check_list, plain

_ADDRESS = "openai:http://host/v1#model, with ?rpm=60 (requests a minute) or ?batch=64 (texts a request) if wanted"


class Endpoint:
    """Vectors from POST {address}/embeddings, scaled to length 1.

    The only encoder that sends anything anywhere, as `codomain.core.server.Server` does: with the key of the
    environment variable CODOMAIN_API_KEY, again after a passing failure, and to no other address. The first use sends
    one word to learn the width.

    Parameters
    ----------
    address : str
        `http://host/v1#model`; `?rpm=60` before or after the model limits requests a minute, `?batch=64` sets the
        texts in a request.
    tries : int, default=6
        Requests made for one batch before giving up.
    pause : float, default=0.5
        Seconds before the second try; doubled for each later one.
    timeout : float, default=60.0
        Seconds without an answer that count as a failure.
    named : bool, default=True
        Whether a person named this address just now; when a space did, only a key that was meant for it is sent.

    Raises
    ------
    UserError
        For an address that cannot be read; later, when the server refuses the key, the model or a text, or stays away.
    """

    def __init__(
        self, address: str, *, tries: int = 6, pause: float = 0.5, timeout: float = 60.0, named: bool = True
    ) -> None:
        parts, self._model, options = _read(address)
        self._server = Server(
            f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/embeddings", "Texts",
            tries=tries, pause=pause, timeout=timeout, gap=60 / options["rpm"] if "rpm" in options else 0.0,
            named=named,
        )  # fmt: skip
        self._tries, self._uri = tries, f"openai:{address}"
        self._identity: EncoderIdentity | None = None
        self.batch_rows = options.get("batch", 64)

    @property
    def identity(self) -> EncoderIdentity:
        """The model's name and the width of its vectors, learned with one word when it is first asked for."""
        if self._identity is None:
            width = self._ask(["width"], dim=0).shape[1]
            self._identity = EncoderIdentity(self._model, "", width, uri=self._uri)
        return self._identity

    def encode(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Return vectors of shape (n, dim); a query is encoded as a row is."""
        check_list(texts)
        dim = self.identity.dim
        out = np.empty((len(texts), dim), dtype=np.float32)
        for start in range(0, len(texts), self.batch_rows):
            try:
                out[start : start + self.batch_rows] = self._ask(texts[start : start + self.batch_rows], dim)
            except BadRow as error:
                raise error.at(start + error.row) from None
        return unit_rows(out)

    def _ask(self, texts: Sequence[str], dim: int) -> NDArray[np.float32]:
        """Send one batch, again and again while the failure may pass; `dim` 0 takes the width of the first vector."""
        try:
            reply = self._server.post({"model": self._model, "input": plain(texts), "encoding_format": "float"})
        except HTTPError as error:
            with error:
                raise self._refusal(error, len(texts)) from None
        except NoAnswerError as failure:
            raise UserError(
                f"{self._server.host} gave no vectors in {self._tries} tries; the last failure: {failure}.",
                todo="see whether the server is up, then type the command again: what is already encoded is not sent "
                "again",
            ) from None
        return _vectors(reply, len(texts), dim, self._server.host)

    def _refusal(self, error: HTTPError, n_texts: int) -> UserError:
        """Return the error for an answer that another try would not change."""
        where = f"{self._server.host} answered HTTP {error.code}"
        if error.code in (401, 403):
            return UserError(
                f"{where}: it does not accept the key{'' if os.environ.get(KEY) else ', and none is set'}.",
                todo=f"export {KEY}=... with a key for this server",
            )
        if error.code == 404:
            return UserError(
                f"{where}: there is no {self._server.url}, or no model {self._model!r}.",
                needed=_ADDRESS,
                todo="check the path (most servers want /v1) and the model's name",
            )
        if 300 <= error.code < 400:
            return UserError(
                f"{where}: it points elsewhere, and texts are not sent to an address you did not name.",
                todo="name the server's own address",
            )
        said = error.read(2000).decode("utf-8", "replace").strip()[:300]
        if key := os.environ.get(KEY, "").strip():
            said = said.replace(key, "***")
        if n_texts == 1:
            return BadRow(0, f"{where}: {said}", todo="shorten or leave out that row")
        return UserError(
            f"{where} to a batch of {n_texts} texts: {said}",
            todo="add ?batch=1 to the address to learn which row it is",
        )


def _read(address: str) -> tuple[SplitResult, str, dict[str, int]]:
    """Split an address into its URL, the model and the options."""
    parts = split(address, _ADDRESS)
    model, _, more = parts.fragment.partition("?")
    if not model:
        raise UserError(f"The address {address!r} is not whole.", needed=_ADDRESS)
    options = dict(parse_qsl(parts.query, keep_blank_values=True) + parse_qsl(more, keep_blank_values=True))
    if unknown := set(options) - {"rpm", "batch"}:
        raise UserError(f"The address has the option {', '.join(sorted(unknown))}.", needed=_ADDRESS)
    if wrong := [name for name, value in options.items() if not value.isdecimal() or int(value) < 1]:
        raise UserError(f"The option {wrong[0]} of the address is not a whole number above 0.", needed=_ADDRESS)
    return parts, model, {name: int(value) for name, value in options.items()}


def _vectors(reply: Any, n: int, dim: int, host: str) -> NDArray[np.float32]:
    """Return the vectors of a reply in the order of the texts; `dim` 0 takes the width of the first."""
    data = reply.get("data") if isinstance(reply, dict) else None
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise UserError(f"{host} answered without a list called data.", needed=_ADDRESS)
    found: dict[int, NDArray[np.float32]] = {}
    for place, item in enumerate(data):
        row = item.get("index", place)
        if not isinstance(row, int) or not 0 <= row < n or row in found:
            raise UserError(
                f"{host} numbered a vector {row!r} in a batch of {n} texts.", needed="each of 0 to n-1, once"
            )
        try:
            vector = np.asarray(item.get("embedding"), dtype=np.float32)
        except (TypeError, ValueError):
            vector = np.empty(0, dtype=np.float32)
        if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
            raise BadRow(row, f"{host} returned something that is not a vector of finite numbers.")
        dim = dim or len(vector)
        if len(vector) != dim:
            raise BadRow(
                row, f"{host} returned a vector of {len(vector)} numbers; earlier ones had {dim}.",
                todo="find out whether the server changed its model, and start again in a new space",
            )  # fmt: skip
        found[row] = vector
    if missing := sorted(set(range(n)) - set(found)):
        raise BadRow(
            missing[0], f"{host} returned no vector for it.", todo="type the command again, or ask the server's owner"
        )
    return np.stack([found[row] for row in range(n)])
