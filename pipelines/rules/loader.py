"""Reads rule sets and AI policies: the shipped ones, then the site's own over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipelines.rules import ranges, registry
from pipelines.rules.model import GIVEN_TWICE, AiPolicy, Dated, RuleSet
from pipelines.rules.yaml_lines import YamlError, YamlFile

SHIPPED = Path(__file__).parent


@dataclass(frozen=True)
class Problem:
    """One fault of a rule file: where it is, what it is, what to do."""

    file: Path
    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}. {self.remedy}"


class RuleFileError(Exception):
    """Rule files have faults; nothing is judged by half of a rule set."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Catalogue:
    """All rule sets and AI policies that a site has, in order of name and version.

    Attributes:
        rule_sets: the rule sets.
        ai_policies: the AI policies.
        of_site: those of them that are the site's own.
    """

    rule_sets: tuple[RuleSet, ...]
    ai_policies: tuple[AiPolicy, ...]
    of_site: frozenset[RuleSet | AiPolicy] = frozenset()

    @property
    def entries(self) -> tuple[RuleSet | AiPolicy, ...]:
        """Return the rule sets, then the AI policies."""
        return (*self.rule_sets, *self.ai_policies)

    def in_force(self, day: date) -> frozenset[RuleSet | AiPolicy]:
        """Return the version of each rule set and AI policy that counts on a day, known by then.

        A version of the site takes the place of shipped ones, as in `int_rules__chosen`.
        """
        begun = [entry for entry in self.entries if entry.is_in_force(day)]
        begun.sort(
            key=lambda entry: (
                entry in self.of_site,
                entry.known_from,
                entry.effective_from,
                entry.version,
            )
        )
        return frozenset({(type(entry), entry.name): entry for entry in begun}.values())

    def default_on(self, day: date) -> RuleSet | None:
        """Return the rule set that is the default on a day: the site's where it has one."""
        defaults = [e for e in self.in_force(day) if isinstance(e, RuleSet) and e.is_default]
        return max(defaults, key=lambda entry: entry in self.of_site, default=None)

    def rule_rows(self) -> list[dict[str, Any]]:
        """Return one row a threshold, and one a rule without thresholds, as in `raw.rule_set`."""
        return [
            {
                "rule_set_id": rules.rule_set,
                "rule_version": rules.version,
                "title": rules.title,
                "effective_from": rules.effective_from,
                "effective_to": rules.effective_to,
                "known_from": rules.known_from,
                "is_default": rules.is_default,
                "is_of_site": rules in self.of_site,
                "programme_id": rules.programme_id,
                "stage_id": rule.stage_id,
                "rule_id": rule.id,
                "words": rule.words,
                "threshold_name": threshold.name if threshold else None,
                "threshold_value": threshold.value if threshold else None,
                "unit": threshold.unit if threshold else None,
                "source": threshold.source if threshold else None,
            }
            for rules in self.rule_sets
            for rule in rules.rules
            for threshold in rule.thresholds or (None,)
        ]

    def ai_policy_rows(self) -> list[dict[str, Any]]:
        """Return one row a level of a policy scale, as in `raw.ai_policy_level`."""
        return [
            {
                "ai_policy_scale": policy.ai_policy_scale,
                "ai_policy_scale_version": policy.version,
                "title": policy.title,
                "effective_from": policy.effective_from,
                "effective_to": policy.effective_to,
                "known_from": policy.known_from,
                "is_of_site": policy in self.of_site,
                "level": level.level,
                "level_label": level.label,
                "words": level.words,
                "allows_use": level.allows_use,
                "requires_declaration": level.requires_declaration,
                "max_extent": level.max_extent,
                "allowed_stages": list(level.allowed_stages) if level.allowed_stages else None,
                "source": policy.source,
            }
            for policy in self.ai_policies
            for level in policy.levels
        ]


@dataclass(frozen=True)
class _Read:
    path: Path
    yaml: YamlFile
    entry: RuleSet | AiPolicy

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def key(self) -> tuple[str, str, str]:
        return type(self.entry).__name__, self.name, self.entry.version

    def problem(self, field: str, what: str, remedy: str) -> Problem:
        return Problem(self.path, self.yaml.line([field]), what, remedy)


