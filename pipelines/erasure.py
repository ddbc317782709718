"""Erases a person from everything that a home keeps, and puts on record that it was done.

The one exception to what never changes: archive, log, vault, quarantine, editions and packs are
rewritten without the person. The record holds old and new hash of every file, and no id. At the
end every file is searched again.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
from markupsafe import escape

from pipelines.committee.erase import erase_from_frozen
from pipelines.committee.freeze import members
from pipelines.committee.pack import build as build_pack
from pipelines.home import Home
from pipelines.identity.bridge import Node
from pipelines.identity.decisions import Decision, Identity, decide
from pipelines.identity.decisions import folder as decisions_folder
from pipelines.identity.named import named, reasoned
from pipelines.identity.people import Foldings, Registry
from pipelines.identity.tombstones import Tombstone, by_content, write_tombstone
from pipelines.identity.vault import Keys, open_keys
from pipelines.intake.erase import (
    BATCH_ROWS,
    Taken,
    as_parquet,
    erase_delivery,
    frames,
    holds_any,
    put_restricted,
    remove_older,
    write_restricted,
)
from pipelines.intake.erase_target import Target
from pipelines.intake.erased import ErasedDelivery, ErasedFile, Erasure, write_erasure
from pipelines.intake.ids import LONG_ID
from pipelines.intake.present import present_links
from pipelines.intake.records import active_records, deliveries, receipts
from pipelines.settings import Settings
from pipelines.sources import catalogue
from pipelines.warehouse.editions import editions
from pipelines.warehouse.erase import erase_from_edition
from pipelines.warehouse.tables import file_hash

LONG_NAME = 4
TEXTS = {".json", ".jsonl", ".txt", ".log", ".csv", ".html", ".md", ".yaml", ".yml", ""}
_PATIENCE = 60.0


class ErasureError(Exception):
    """A person cannot be erased; the message says why and what to do."""


def erase(
    home: Home,
    settings: Settings,
    identity: Identity,
    *,
    by: str,
    reason: str,
    foldings: Foldings,
) -> Erasure:
    """Erase a person, by any one identity.

    Raises:
        ErasureError: a legal hold stands, or deliveries wait to be read.
        UnnamedError: nobody answers for it, or no reason is given.
    """
    named(by), reasoned(reason)
    with home.writing(timeout=_PATIENCE):
        work = _Erasing(home, settings, identity, foldings)
        work.refuse_where_forbidden()
        erasure = work.run(by, reason)
    for edition_id in work.packs:
        build_pack(home, settings, edition_id)
    left = sorted(work.left())
    if left:
        listed = ", ".join(left[:5])
        erasure = erasure.model_copy(
            update={"notes": (*erasure.notes, f"these files still name the person: {listed}")}
        )
    write_erasure(home, erasure)
    return erasure


class _Erasing:
    def __init__(
        self, home: Home, settings: Settings, identity: Identity, foldings: Foldings
    ) -> None:
        self._home, self._settings = home, settings
        self._catalogue = catalogue.load(settings)
        self._records = active_records(home)
        pairs = [(record.delivery_id, record.interpretation_id) for record in self._records]
        self._registry = Registry(home, pairs, foldings, present_links(home, self._records))
        self._identity = identity
        self._identities = self._registry.identities_of(identity)
        self._files: dict[str, ErasedFile] = {}
        self.packs: list[str] = []
        self._target: Target | None = None
        self._keys: dict[str, str] = {}

    def refuse_where_forbidden(self) -> None:
        """Refuse under a legal hold, and while it is not known what some deliveries hold."""
        for hold in self._registry.holds_on(self._identities):
            raise ErasureError(
                f"{self._identity.masked} is under a legal hold since {hold.decided_at:%Y-%m-%d}, "
                f"by {hold.by}: {hold.reason}. Nothing was erased. Once it no longer stands: "
                "tessera identity release"
            )
        read = {record.delivery_id for record in self._records}
        waiting = sorted(set(deliveries(self._home)) - read)
        if waiting:
            raise ErasureError(
                f"{len(waiting):,} deliveries wait to be read, and may name the person: run "
                "tessera run first. Nothing was erased"
            )

    def run(self, by: str, reason: str) -> Erasure:
        """Rewrite everything but the packs."""
        erasure_id = secrets.token_hex(6)
        now = datetime.now(UTC)
        keys = open_keys(self._home)
        stone = self._tombstone(erasure_id, keys)
        target = self._target = self._described(stone, keys)
        person_keys = self._keys = self._person_keys(keys, target)
        taken = list(self._erase_deliveries(target))
        self._forget_work(target)
        self._erase_editions(target, erasure_id, now)
        n_frozen = erase_from_frozen(
            self._home,
            keys=person_keys,
            holds=lambda name, content: _is_held(name, content, target, person_keys),
            scrub=target.scrub,
            record_id=erasure_id,
            by=target.scrub(named(by)),
            reason=target.scrub(reason),
            erased_at=now,
            change=self._change,
        )
        self._scrub_tables(person_keys, target)
        self._forget_decisions(target)
        self._scrub_texts(target)
        decide(
            self._home,
            "erase",
            by=by,
            reason=target.scrub(reason),
            details={"erasure_id": erasure_id, "n_identities": len(self._identities)},
            decided_at=now,
        )
        sha256s = self._sha256s(taken)
        notes = (*self._forget_inbox(sha256s), *self._notes(taken, n_frozen))
        erasure = Erasure(
            erasure_id=erasure_id,
            erased_at=now,
            by=named(by),
            reason=target.scrub(reason),
            n_records=sum(item.n_records for item in taken),
            deliveries=tuple(map(_told, taken)),
            sha256s=tuple(sorted(sha256s.values())),
            files=tuple(self._files.values()),
            notes=notes,
        )
        write_erasure(self._home, erasure)
        return erasure

    def _erase_editions(self, target: Target, erasure_id: str, now: datetime) -> None:
        for edition in editions(self._home):
            if erase_from_edition(
                self._home.editions / edition.edition_id,
                keys=self._keys,
                pattern=target.pattern,
                scrub=target.scrub,
                erasure_id=erasure_id,
                erased_at=now,
                change=self._change,
            ):
                self._forget_pack(edition.edition_id)

    def left(self) -> Iterator[str]:
        """Yield the files of the home that still hold a word of the person."""
        target = self._target
        if target is None or not target.words:
            return
        for path in _files(self._home.root):
            if _holds(path, target):
                yield path.relative_to(self._home.root).as_posix()

    def _tombstone(self, erasure_id: str, keys: Keys) -> Tombstone:
        """Return the tombstone of the person; the first, where they are erased again."""
        own = keys.content_of(self._identity.namespace, self._identity.person_id)
        standing = by_content(self._home).get(own)
        if standing is not None:
            return standing
        return write_tombstone(self._home, erasure_id, self._identities, keys)

    def _described(self, stone: Tombstone, keys: Keys) -> Target:
        sets = self._registry.sets
        ids = {(item.namespace, item.person_id) for item in self._identities}
        first = [node for item in [self._identity] for node in sets.nodes_of(item)]
        own = {sets.earliest(node) for node in first}
        nodes = [(n, pseudonym) for n, pseudonym, _ in sets.met() if sets.earliest(n) in own]
        shared = {(n.namespace, n.person_id) for n, _ in nodes if sets.validity(n) != (None, None)}
        return Target(
            ids=frozenset(ids - shared),
            shared=frozenset(shared),
            stretches=tuple(sorted({(p, *sets.validity(n)) for n, p in nodes}, key=str)),
            words=frozenset(self._words(ids - shared, {n for n, _ in nodes})),
            stone_id=stone.person_id,
            stone_pseudonym=stone.pseudonym(keys),
        )

    def _words(self, ids: Iterable[tuple[str, str]], nodes: set[Node]) -> Iterator[str]:
        """Yield the texts that give the person away wherever they stand."""
        for _, person_id in ids:
            if len(person_id) >= LONG_ID:
                yield person_id
        described = self._registry.people.filter(pl.col("event_id").is_not_null())
        rows = list(described.iter_rows(named=True))
        own = [row for row in rows if self._registry.sets.node_of(row) in nodes]
        namesakes = {r["family_name"] for r in rows if self._registry.sets.node_of(r) not in nodes}
        for row in own:
            given, family = row["given_name"] or "", row["family_name"] or ""
            if row["email"]:
                yield row["email"]
            if len(family) >= LONG_NAME and family not in namesakes:
                yield family
            if given and family:
                yield from (f"{given} {family}", f"{family} {given}", f"{family}, {given}")

    def _person_keys(self, keys: Keys, target: Target) -> dict[str, str]:
        """Return the person's keys, each with the key that stands in its place."""
        sets = self._registry.sets
        own = {
            (sets.person_key(node, keys), node.role)
            for node, pseudonym, _ in sets.met()
            if (pseudonym, *sets.validity(node)) in target.stretches
        }
        return {
            key: keys.person_key_of(role, "erased", target.stone_id) for key, role in sorted(own)
        }

    def _change(self, path: Path, content: bytes | Path | None) -> None:
        """Write or remove a file, with its hashes on record; its name tells no key of theirs."""
        name = path.relative_to(self._home.root).as_posix()
        for key, stone in self._keys.items():
            name = name.replace(key, stone)
        old = file_hash(path) if path.exists() else ""
        if content is None:
            path.unlink(missing_ok=True)
            new = None
        elif isinstance(content, Path):
            put_restricted(path, content)
            new = file_hash(path)
        else:
            write_restricted(path, content)
            new = hashlib.sha256(content).hexdigest()
        if old != new:
            first = self._files.get(name)
            self._files[name] = ErasedFile(
                path=name, old_sha256=first.old_sha256 if first else old, new_sha256=new
            )

    def _erase_deliveries(self, target: Target) -> Iterator[Taken]:
        first = deliveries(self._home)
        for record in self._records:
            receipt = first.get(record.delivery_id)
            if receipt is None:
                continue
            taken = erase_delivery(
                self._home, record, receipt, target, self._catalogue, self._change
            )
            if taken is not None:
                remove_older(self._home, record, self._change)
                yield taken

    def _forget_work(self, target: Target) -> None:
        """Remove what can be made again, or was only kept to look into a failure."""
        del target
        for folder in (
            self._home.staging,
            self._home.warehouse.parent,
            self._home.views,
            self._home.restricted / "unmatched",
            self._home.restricted / "failures",
        ):
            if folder.exists():
                shutil.rmtree(folder)
        self._home.staging.mkdir()
        self._home.warehouse.parent.mkdir()

    def _forget_pack(self, edition_id: str) -> None:
        pack = self._home.packs / edition_id
        if pack.exists():
            for path in _files(pack):
                self._change(path, None)
            shutil.rmtree(pack)
            self.packs.append(edition_id)

    def _scrub_tables(self, keys: dict[str, str], target: Target) -> None:
        """Put the tombstone's key into calibrations."""
        for path in sorted(self._home.calibrations.rglob("*.parquet")):
            frame = pl.read_parquet(path)
            texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
            clean = target.scrubbed(frame.with_columns(pl.col(texts).replace(keys)))
            if not clean.equals(frame):
                self._change(path, as_parquet(clean))

    def _forget_decisions(self, target: Target) -> None:
        """Take the person's ids out of decisions about identities."""
        for path in sorted(decisions_folder(self._home).glob("*.json")):
            decision = Decision.model_validate_json(path.read_bytes())
            kept = tuple(
                item
                for item in decision.identities
                if (item.namespace, item.person_id) not in target.ids
            )
            clean = decision.model_copy(
                update={"identities": kept, "reason": target.scrub(decision.reason)}
            )
            if clean != decision:
                self._change(path, clean.to_bytes())

    def _scrub_texts(self, target: Target) -> None:
        """Take the words out of every text file that is left: receipts, runs, logs."""
        skipped = {self._home.inbox, self._home.archive, self._home.editions, self._home.packs}
        for path in _files(self._home.root):
            if path.suffix not in TEXTS or skipped & set(path.parents):
                continue
            try:
                text = path.read_bytes().decode()
            except (UnicodeDecodeError, OSError):
                continue
            clean = target.scrub(text)
            if clean != text:
                self._change(path, clean.encode())

    def _sha256s(self, taken: Iterable[Taken]) -> dict[str, str]:
        touched = {item.delivery_id for item in taken}
        return {r.delivery_id: r.sha256 for r in self._records if r.delivery_id in touched}

    def _forget_inbox(self, sha256s: dict[str, str]) -> Iterator[str]:
        """Remove delivered files that still lie in the inbox; tell those that lie elsewhere."""
        gone = set(sha256s.values())
        for receipt in receipts(self._home):
            path = self._home.inbox / receipt.file
            is_sent = receipt.sha256 in gone and receipt.replayed_by is None
            if is_sent and path.is_file() and file_hash(path) == receipt.sha256:
                self._change(path, None)
        elsewhere = [r for r in receipts(self._home) if r.sha256 in gone and not r.replayed_by]
        if elsewhere:
            yield (
                "copies outside this home are yours to remove: the senders' exports, other "
                "inboxes, exported sheets, backups"
            )

    def _notes(self, taken: Iterable[Taken], n_frozen: int) -> Iterator[str]:
        if self._target is not None and self._target.shared:
            yield (
                "other people had one of the ids too: refused records that name it were kept, work "
                "them with tessera quarantine list"
            )
        frozen = [item.delivery_id for item in taken if item.is_frozen]
        if frozen:
            yield (
                f"the delivered bytes of {', '.join(frozen)} are gone, since their format cannot "
                "be rewritten row by row: these deliveries stay as they were read"
            )
        if n_frozen:
            yield (
                f"{n_frozen} frozen packs held the person: their files without the person stay as "
                "they were frozen, and tessera pack reprint names this erasure"
            )


