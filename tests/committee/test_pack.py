"""A pack is written whole, proved by its hashes, and made only from an edition that is whole."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import duckdb
import pytest

from pipelines.committee import pack, queries, site
from pipelines.committee.edition import find
from pipelines.committee.pack import NoEditionError, PackError
from pipelines.committee.queries import read
from pipelines.home import Home
from pipelines.settings import Settings
from tests.committee.edition import FULL, publish_edition

pytestmark = pytest.mark.slow


def _build(home: Home, edition_id: str | None = None) -> Path:
    return pack.build(home, Settings(home=home.root), edition_id)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_pack_is_named_by_its_edition_and_current_points_to_it(fresh: Home) -> None:
    path = _build(fresh)
    assert path == fresh.packs / find(fresh, None).edition_id
    assert (fresh.packs / "current").readlink() == Path(path.name)
    assert (fresh.packs / "current" / "index.html").exists()


def test_the_manifest_names_every_file_with_its_hash(fresh: Home) -> None:
    path = _build(fresh)
    manifest = json.loads((path / "manifest.json").read_bytes())
    files = _bytes(path)
    del files["manifest.json"]
    assert manifest["files"].keys() == files.keys()
    for name, data in files.items():
        assert manifest["files"][name]["sha256"] == hashlib.sha256(data).hexdigest()
    assert manifest["n_learners"] == 2


def test_the_same_edition_makes_the_same_bytes(fresh: Home) -> None:
    first = _bytes(_build(fresh))
    shutil.rmtree(fresh.packs)
    assert _bytes(_build(fresh)) == first


def test_a_pack_that_stands_is_left_alone(fresh: Home) -> None:
    path = _build(fresh)
    before = (path / "index.html").stat().st_ino
    assert _build(fresh) == path
    assert (path / "index.html").stat().st_ino == before


def test_a_pack_by_older_pages_is_made_anew(fresh: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _build(fresh)
    before = (path / "index.html").stat().st_ino
    monkeypatch.setattr(pack, "pages_version", lambda: "other")
    _build(fresh)
    assert (path / "index.html").stat().st_ino != before


@pytest.mark.parametrize(
    ("name", "code"),
    [("index.html", "changed"), ("assets/pack.css", "changed"), ("quality.html", "missing")],
)
def test_a_changed_or_missing_file_is_found_and_mended(fresh: Home, name: str, code: str) -> None:
    path = _build(fresh)
    if code == "changed":
        (path / name).write_bytes((path / name).read_bytes() + b" ")
    else:
        (path / name).unlink()
    verdict = pack.verify(fresh)
    assert [(problem.file, problem.code) for problem in verdict.problems] == [(name, code)]
    _build(fresh)
    assert pack.verify(fresh).ok


def test_a_file_that_is_not_part_of_the_pack_is_found(fresh: Home) -> None:
    (_build(fresh) / "learners" / "L-X.html").write_text("x", encoding="utf-8")
    assert [p.code for p in pack.verify(fresh).problems] == ["unexpected"]


def test_a_broken_manifest_is_said(fresh: Home) -> None:
    (_build(fresh) / "manifest.json").write_text("{", encoding="utf-8")
    assert [p.code for p in pack.verify(fresh).problems] == ["manifest"]


def test_an_edition_that_is_not_what_was_published_makes_no_pack(fresh: Home) -> None:
    source = find(fresh, None)
    with duckdb.connect(str(source.database)) as connection:
        connection.execute("update fct_evidence set level = 5 where level = 1")
    with pytest.raises(PackError, match="fct_evidence: the rows"):
        _build(fresh)
    assert list(fresh.packs.iterdir()) == []


def test_a_pack_whose_edition_was_changed_later_does_not_verify(fresh: Home) -> None:
    _build(fresh)
    source = find(fresh, None)
    with duckdb.connect(str(source.database)) as connection:
        connection.execute("delete from fct_evidence where is_flagged")
    assert [p.code for p in pack.verify(fresh).problems] == ["edition"]


def test_an_edition_by_another_version_is_said(
    fresh: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "query", lambda _: "select * from a_mart_of_tomorrow")
    with pytest.raises(PackError, match="another version"):
        _build(fresh)
    assert list(fresh.packs.iterdir()) == []


def test_a_failure_on_the_way_leaves_nothing(fresh: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise RuntimeError("stopped")

    monkeypatch.setattr(site.Pages, "quality", stop)
    with pytest.raises(RuntimeError):
        _build(fresh)
    assert list(fresh.packs.iterdir()) == []


def test_no_edition_is_said_with_what_to_do(tmp_path: Path) -> None:
    home = Home.open(tmp_path)
    with pytest.raises(NoEditionError, match="tessera run"):
        _build(home)
    with pytest.raises(PackError, match="tessera pack build"):
        pack.verify(home)


def test_an_older_edition_gets_its_pack_and_current_stays(fresh: Home) -> None:
    older = find(fresh, None).edition_id
    newer = publish_edition(fresh, 1)
    _build(fresh)
    assert _build(fresh, older).name == older
    assert (fresh.packs / "current").readlink() == Path(newer)


def test_an_edition_from_before_decisions_were_judged_still_gets_its_pack(fresh: Home) -> None:
    lacking = [(table, column) for table, columns in queries.LATER.items() for column in columns]
    older = publish_edition(fresh, 3, lacking=lacking)
    text = (_build(fresh, older) / "learners" / f"{FULL}.html").read_text(encoding="utf-8")
    assert "Targeted support: handover." in text
    assert "not counted" not in text
    twin = json.loads((fresh.packs / older / "data" / "learners" / f"{FULL}.json").read_bytes())
    assert twin["decisions"][0]["standing"] == queries.NOT_JUDGED
    assert pack.verify(fresh, older).ok


def test_comments_of_an_edition_that_held_their_picks_itself_are_picked_still(fresh: Home) -> None:
    source = find(fresh, None)
    with duckdb.connect(str(source.database)) as connection:
        connection.execute(
            """
            create table older as
            select
                comments.*,
                picks.comment_key is not null as is_picked,
                coalesce(picks.pick_reasons, []) as pick_reasons,
                'narratives' as rule_set_id,
                '1' as rule_version
            from portfolio_narrative as comments
            left join portfolio_narrative_pick as picks using (learner_key, comment_key);
            """
        )
        now = connection.execute("from portfolio_narrative_pick order by all").fetchall()
        connection.execute("drop table portfolio_narrative_pick; drop table portfolio_narrative")
        connection.execute("alter table older rename to portfolio_narrative")
    with queries.open_edition(find(fresh, None)) as connection:
        columns = "learner_key, comment_key, rule_set_id, rule_version, pick_reasons"
        then = connection.execute(
            f"select {columns} from portfolio_narrative_pick order by all"
        ).fetchall()
    assert then == now != []


def test_a_meeting_without_learners_has_an_agenda_that_says_so(tmp_path: Path) -> None:
    home = Home.open(tmp_path)
    publish_edition(home, 0)
    path = _build(home)
    text = (path / "index.html").read_text(encoding="utf-8")
    assert "This edition holds no learners" in text
    assert "<script" not in text
    assert not (path / "learners").exists()
    assert pack.verify(home).ok


def test_a_key_that_cannot_name_a_file_is_refused(fresh: Home) -> None:
    portfolio = read(find(fresh, None))
    portfolio.learners[0]["learner_key"] = "../../etc/passwd"
    with pytest.raises(PackError, match="cannot name a file"):
        list(site.learner_pages(portfolio))


@pytest.mark.slow
def test_workers_that_share_the_learners_make_the_same_bytes(
    fresh: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = _bytes(_build(fresh))
    shutil.rmtree(fresh.packs)
    monkeypatch.setattr(site, "LARGE", 0)
    monkeypatch.setattr(site, "APART", 0)
    assert _bytes(_build(fresh)) == alone


def test_shares_of_the_learners_are_apart_and_together_all(fresh: Home) -> None:
    source = find(fresh, None)
    shares = [read(source, queries.Share(number, 3)).learners for number in range(3)]
    keys = [row["learner_key"] for rows in shares for row in rows]
    assert sorted(keys) == sorted(row["learner_key"] for row in read(source).learners)
