"""Built pages, read-only, to this machine alone: what a manifest names, and nothing else.

A path is looked up in the manifest and never in the file system, so that no path leads out; bytes
that are not those that were built are not sent.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pipelines.committee.pack import MANIFEST, PackError
from pipelines.committee.roles import COMMITTEE, PROGRAMME
from pipelines.committee.site import File
from pipelines.committee.views import folder_of
from pipelines.home import Home
from pipelines.warehouse.editions import current_id, editions

ADDRESS = "127.0.0.1"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What goes with every answer; each page says for itself which script it may run."""

LISTING = "default-src 'none'; frame-ancestors 'none'"


class _Files(BaseModel):
    files: dict[str, File]


@dataclass(frozen=True)
class Shelf:
    """The built pages of one role, by edition."""

    home: Home
    role: str
    person_key: str | None

    def folder(self, edition_id: str) -> Path:
        """Return where the pages of an edition would lie."""
        if self.role == COMMITTEE:
            return self.home.packs / edition_id
        return folder_of(self.home, self.role, edition_id, self.person_key)

    def built(self) -> list[str]:
        """Return the published editions that have pages for this role, the newest first."""
        found = [edition.edition_id for edition in editions(self.home)]
        there = [e for e in found if (self.folder(e) / MANIFEST).is_file()]
        current = current_id(self.home)
        return sorted(there, key=lambda e: (e != current, -found.index(e)))

    def read(self, edition_id: str, name: str) -> bytes:
        """Return a file as it was built.

        Raises:
            KeyError: there is no such edition, or its manifest names no such file.
            PackError: the file is not what was built.
        """
        if edition_id not in self.built():
            raise KeyError(edition_id)
        folder = self.folder(edition_id)
        try:
            manifest = _Files.model_validate_json((folder / MANIFEST).read_bytes())
        except (OSError, ValidationError):
            raise PackError(f"the manifest of {edition_id} cannot be read") from None
        built = manifest.files[name]
        try:
            data = (folder / name).read_bytes()
        except OSError:
            raise PackError(f"{name} is gone: build the pages again") from None
        if hashlib.sha256(data).hexdigest() != built.sha256:
            raise PackError(f"{name} is not what was built: build the pages again")
        return data


def application(home: Home, role: str, person_key: str | None = None) -> Starlette:
    """Return the server of one role's pages.

    Raises:
        PackError: a person is missing or too many, or nothing was built for the role.
    """
    if (role in (COMMITTEE, PROGRAMME)) != (person_key is None):
        wants = "no person" if role in (COMMITTEE, PROGRAMME) else "a person: --for KEY"
        raise PackError(f"the role {role} goes with {wants}")
    shelf = Shelf(home, role, person_key)
    if not shelf.built():
        told = f" --for {person_key}" if person_key else ""
        raise PackError(
            f"there are no pages for {role}: make them with `tessera pack build --role {role}"
            f"{told}`"
        )

    def listing(_: Request) -> Response:
        built = shelf.built()
        if len(built) == 1:
            return RedirectResponse(f"/{built[0]}/index.html")
        current = current_id(home)
        lines = "".join(
            f'<li><a href="/{escape(e)}/index.html">{escape(e)}</a>'
            f"{' (current)' if e == current else ''}</li>"
            for e in built
        )
        page = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Editions</title>'
            f"</head><body><main><h1>Editions for {escape(role)}</h1><ul>{lines}</ul></main>"
            "</body></html>"
        )
        return HTMLResponse(page, headers={"Content-Security-Policy": LISTING})

    def page(request: Request) -> Response:
        name = request.path_params["name"] or "index.html"
        try:
            data = shelf.read(request.path_params["edition_id"], name)
        except KeyError:
            raise HTTPException(404) from None
        except PackError as error:
            raise HTTPException(409, str(error)) from None
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(data, media_type=kind)

    return Starlette(
        routes=[
            Route("/", listing, methods=["GET"]),
            Route("/{edition_id}/{name:path}", page, methods=["GET"]),
        ],
        middleware=[
            Middleware(BaseHTTPMiddleware, dispatch=_guarded),
            Middleware(TrustedHostMiddleware, allowed_hosts=[ADDRESS, "localhost"]),
        ],
    )


async def _guarded(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Put the headers on every answer, also on those that refuse."""
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