def _told(taken: Taken) -> ErasedDelivery:
    return ErasedDelivery(
        delivery_id=taken.delivery_id,
        rows=tuple(sorted(taken.rows)),
        is_frozen=taken.is_frozen,
    )


def _files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def _holds(path: Path, target: Target) -> bool:
    """Tell whether a file holds a word of the person, whatever it is packed in."""
    with path.open("rb") as file:
        begin = file.read(12)
    if begin[8:12] == b"DUCK":
        with duckdb.connect(str(path), read_only=True) as con:
            tables = con.execute("select table_name from duckdb_tables()").fetchall()
            return any(
                _frame_holds(pl.DataFrame(batch), target)
                for (table,) in tables
                for batch in con.sql(f'from "{table}"').to_arrow_reader(BATCH_ROWS)
            )
    if begin[:4] == b"PAR1":
        return any(_frame_holds(frame, target) for frame in frames(path))
    if begin[:4] == b"PK\x03\x04" and zipfile.is_zipfile(path):
        return _is_held(path.name, path.read_bytes(), target, ())
    return holds_any(path, _written(target))


def _written(target: Target) -> set[bytes]:
    return {
        text.lower().encode(encoding, "ignore")
        for word in target.words
        for text in {word, str(escape(word))}
        for encoding in ("utf-8", "utf-16-le")
    }


def _is_held(name: str, content: bytes, target: Target, keys: Iterable[str]) -> bool:
    """Tell whether bytes hold a word or a key of the person, or files that do."""
    keys = tuple(keys)
    if content[:4] == b"PAR1":
        frame = pl.read_parquet(io.BytesIO(content))
        return _frame_holds(frame, target) or any(_frame_has(frame, key) for key in keys)
    if content[:4] == b"PK\x03\x04" and zipfile.is_zipfile(io.BytesIO(content)):
        return any(_is_held(*member, target, keys) for member in members(content))
    low = content.lower()
    return any(key in name or key.lower().encode() in low for key in keys) or any(
        word in low for word in _written(target) - {b""}
    )


def _frame_has(frame: pl.DataFrame, key: str) -> bool:
    return bool(_as_text(frame).str.contains(key, literal=True).any())


def _as_text(frame: pl.DataFrame) -> pl.Series:
    """Return each row of a frame as one text."""
    if not frame.width:
        return pl.Series(dtype=pl.String)
    return frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()


def _frame_holds(frame: pl.DataFrame, target: Target) -> bool:
    text = _as_text(frame)
    return bool(target.pattern) and bool(text.str.contains(target.pattern).any())
