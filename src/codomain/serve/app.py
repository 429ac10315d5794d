"""The application: addresses in, answers out; work on spaces runs in threads, each request with its own generation."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path as FilePath
from typing import IO, Annotated, Any, Literal, cast
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse, Response, StreamingResponse

from codomain import __version__
from codomain.core import DamagedError, UserError, say
from codomain.serve import answers, schemas, tables
from codomain.serve.answers import Asked, MissingError, Mode, Record
from codomain.serve.dates import By, rows_by_date
from codomain.serve.guard import Guard, Rules
from codomain.serve.html import policy_of
from codomain.serve.negotiation import FORMS, NoFormError
from codomain.serve.notes import Notes
from codomain.serve.page import Pages
from codomain.serve.pool import Pool
from codomain.serve.replies import PLAIN, WITH_FEEDS, form_of, refuse, reply
from codomain.serve.spaces import Opened, Shelf, UnreadableError

SECONDS = 30.0  # that a request may take; a thread that is at work then ends its work, and nobody gets the answer
_CHUNK = 1 << 20
_STATUS = {
    401: "No token", 403: "Not allowed", 404: "Not there", 406: "No such form", 413: "Too large", 414: "Too long",
    421: "Not this server", 422: "Does not fit", 503: "Cannot be read now, or took too long",
}  # fmt: skip

Name = Annotated[str, Path(description="Name of a space")]
Question = Annotated[str, Query(max_length=answers.LONGEST_QUESTION, description="Words or a sentence")]
Ids = Annotated[list[str], Query(max_length=50)]
Columns = Annotated[list[str], Query(max_length=100)]
Condition = Annotated[str | None, Query(max_length=4000, description="As in year >= 2000 and kind == 'class'")]
Hits = Annotated[int, Query(ge=1, le=answers.MOST_HITS)]
Page = Annotated[int, Query(ge=1, le=10**9)]
Form = Annotated[Literal["json", "html", "md"] | None, Query(description="Counts more than the header Accept")]
FeedForm = Annotated[
    Literal["json", "html", "md", "atom", "feed"] | None, Query(description="Counts more than the header Accept")
]


def make_app(shelf: Shelf, rules: Rules, notes: Notes | None = None, *, seconds: float = SECONDS) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    shelf : Shelf
        The spaces.
    rules : Rules
        Who may ask.
    notes : Notes, optional
        Where notes are kept; without it none can be written.
    seconds : float, default=30
        How long a request may take.

    Returns
    -------
    FastAPI
        With its OpenAPI document at /openapi.json.
    """
    app = FastAPI(
        title="Codomain", version=__version__, docs_url=None, redoc_url=None,
        description="Search spaces of features, and see what their study found. Nothing is written into a space.",
    )  # fmt: skip
    pool = Pool(shelf, max(4, os.cpu_count() or 1), seconds)
    pages = Pages(shelf, notes is not None)

    def open_space(name: str) -> Opened:
        try:
            return shelf.open(name)
        except KeyError:
            raise MissingError(
                f"There is no space {name[:80]!r} here.", needed=f"one of {', '.join(shelf.names)}"
            ) from None

    async def answer(
        request: Request, kind: str, work: Callable[[Opened], Record], space: str, forms: tuple[str, ...] = PLAIN
    ) -> Response:
        form = form_of(request, forms)

        def run() -> Response:
            opened = open_space(space)
            return reply(request, form, kind, work(opened), space=space, updated=opened.when)

        return await pool.run(run, space)

    @app.get("/", summary="The spaces that are served", **_says(schemas.Spaces, PLAIN))
    async def spaces(request: Request, format: Form = None) -> Response:
        form = form_of(request, PLAIN)
        if form == "html" and len(shelf.names) == 1:
            return RedirectResponse(f"/{quote(shelf.names[0])}/")
        return await pool.run(lambda: reply(request, form, "spaces", {"spaces": _space_lines(shelf)}))

    @app.get("/beside", summary="One question in several spaces", **_says(schemas.Beside, PLAIN))
    async def beside(
        request: Request, spaces: Annotated[str, Query(max_length=500, description="Names with commas between")],
        q: Question = "", mode: Mode = "both", where: Condition = None, k: Hits = 10, format: Form = None,
    ) -> Response:  # fmt: skip
        form = form_of(request, PLAIN)

        def run() -> Response:
            opened = [open_space(name.strip()) for name in spaces.split(",")[:8]]
            found = answers.answer_beside(opened, Asked(q=q, where=where, k=k, mode=mode))
            url = "beside?" + urlencode({"spaces": spaces, "q": q, "mode": mode, "k": k})
            return reply(request, form, "beside", {**found, "url": url})

        return await pool.run(run, *spaces.split(","))

    @app.get("/{space}/", summary="The page (HTML), or the facts of the study", **_says(schemas.Facts, PLAIN))
    async def facts(request: Request, space: Name, format: Form = None) -> Response:
        form = form_of(request, PLAIN)

        def run() -> Response:
            opened = open_space(space)
            if form != "html":
                return reply(request, form, "facts", answers.describe(opened), space=space)
            page = pages.of(opened)
            policy = policy_of(page[:4000].decode("utf-8", "replace"))
            headers = {"vary": "Accept", "content-security-policy": policy}
            return Response(page, headers=headers, media_type="text/html; charset=utf-8")

        return await pool.run(run, space)

    @app.get("/{space}/search", summary="Rows that answer a question", **_says(schemas.Search, WITH_FEEDS))
    async def search(
        request: Request, space: Name, q: Question = "", mode: Mode = "both", like: Ids = _NONE, unlike: Ids = _NONE,
        where: Condition = None, k: Hits = 10, show: Columns = _NONE, format: FeedForm = None,
    ) -> Response:  # fmt: skip
        asked = Asked(q=q, like=like, unlike=unlike, where=where, k=k, mode=mode, show=show)
        chosen = {"q": q, "mode": mode, "like": like, "unlike": unlike, "where": where or "", "k": k, "show": show}
        url = "search?" + urlencode({name: value for name, value in chosen.items() if value}, doseq=True)
        return await answer(
            request, "search", lambda opened: {**answers.find(opened, asked), "url": url}, space, WITH_FEEDS
        )

    @app.get("/{space}/groups", summary="The groups", **_says(schemas.Groups, PLAIN))
    async def groups(request: Request, space: Name, format: Form = None) -> Response:
        return await answer(request, "groups", answers.list_groups, space)

    @app.get("/{space}/groups/{number}", summary="The rows of a group", **_says(schemas.Rows, WITH_FEEDS))
    async def group(
        request: Request, space: Name, number: Annotated[int, Path(ge=-1, le=2**53)], page: Page = 1,
        format: FeedForm = None,
    ) -> Response:  # fmt: skip
        return await answer(
            request, "rows", lambda opened: answers.rows_of_group(opened, number, page), space, WITH_FEEDS
        )

    @app.get("/{space}/labels/{name:path}", summary="The rows with a label", **_says(schemas.Rows, WITH_FEEDS))
    async def label(request: Request, space: Name, name: str, page: Page = 1, format: FeedForm = None) -> Response:
        return await answer(
            request, "rows", lambda opened: answers.rows_of_label(opened, name, page), space, WITH_FEEDS
        )

    @app.get("/{space}/flags/{kind}", summary="The rows that a check picked", **_says(schemas.Rows, WITH_FEEDS))
    async def flag(request: Request, space: Name, kind: str, page: Page = 1, format: FeedForm = None) -> Response:
        return await answer(
            request, "rows", lambda opened: answers.rows_with_flag(opened, kind, page), space, WITH_FEEDS
        )

    @app.get("/{space}/dates/{column:path}", summary="Rows by date", **_says(schemas.Dates, WITH_FEEDS))
    async def dates(
        request: Request, space: Name, column: str, by: By = "week",
        since: Annotated[str | None, Query(max_length=40, description="As in 2024-05-31")] = None, page: Page = 1,
        format: FeedForm = None,
    ) -> Response:  # fmt: skip
        return await answer(
            request, "dates", lambda opened: rows_by_date(opened, column, by, since, page), space, WITH_FEEDS
        )

    for kind in tables.WRITERS:
        _add_table(app, kind, pool, open_space)

    @app.put("/{space}/rows/{id:path}/note", summary="Write a star and a note", **_says(schemas.NoteLine, ("json",)))
    async def put_note(request: Request, space: Name, id: str, note: schemas.Note) -> Response:
        kept = _keeping(notes)

        def run() -> Response:
            answers.row_of(open_space(space), id)
            made = kept.put(space, id, star=note.star, note=note.note)
            return reply(request, "json", "notes", {"id": id, "url": answers.row_url(id), **made})

        return await pool.run(run, space)

    @app.delete(
        "/{space}/rows/{id:path}/note", summary="Forget a note", status_code=204,
        responses={204: {"description": "Forgotten"}, **_errors()},
    )  # fmt: skip
    async def remove_note(request: Request, space: Name, id: str) -> Response:
        kept = _keeping(notes)

        def run() -> Response:
            open_space(space)
            kept.remove(space, id)
            return Response(status_code=204)

        return await pool.run(run, space)

    @app.get("/{space}/notes", summary="All notes", **_says(schemas.Notes, PLAIN))
    async def all_notes(request: Request, space: Name, format: Form = None) -> Response:
        def listing(opened: Opened) -> Record:
            found = notes.read(space) if notes else {}
            lines = [{"id": id, "url": answers.row_url(id), **note} for id, note in found.items()]
            return {"space": space, "notes": sorted(lines, key=lambda line: str(line["when"]), reverse=True)}

        return await answer(request, "notes", listing, space)

    @app.get("/{space}/rows/{id:path}", summary="All about a row", **_says(schemas.WholeRow, PLAIN))
    async def row(request: Request, space: Name, id: str, format: Form = None) -> Response:
        def whole(opened: Opened) -> Record:
            note = notes.read(space).get(id) if notes else None
            return {**answers.show_row(opened, id), "note": note}

        return await answer(request, "row", whole, space)

    _handle_errors(app, seconds)
    if rules.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=list(rules.origins), allow_methods=["GET", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
        )  # fmt: skip
    app.add_middleware(cast(Any, Guard), rules=rules)  # the last one stands before the others
    return app


