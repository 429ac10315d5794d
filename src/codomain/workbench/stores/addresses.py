"""Find the store that an address names."""

import re
from pathlib import Path

from codomain.core import UserError
from codomain.workbench.stores.faiss_file import FaissFile
from codomain.workbench.stores.lance import LanceTable
from codomain.workbench.stores.postgres import PostgresTable
from codomain.workbench.stores.qdrant import QdrantCollection
from codomain.workbench.stores.written import Store

_TABLE = re.compile(r"[\w$ -]+(\.[\w$ -]+)?")  # not what would follow a "#" in a password
FORMS = (
    "lance:FOLDER#TABLE, qdrant:http://HOST:PORT#COLLECTION, postgres://USER@HOST:PORT/DATABASE#TABLE "
    "or faiss:FILE.faiss"
)


def store_at(address: str) -> Store:
    """Return the store that an address names; nothing is opened yet.

    Parameters
    ----------
    address : str
        One of the forms of `FORMS`.

    Returns
    -------
    Store
        Ready to be filled.

    Raises
    ------
    UserError
        When the address has another form. Its words are not repeated, as a password may be among them.

    Examples
    --------
    >>> store_at("postgres://me:secret@host/db#papers").shown
    'postgres://me@host/db#papers'
    """
    scheme, _, rest = address.partition(":")
    place, _, name = rest.rpartition("#")
    if scheme == "faiss" and rest.endswith(".faiss"):
        return FaissFile(Path(rest).expanduser())
    if place and name:
        if scheme == "lance" and "://" not in place:
            return LanceTable(Path(place).expanduser(), name)
        if scheme in ("postgres", "postgresql") and place.startswith("//") and _TABLE.fullmatch(name):
            return PostgresTable(f"{scheme}:{place}", name)
        if scheme == "qdrant" and place.startswith(("http://", "https://")):
            return QdrantCollection(place, name)
        if scheme == "qdrant":
            raise UserError(
                "This is a folder, in which qdrant-client would keep the points as pickles.",
                needed="the address of a server: qdrant:http://HOST:PORT#COLLECTION",
            )
    raise UserError("This is no address of a store.", needed=FORMS)
