"""`tessera serve`: built pages in a browser, read-only, on this machine alone."""

from __future__ import annotations

import socket
from typing import Annotated

import typer

from pipelines.commands.console import USAGE, HomeOption, fail, home_and_settings, out

UNPRIVILEGED = 1024


def command(
    role: Annotated[
        str, typer.Option(help="Whose pages: committee, learner, mentor or programme.")
    ] = "committee",
    person: Annotated[
        str | None,
        typer.Option("--for", help="The learner's or mentor's key.", show_default=False),
    ] = None,
    port: Annotated[int, typer.Option(help="0 takes one that is free.", max=65535)] = 8765,
    home: HomeOption = None,
) -> None:
    """Show the built pages of one role on 127.0.0.1, until it is interrupted.

    Nothing can be written, and nothing is shown that was not built for the role. The pages open
    from disk as well.

    Example: tessera serve --role committee    then open http://127.0.0.1:8765
    """
    import uvicorn

    from pipelines.committee.pack import PackError
    from pipelines.committee.roles import ROLES
    from pipelines.committee.serve import ADDRESS, application

    if role not in ROLES:
        fail(USAGE, f"--role is one of {', '.join(ROLES)}; {role!r} is none of them")
    where, _ = home_and_settings(home)
    try:
        app = application(where, role, person)
    except PackError as error:
        fail(USAGE, str(error))
    if 0 < port < UNPRIVILEGED or port < 0:
        fail(USAGE, f"--port is 0, or from {UNPRIVILEGED} to 65535; {port} is not")
    try:
        listening = socket.create_server((ADDRESS, port))
    except OSError as error:
        fail(
            USAGE,
            f"port {port} cannot be used: {error.strerror}. Name another with --port; 0 takes one "
            "that is free",
        )
    with listening:
        bound = listening.getsockname()[1]
        out.print(f"Pages for {role}: open http://{ADDRESS}:{bound}    Next: Ctrl-C ends it")
        config = uvicorn.Config(app, log_level="warning", server_header=False)
        uvicorn.Server(config).run(sockets=[listening])
