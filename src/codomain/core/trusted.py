"""The servers and model folders that a person has named on this machine, and which key each server was given."""

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from codomain.core.errors import DamagedError, UserError
from codomain.core.sealed import canonical, replace_atomically

KEY = "CODOMAIN_API_KEY"
_ADDRESS = "http://host/v1 or https://host/v1"
_FOLDERS = ("model2vec:", "onnx:", "st:")  # encoders that are read from a folder of this machine


def place() -> Path:
    """Return where the list is kept: codomain/trusted.json in the folder for settings of this user."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "codomain" / "trusted.json"


def server_address(url: str) -> str:
    """Return the part of an address that is trusted: scheme, host, port and path, without model and options."""
    try:
        parts = urlsplit(url.removeprefix("openai:"))
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise UserError(f"The address cannot be read: {error}.", needed=_ADDRESS) from None
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise UserError(f"The address {url!r} is not whole.", needed=_ADDRESS)
    # Quoted, as it is shown and typed again, and a stranger may have written it.
    return quote(f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}", safe=":/[]%~@+")


def model_folder(uri: str) -> str:
    """Return the folder of an encoder without links and options, as it is trusted; "" when it is in no folder."""
    scheme = next((one for one in _FOLDERS if uri.startswith(one)), "")
    path = uri.removeprefix(scheme)
    path = path.partition("?")[0] if scheme == "onnx:" else path
    return os.path.realpath(os.path.expanduser(path)) if scheme and path else ""


class Trusted:
    """The list, as it is on the disk now.

    A space that somebody else made names the encoder of its vectors. Texts and questions are only sent to its server,
    and its model is only opened in a folder of this machine, when this list has them. The list also knows which key was
    meant for which server, by a salted hash: the key itself is not kept.
    """

    def __init__(self) -> None:
        path = place()
        try:
            found: Any = json.loads(path.read_bytes())
            self._salt, self._keys = str(found["salt"]), {str(url): str(key) for url, key in found["servers"].items()}
            self._folders = {str(folder) for folder in found.get("folders", [])}
        except FileNotFoundError:
            self._salt, self._keys, self._folders = secrets.token_hex(16), {}, set()
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DamagedError(f"{path} is damaged.", todo="remove it, and name the servers again") from None

    @property
    def servers(self) -> list[str]:
        """Their addresses, sorted."""
        return sorted(self._keys)

    @property
    def folders(self) -> list[str]:
        """The folders of models, sorted."""
        return sorted(self._folders)

    def __contains__(self, uri: str) -> bool:
        folder = model_folder(uri)
        return folder in self._folders if folder else server_address(uri) in self._keys

    def key_for(self, url: str) -> str:
        """Return the key in the environment when it was meant for this server; otherwise nothing."""
        key = _present_key()
        return key if key and self._keys.get(server_address(url)) == self._mark(key) else ""

    def key_is_of_another(self, url: str) -> str:
        """Return a server, not this one, that the key in the environment was meant for; nothing when there is none."""
        key, mine = _present_key(), server_address(url)
        mark = self._mark(key) if key else None
        return next((url for url, known in self._keys.items() if known == mark and url != mine), "")

    def add(self, url: str, *, key: bool) -> None:
        """Trust a server; with `key`, the key in the environment is meant for it."""
        present = _present_key()
        mark = self._mark(present) if key and present else self._keys.get(server_address(url), "")
        if self._keys.get(server_address(url)) != mark:
            self._keys[server_address(url)] = mark
            self._write()

    def add_folder(self, uri: str) -> None:
        """Trust the folder of a model, as in onnx:/folder."""
        if uri not in self:
            self._folders.add(model_folder(uri))
            self._write()

    def remove(self, uri: str) -> None:
        """Trust a server or a model's folder no longer."""
        folder = model_folder(uri)
        if uri not in self:
            there = ", ".join([*self.servers, *self.folders]) or "none is"
            raise UserError(f"{folder or server_address(uri)} is not trusted.", needed=f"one of: {there}")
        if folder:
            self._folders.remove(folder)
        else:
            del self._keys[server_address(uri)]
        self._write()

    def _write(self) -> None:
        path = place()
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_atomically(
            path, canonical({"salt": self._salt, "servers": self._keys, "folders": self.folders}, indent=1)
        )  # fmt: skip
        path.chmod(0o600)

    def _mark(self, key: str) -> str:
        return hashlib.blake2b(key.encode(), key=bytes.fromhex(self._salt), digest_size=16).hexdigest()


def _present_key() -> str:
    return os.environ.get(KEY, "").strip()