_NONE: list[str] = []


def _says(model: type[BaseModel], forms: tuple[str, ...]) -> dict[str, Any]:
    """Return what the OpenAPI document says of the responses of an address."""
    others = {FORMS[form]: {"schema": {"type": "string"}} for form in forms if form != "json"}
    if "feed" in forms:
        others[FORMS["feed"]] = {"schema": {"type": "object"}}
    return {"responses": {200: {"model": model, "content": others}, **_errors()}}


def _errors() -> dict[int | str, dict[str, Any]]:
    others = {FORMS[form]: {"schema": {"type": "string"}} for form in PLAIN if form != "json"}
    return {
        status: {"model": schemas.Error, "description": said, "content": others} for status, said in _STATUS.items()
    }


def _add_table(app: FastAPI, kind: str, pool: Pool, open_space: Callable[[str], Opened]) -> None:
    media = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}[kind]
    body = {"schema": {"type": "string", "format": "binary"}}

    @app.get(
        f"/{{space}}/rows.{kind}", summary="The table with what the study found", operation_id=f"table_{kind}",
        response_class=StreamingResponse, responses={200: {"content": {media: body}}, **_errors()},
    )  # fmt: skip
    async def table(
        request: Request, space: Name, where: Condition = None,
        rows: Annotated[str | None, Query(max_length=100_000, description="As in 1,2,5-9")] = None,
    ) -> Response:  # fmt: skip
        def run() -> Response:
            opened = open_space(space)
            file = tempfile.TemporaryFile()  # closed when it has been sent
            try:
                tables.write_table(opened, file, kind, where=where, rows=rows)
            except BaseException:
                file.close()
                raise
            length = file.tell()
            file.seek(0)
            headers = {
                "content-disposition": f"attachment; filename*=utf-8''{quote(FilePath(space).name)}.{kind}",
                "content-length": str(length),
            }
            return StreamingResponse(_send(file), headers=headers, media_type=media)

        return await pool.run(run, space)


