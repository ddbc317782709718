"""`tessera credential`: decisions and entrustments that a learner may carry away, signed."""

from __future__ import annotations

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

    Next: hand the folder to the learner; anybody verifies it with tessera credential verify.
    """
    from pipelines.committee import credentials
    from pipelines.committee.edition import EditionError, find
    from pipelines.committee.people import everybody
    from pipelines.identity.signing import SigningError, open_key

    where, settings = home_and_settings(home)
    try:
        source = find(where, edition)
        source.verify()
        signer = open_key(where)
        files = dict(credentials.issue(source, signer, learner, everybody(where, settings)))
        to.mkdir(parents=True)
    except (EditionError, SigningError, credentials.CredentialError) as error:
        fail(USAGE, str(error))
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


@app.command(
    epilog="Example: tessera credential verify record/clr.jwt --key issuer.jwk.json && echo genuine"
)
def verify(
    file: Annotated[Path, typer.Argument(help="A .jwt file.")],
    public: Annotated[
        Path, typer.Option("--key", help="The public key, from where the issuer publishes it.")
    ],
    json: JsonOption = False,
) -> None:
    """Tell whether a badge or record is what the holder of a key signed."""
    import json as reader

    from pipelines.committee.credentials import CredentialError, verify

    try:
        token = file.read_text(encoding="utf-8")
        jwk = reader.loads(public.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fail(USAGE, f"a file cannot be read: {error}")
    try:
        claims = verify(token, jwk)
    except CredentialError as error:
        fail(FAILED, str(error))
    held = claims["credentialSubject"].get("verifiableCredential", [claims])
    if json:
        emit({"ok": True, "issuer": claims["iss"], "names": [c["name"] for c in held]})
        return
    out.print(f"Signed by {claims['issuer']['name']} ({claims['iss']}):", soft_wrap=True)
    for credential in held:
        out.print(f"  {credential['validFrom'][:10]} {credential['name']}", markup=False)