def load_catalogue(
    site: Path | None = None, shipped: Path = SHIPPED, proposed: Path | None = None
) -> Catalogue:
    """Read and check every rule file.

    On the days on which a version of the site is in force it takes the place of every shipped one.
    A version that is shipped says one thing for good: a file of the site that says something else
    needs a version of its own. Versions of one origin may not overlap. What is proposed counts as
    if it lay in the site's folder already.

    Args:
        site: the site's folder (`TESSERA_SITE`), with `rules/*.yaml`.
        shipped: the folder of the shipped rule files.
        proposed: a rule file, or a folder of them, that is not in force yet.

    Raises:
        RuleFileError: a file has a fault; every fault is listed with its file and line.
    """
    problems: list[Problem] = []
    ours = _read_folder(shipped, problems)
    theirs = {read.key: read for read in _read_folder(site / "rules", problems)} if site else {}
    if proposed is not None:
        files = _rule_files(proposed)
        if not files:
            remedy = "Name a rule file, or a folder with some that end with .yaml."
            problems.append(Problem(proposed, 1, "the folder holds no rule file", remedy))
        theirs |= {read.key: read for read in _read_files(files, problems)}
    if problems:
        raise RuleFileError(problems)
    own = list(theirs.values())
    problems = [
        *_taken_versions(own, ours),
        *_misread(own, ours),
        *_unannounced([*ours, *own]),
        *(problem for origin in (ours, own) for problem in _clashes(origin)),
    ]
    if problems:
        raise RuleFileError(problems)
    merged = {read.key: read for read in ours} | theirs
    entries = [merged[key].entry for key in sorted(merged)]
    return Catalogue(
        rule_sets=tuple(entry for entry in entries if isinstance(entry, RuleSet)),
        ai_policies=tuple(entry for entry in entries if isinstance(entry, AiPolicy)),
        of_site=frozenset(read.entry for read in own),
    )


def _taken_versions(own: list[_Read], shipped: list[_Read]) -> Iterator[Problem]:
    """Find versions of the site that are shipped too, and say something else there.

    What was judged by a version names it, and nothing else: two contents would be told alike, and
    the site's would count for days before it began.
    """
    taken = {read.key: read for read in shipped}
    for read in own:
        other = taken.get(read.key)
        if other is not None and read.entry != other.entry:
            version = read.entry.version
            yield read.problem(
                "version",
                f"{read.name} version {version} is shipped, and says something else",
                f'Give this one a version that is not shipped, such as "{version}-local".',
            )


def _unannounced(reads: Iterable[_Read]) -> Iterator[Problem]:
    """Find AI policies that ask something of work from before anybody could know them."""
    for read in reads:
        entry = read.entry
        if isinstance(entry, AiPolicy) and entry.effective_from < entry.known_from:
            yield read.problem(
                "effective_from",
                f"{read.name} version {entry.version} would hold for work handed in from "
                f"{entry.effective_from} on, and was not known before {entry.known_from}",
                "Let it begin on the day on which it was known; known_from is the day on which it "
                "was published.",
            )


def _misread(own: list[_Read], shipped: list[_Read]) -> Iterator[Problem]:
    """Find what rule sets of the site say and nothing reads, leave out, or cannot mean."""
    known = [read.entry for read in shipped if isinstance(read.entry, RuleSet)]
    for read in own:
        if isinstance(read.entry, RuleSet):
            for fault in (*registry.faults(read.entry, known), *ranges.faults(read.entry)):
                line = read.yaml.line(fault.location)
                yield Problem(read.path, line, fault.what, fault.remedy)


def _clashes(reads: list[_Read]) -> list[Problem]:
    """Find what files of one origin say against each other."""
    return [*_overlaps(reads), *_second_defaults(reads)]


def _rule_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(path.glob("*.yaml")) or sorted(path.glob("rules/*.yaml"))


def _read_folder(folder: Path, problems: list[Problem]) -> list[_Read]:
    return _read_files(sorted(folder.glob("*.yaml")), problems)


def _read_files(paths: Iterable[Path], problems: list[Problem]) -> list[_Read]:
    reads: dict[tuple[str, str, str], _Read] = {}
    for path in paths:
        try:
            read = _read_file(path)
        except RuleFileError as error:
            problems.extend(error.problems)
            continue
        if read.key in reads:
            problems.append(
                read.problem(
                    "version",
                    f"{read.name} version {read.entry.version} is also in "
                    f"{reads[read.key].path.name}",
                    "Give the newer one another version.",
                )
            )
        reads.setdefault(read.key, read)
    return list(reads.values())


