"""`tessera credential`: decisions and entrustments that a learner may carry away, signed."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.console import (
    FAILED,
    USAGE,
    HomeOption,
    JsonOption,
    emit,
    fail,
    home_and_settings,
    out,
)

app = typer.Typer(
    help="Portable records: Open Badges 3.0 and CLR 2.0, signed with the institution's key.",
    epilog="Example: tessera credential issue L-4F7K2QXA3M --out record",
    no_args_is_help=True,
)


@app.command(
    epilog='Example: tessera credential key --issuer "School of Medicine" '
    '--url https://med.example.org/credentials --by "A. Muster"'
)
def key(
    issuer: Annotated[str, typer.Option(help="The institution's name.")],
    url: Annotated[str, typer.Option(help="Where it publishes its public key.")],
    by: Annotated[str, typer.Option("--by", help="The person who makes it.")],
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Make the institution's key, once, in the vault; back it up with the vault.

    Next: publish the public key that this prints, then tessera credential issue.
    """
    from pipelines.identity.named import UnnamedError
    from pipelines.identity.signing import SigningError, make_key

    where, _ = home_and_settings(home)
    try:
        signer = make_key(where, issuer, url, by)
    except (SigningError, UnnamedError) as error:
        fail(USAGE, str(error))
    public = signer.public_jwk | {"kid": signer.key_id}
    if json:
        emit(public)
    else:
        out.print(f"The public key, to be published at {url}:", soft_wrap=True)
        out.print_json(data=public)
        out.print("Next: tessera credential issue LEARNER --out DIR")


@app.command(epilog="Example: tessera credential issue L-4F7K2QXA3M --out record")
def issue(
    learner: Annotated[str, typer.Argument(help="The learner's key.")],
    to: Annotated[Path, typer.Option("--out", help="A new folder.")],
    edition: Annotated[
        str | None, typer.Option("--edition", help="Default: the current one.", show_default=False)
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write a learner's decisions and entrustments as signed badges and one record.

    Each badge gets a place in the institution's status list, for ever.

    Next: hand the folder to the learner, and publish tessera credential status.
    """
    from pipelines.committee import credentials
    from pipelines.committee.edition import EditionError, find
    from pipelines.committee.people import everybody
    from pipelines.home import HomeError
    from pipelines.identity.issued import RegisterError, give_places
    from pipelines.identity.signing import SigningError, open_key

    where, settings = home_and_settings(home)
    try:
        source = find(where, edition)
        source.verify()
        signer = open_key(where)
        people = everybody(where, settings)
        issued = credentials.issue(source, signer, learner, people, partial(give_places, where))
        files = dict(issued)
        to.mkdir(parents=True)
    except (EditionError, SigningError, RegisterError, credentials.CredentialError) as error:
        fail(USAGE, str(error))
    except HomeError as error:
        fail(FAILED, str(error))
    except OSError as error:
        fail(USAGE, f"{to} cannot be made, or is there already: {error.strerror}")
    for name, data in files.items():
        (to / name).write_bytes(data)
    n_badges = sum(name.startswith("badge-") for name in files)
    if json:
        emit({"learner_key": learner, "badges": n_badges, "path": str(to)})
    else:
        out.print(f"{n_badges} signed badges and the record that holds them in {to}")
        out.print(f"Next: tessera credential verify {to}/clr.jwt --key {to}/issuer.jwk.json")


@app.command(epilog="Example: tessera credential status --out status.jwt")
def status(
    to: Annotated[Path, typer.Option("--out", help="The file to write; one there is replaced.")],
    edition: Annotated[
        str | None, typer.Option("--edition", help="Default: the current one.", show_default=False)
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Write the signed list that says which badges no longer stand.

    Revoked is what was issued and would not be issued any more by the edition: the decision was
    corrected or struck. The list names no person and no decision.

    Next: publish it where the badges point to; make it again whenever an edition is published.
    """
    from pipelines.committee import credentials
    from pipelines.committee.edition import EditionError, find
    from pipelines.identity.issued import RegisterError, places
    from pipelines.identity.signing import SigningError, open_key

    where, _ = home_and_settings(home)
    try:
        source = find(where, edition)
        source.verify()
        signer = open_key(where)
        known = places(where)
        data, revoked = credentials.status_list(source, signer, known)
        to.write_bytes(data)
    except (EditionError, SigningError, RegisterError) as error:
        fail(USAGE, str(error))
    except OSError as error:
        fail(USAGE, f"{to} cannot be written: {error.strerror}")
    address = credentials.status_address(signer)
    if json:
        emit({"issued": len(known), "revoked": list(revoked), "address": address, "path": str(to)})
    else:
        out.print(f"{to}: of {len(known)} badges that were issued, {len(revoked)} are revoked.")
        out.print(f"Next: publish it at {address}", soft_wrap=True)


@app.command(
    epilog="Example: tessera credential verify record/clr.jwt --key issuer.jwk.json && echo genuine"
)
def verify(
    file: Annotated[Path, typer.Argument(help="A .jwt file.")],
    public: Annotated[
        Path, typer.Option("--key", help="The public key, from where the issuer publishes it.")
    ],
    listed: Annotated[
        Path | None,
        typer.Option(
            "--status", help="The status list, from where the badge says.", show_default=False
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Tell whether a badge or record is what the holder of a key signed, and still stands.

    Whether it still stands is told by the status list, and not said without it. Exit codes: 0 it is
    genuine; 2 a file cannot be read; 3 it is not genuine, or a badge in it is revoked.
    """
    import json as reader

    from pipelines.committee.credentials import CredentialError, badges_of, revoked_within, verify

    try:
        token = file.read_text(encoding="utf-8")
        jwk = reader.loads(public.read_text(encoding="utf-8"))
        told = listed.read_text(encoding="utf-8") if listed else None
    except (OSError, ValueError) as error:
        fail(USAGE, f"a file cannot be read: {error}")
    try:
        claims = verify(token, jwk)
        revoked = [badge["id"] for badge in revoked_within(claims, told, jwk)] if told else []
    except CredentialError as error:
        fail(FAILED, str(error))
    held = badges_of(claims)
    if json:
        emit(
            {
                "ok": not revoked,
                "issuer": claims["iss"],
                "names": [badge["name"] for badge in held],
                "status_checked": told is not None,
                "revoked": revoked,
            }
        )
    else:
        out.print(f"Signed by {claims['issuer']['name']} ({claims['iss']}):", soft_wrap=True)
        for badge in held:
            said = "  REVOKED" if badge["id"] in revoked else ""
            out.print(f"  {badge['validFrom'][:10]} {badge['name']}{said}", markup=False)
        if told is None:
            addresses = {
                badge["credentialStatus"]["statusListCredential"]
                for badge in held
                if "credentialStatus" in badge
            }
            for address in sorted(addresses):
                out.print(
                    f"Whether it still stands was not looked up. Next: --status with {address}",
                    soft_wrap=True,
                )
    if revoked:
        raise typer.Exit(FAILED)