def _send(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _space_lines(shelf: Shelf) -> list[Record]:
    lines = []
    for name in shelf.names:
        line: Record = {"space": name, "url": f"{quote(name)}/", "rows": None, "generation": None, "error": None}
        try:
            space = shelf.open(name).space
            line |= {"rows": len(space), "generation": space.generation}
        except UnreadableError as error:
            line["error"] = error.cause.came
        lines.append(line)
    return lines


def _keeping(notes: Notes | None) -> Notes:
    if notes is None:
        raise ForbiddenError("Notes are not kept here.", todo="codomain serve ... --notes FOLDER")
    return notes


class ForbiddenError(UserError):
    """What may not be done here."""


def _handle_errors(app: FastAPI, seconds: float) -> None:
    """Answer every error in words."""
    by_kind: tuple[tuple[type[UserError], int], ...] = (
        (NoFormError, 406), (ForbiddenError, 403), (MissingError, 404), (DamagedError, 503), (UserError, 422),
    )  # fmt: skip

    @app.exception_handler(UserError)
    async def user_error(request: Request, error: UserError) -> Response:
        status = next(status for kind, status in by_kind if isinstance(error, kind))
        if status == 503:
            say(f"{request.url.path}: {error.came}")
        return refuse(request.scope, status, error)

    @app.exception_handler(UnreadableError)
    async def unreadable(request: Request, error: UnreadableError) -> Response:
        return refuse(request.scope, 503, error.cause)

    @app.exception_handler(TimeoutError)
    async def late(request: Request, error: TimeoutError) -> Response:
        came = f"No answer within {seconds:,.0f} seconds."
        return refuse(request.scope, 503, UserError(came, needed="a smaller question, or fewer at once"))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or "body"
        return refuse(request.scope, 422, UserError(f"{place}: {first['msg']}.", needed="what /openapi.json says"))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        answer = refuse(request.scope, error.status_code, UserError(f"{error.detail}: {request.url.path[:200]}"))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        return refuse(request.scope, 500, UserError("This should not have happened; the terminal says more."))