def _read_file(path: Path) -> _Read:
    try:
        file = YamlFile(path)
    except YamlError as error:
        raise RuleFileError(
            [Problem(path, fault.line, fault.what, f"{fault.remedy}.") for fault in error.faults]
        ) from None
    if not isinstance(file.data, dict):
        remedy = "Begin it with `rule_set: <name>` or `ai_policy_scale: <name>`."
        raise RuleFileError([Problem(path, 1, "the file holds no keys", remedy)])
    model: type[RuleSet | AiPolicy]
    if "rule_set" in file.data:
        model = RuleSet
    elif "ai_policy_scale" in file.data:
        model = AiPolicy
    else:
        raise RuleFileError(
            [
                Problem(
                    path,
                    1,
                    "the file is neither a rule set nor an AI policy",
                    "Begin it with `rule_set: <name>` or `ai_policy_scale: <name>`.",
                )
            ]
        )
    try:
        return _Read(path, file, model.model_validate(file.data))
    except ValidationError as error:
        raise RuleFileError([_fault(path, file, details) for details in error.errors()]) from None


def _fault(path: Path, file: YamlFile, details: Mapping[str, Any]) -> Problem:
    location = details["loc"]
    field = str(location[-1]) if location else "the file"
    line = file.line(location)
    if details["type"] == GIVEN_TWICE:
        line = file.line((*location, *details["ctx"]["place"]))
        return Problem(path, line, str(details["msg"]), "Keep one of the two, or rename one.")
    if details["type"] in ("missing", "string_too_short") and field == "source":
        return Problem(
            path,
            line,
            f"{_thing(location)} has no source",
            "Add `source:` with the publication, or `local choice` with its reason.",
        )
    if details["type"] == "missing":
        return Problem(path, line, f"{field} is missing", f"Add `{field}:`.")
    if details["type"] == "extra_forbidden":
        return Problem(path, line, f"there is no key {field}", "Remove it or mend its spelling.")
    message = str(details["msg"]).removeprefix("Value error, ")
    return Problem(path, line, f"{field}: {message}", "Mend the value.")


def _thing(location: tuple[Any, ...]) -> str:
    if len(location) >= 4 and location[-3] == "thresholds":
        return f"threshold {location[-2] + 1} of rule {location[-4] + 1}"
    return "this entry"


def _is_default(read: _Read) -> bool:
    return isinstance(read.entry, RuleSet) and read.entry.is_default


def _overlaps(reads: Iterable[_Read]) -> list[Problem]:
    """Find versions of one thing, known from the same day, whose days overlap.

    A version without an end ends where the next one begins; a version known later may say other
    things about the same days.
    """
    families: dict[tuple[str, str, date], list[_Read]] = {}
    for read in reads:
        kind, name, _ = read.key
        families.setdefault((kind, name, read.entry.known_from), []).append(read)
    problems = []
    for family in families.values():
        family.sort(key=lambda read: read.entry.effective_from)
        for earlier, later in pairwise(family):
            if _last_day(earlier.entry, later.entry) >= later.entry.effective_from:
                problems.append(
                    later.problem(
                        "effective_from",
                        f"{later.name} versions {earlier.entry.version} and "
                        f"{later.entry.version} are both in force on "
                        f"{later.entry.effective_from}",
                        f"End {earlier.path.name} earlier, or start this one later.",
                    )
                )
    return problems


def _last_day(earlier: Dated, later: Dated) -> date:
    if earlier.effective_to is not None:
        return earlier.effective_to
    if earlier.effective_from == later.effective_from:
        return earlier.effective_from
    return later.effective_from - timedelta(days=1)


def _second_defaults(reads: Iterable[_Read]) -> list[Problem]:
    defaults = [read for read in reads if _is_default(read)]
    return [
        read.problem(
            "is_default",
            f"{read.name} and {defaults[0].name} both say that they are the default",
            "Leave `is_default: true` with one rule set.",
        )
        for read in defaults
        if read.name != defaults[0].name
    ]
