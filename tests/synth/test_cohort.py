from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.home import Home
from pipelines.intake.receive import receive
from pipelines.settings import Settings
from pipelines.synth.cohort import fill, make
from pipelines.synth.request import EXPORTED_BEFORE, FORMATS, Request, RequestError, truth_beside
from pipelines.synth.truth import MANIFEST

SMALL = {"learners": 9, "years": 2}


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_seed_gives_the_same_bytes_in_every_format(form: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        make(Request(**SMALL, format=form), tmp_path / name / "inbox")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert digests(tmp_path / "one")


def test_another_seed_gives_another_cohort(tmp_path: Path) -> None:
    for seed in (1, 2):
        make(Request(**SMALL, seed=seed), tmp_path / str(seed) / "inbox")
    one, other = digests(tmp_path / "1"), digests(tmp_path / "2")
    feedback = "inbox/example_msf/msf_to_20261120.csv"
    assert one[feedback] != other[feedback]


def test_a_meeting_sees_what_was_exported_before_it_and_decides_before_it_is_told(
    tmp_path: Path,
) -> None:
    request = Request(**SMALL)
    make(request, tmp_path / "inbox")
    newest = [on for on in request.meeting_days if on <= request.parameters.school.last_day.value][
        -1
    ]
    exported = newest - EXPORTED_BEFORE

    def days(source: str, column: str) -> set[tuple[date, date]]:
        """Return when something happened, and when its file was sent."""
        found = set()
        for path in (tmp_path / "inbox" / source).glob("*.manifest.json"):
            sent = datetime.fromisoformat(json.loads(path.read_text())["sent_at"]).date()
            file = path.with_name(path.name.removesuffix(".manifest.json"))
            read = pl.read_ndjson if file.suffix == ".jsonl" else pl.read_csv
            rows = read(file).filter(pl.col(column).is_not_null())[column].str.head(10)
            found |= {(date.fromisoformat(day), sent) for day in rows}
        return found

    for source, column in (
        ("example_progress", "Date"),
        ("example_osce", "at"),
        ("example_essays", "Handed in"),
        ("example_msf", "Date"),
    ):
        for day, sent in days(source, column):
            assert day <= sent
            assert sent <= newest or day > exported, source
    assert {day for day, _ in days("example_decisions", "at")} >= {newest}
    assert all(day <= sent for day, sent in days("example_decisions", "at"))


@pytest.mark.slow
def test_blocks_give_the_same_bytes_with_any_number_of_workers(tmp_path: Path) -> None:
    request = Request(learners=1100, years=1, format="parquet")
    assert len(request.blocks) == 3
    for workers in (1, 2):
        make(request, tmp_path / str(workers) / "inbox", workers=workers)
    assert digests(tmp_path / "1") == digests(tmp_path / "2")


def test_a_learner_does_not_depend_on_how_many_come_after(tmp_path: Path) -> None:
    """Blocks are made from their own numbers, so that any size streams."""
    for learners in (500, 501):
        make(Request(learners=learners, years=1), tmp_path / str(learners) / "inbox")
    first = pl.read_parquet(tmp_path / "500/inbox-truth/ratings/0000.parquet")
    same = pl.read_parquet(tmp_path / "501/inbox-truth/ratings/0000.parquet")
    assert first.equals(same)


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "mine.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(RequestError, match="not empty"):
        fill(tmp_path / "inbox")
    assert list(digests(tmp_path)) == ["inbox/mine.csv"]


@pytest.mark.parametrize(
    ("out", "truth", "words"),
    [
        ("inbox", "inbox", "where intake would read the truth"),
        ("inbox", "inbox/truth", "where intake would read the truth"),
        ("inbox/sub", None, "lies in an inbox"),
        ("deliveries", "home/inbox/truth", "lies in an inbox"),
        ("truth/deliveries", "truth", "holds the deliveries"),
    ],
)
def test_the_truth_is_never_put_where_intake_reads(
    out: str, truth: str | None, words: str, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=words):
        make(
            Request(**SMALL),
            tmp_path / out,
            None if truth is None else tmp_path / truth,
        )
    assert digests(tmp_path) == {}


def test_intake_receives_the_deliveries_and_nothing_of_the_truth(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    made = make(Request(**SMALL, format="jsonl"), home.inbox)
    secret = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in (made.truth, made.site)
        if folder is not None
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert secret
    report = receive(home, Settings(home=home.root, site=made.site), settle=0)
    archived = {path.name for path in home.archive.rglob("*") if path.is_file()}
    assert report.n_files == made.n_files
    assert archived
    assert not archived & secret
    assert made.truth == home.root / "inbox-truth"


def test_every_delivery_is_announced_with_its_hash_and_time(tmp_path: Path) -> None:
    made = make(Request(**SMALL), tmp_path / "inbox")
    deliveries = pl.read_parquet(made.truth / "deliveries.parquet")
    sent = deliveries.filter(pl.col("known_at").is_not_null())
    assert sent.height > 20
    for row in sent.iter_rows(named=True):
        path = made.out / row["file"]
        manifest = json.loads(
            path.with_name(path.name + ".manifest.json").read_text(encoding="utf-8")
        )
        assert manifest["sent_at"] == row["known_at"]
        assert manifest["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_truth_says_what_was_asked_for_and_what_was_planted(tmp_path: Path) -> None:
    request = Request(**SMALL, seed=5, mess="high", effects={"plateau": 0.5})
    made = make(request, tmp_path / "inbox")
    told = json.loads((made.truth / MANIFEST).read_text(encoding="utf-8"))
    assert told["seed"] == 5
    assert told["mess"] == "high"
    assert told["patterns"]["plateau"]["effect"] == 0.5
    assert (made.truth / "parameters.yaml").read_text(encoding="utf-8").startswith("# The one")
    for table in ("learners", "assessors", "abilities", "ratings", "calendar", "contexts"):
        assert pl.read_parquet(made.truth / table / "0000.parquet").height > 0


def test_the_default_truth_lies_beside_the_deliveries(tmp_path: Path) -> None:
    assert truth_beside(tmp_path / "home" / "inbox") == tmp_path / "home" / "inbox-truth"


def test_a_bundle_holds_a_complete_and_dateless_oneroster_manifest(tmp_path: Path) -> None:
    made = make(Request(**SMALL, format="oneroster"), tmp_path / "inbox")
    (bundle,) = (made.out / "oneroster_bulk").glob("*.zip")
    with zipfile.ZipFile(bundle) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(2000, 1, 1, 0, 0, 0)}
        lines = archive.read("manifest.csv").decode().splitlines()
        told = dict(line.split(",") for line in lines[1:])
        bulk = {name.removeprefix("file.") for name, how in told.items() if how == "bulk"}
        assert {f"{name}.csv" for name in bulk} | {"manifest.csv"} == set(archive.namelist())
        results = pl.read_csv(archive.read("results.csv"), infer_schema=False)
        items = pl.read_csv(archive.read("lineItems.csv"), infer_schema=False)
    assert told["oneroster.version"] == "1.2"
    assert set(results["lineItemSourcedId"]) == set(items["sourcedId"])
    absent = results.filter(pl.col("scoreStatus") == "not submitted")
    assert absent["score"].fill_null("").unique().to_list() in ([""], [])
