"""The tables of OneRoster CSV 1.1 and 1.2: columns in order, what they hold and refer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Version = Literal["1.1", "1.2"]
VERSIONS: tuple[Version, ...] = ("1.1", "1.2")
Kind = Literal["text", "guid", "guids", "date", "datetime", "year", "float", "boolean", "choice"]

ACTIVE, WITHDRAWN = "active", "tobedeleted"
STATUSES = (ACTIVE, WITHDRAWN)
GRADED = ("fully graded", "partially graded")
SCORE_STATUSES = ("exempt", "fully graded", "not submitted", "partially graded", "submitted")
SESSION_TYPES = ("gradingPeriod", "semester", "schoolYear", "term")
ORG_TYPES = ("department", "school", "district", "local", "state", "national")
CLASS_TYPES = ("homeroom", "scheduled")
ENROLLMENT_ROLES = ("administrator", "proctor", "student", "teacher")
USER_ROLES = (
    "administrator",
    "aide",
    "guardian",
    "parent",
    "proctor",
    "relative",
    "student",
    "teacher",
)
ROLES = (
    "aide",
    "counselor",
    "districtAdministrator",
    "guardian",
    "parent",
    "principal",
    "proctor",
    "relative",
    "siteAdministrator",
    "student",
    "systemAdministrator",
    "teacher",
)
SECRET = "password"  # noqa: S105  (the name of a column)
"""The column that is never kept outside the archive."""
METADATA = "metadata."
"""How columns of a sender's own begin."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    kind: Kind = "text"
    required: bool = False
    refers_to: str | None = None
    """The table that holds what the identifiers here name."""
    choices: tuple[str, ...] = ()
    open_list: bool = False
    """Whether a sender may add values of its own, written `ext:value`."""


@dataclass(frozen=True)
class Table:
    """One file of the set."""

    name: str
    columns: tuple[Column, ...]
    ordered: tuple[tuple[str, str], ...] = ()
    """Pairs of dates of which the second must not lie before the first."""

    @property
    def names(self) -> list[str]:
        """Return the names of the columns in the order of the standard."""
        return [column.name for column in self.columns]


def _table(name: str, *columns: Column | str, ordered: tuple[str, str] | None = None) -> Table:
    base = (
        Column("sourcedId", "guid", required=True),
        Column("status", "choice", choices=STATUSES),
        Column("dateLastModified", "datetime"),
    )
    own = tuple(_column(c) if isinstance(c, str) else c for c in columns)
    return Table(name, base + own, (ordered,) if ordered else ())


def _column(text: str) -> Column:
    """Read a column written as `name`, `name kind` or `name -> table`; `*` means required."""
    required = text.endswith("*")
    name, _, rest = text.removesuffix("*").partition(" ")
    if rest.startswith("-> "):
        kind: Kind = "guids" if name.endswith("Ids") else "guid"
        return Column(name, kind, required, rest.removeprefix("-> "))
    return Column(name, rest or "text", required)  # type: ignore[arg-type]


def _choice(name: str, choices: tuple[str, ...], *, required: bool = True) -> Column:
    return Column(name, "choice", required, choices=choices)


_PEOPLE = ("givenName*", "familyName*", "middleName", "identifier", "email", "sms", "phone")
_RACES = (
    "americanIndianOrAlaskaNative boolean",
    "asian boolean",
    "blackOrAfricanAmerican boolean",
    "nativeHawaiianOrOtherPacificIslander boolean",
    "white boolean",
    "demographicRaceTwoOrMoreRaces boolean",
    "hispanicOrLatinoEthnicity boolean",
)
_BIRTH = (
    "countryOfBirthCode",
    "stateOfBirthAbbreviation",
    "cityOfBirth",
    "publicSchoolResidenceStatus",
)

_SHARED = (
    _table(
        "academicSessions",
        "title*",
        _choice("type", SESSION_TYPES),
        "startDate date*",
        "endDate date*",
        "parentSourcedId -> academicSessions",
        "schoolYear year*",
        ordered=("startDate", "endDate"),
    ),
    _table("orgs", "name*", _choice("type", ORG_TYPES), "identifier", "parentSourcedId -> orgs"),
    _table(
        "courses",
        "schoolYearSourcedId -> academicSessions",
        "title*",
        "courseCode",
        "grades",
        "orgSourcedId -> orgs*",
        "subjects",
        "subjectCodes",
    ),
    _table(
        "classes",
        "title*",
        "grades",
        "courseSourcedId -> courses*",
        "classCode",
        _choice("classType", CLASS_TYPES),
        "location",
        "schoolSourcedId -> orgs*",
        "termSourcedIds -> academicSessions*",
        "subjects",
        "subjectCodes",
        "periods",
    ),
    _table(
        "enrollments",
        "classSourcedId -> classes*",
        "schoolSourcedId -> orgs*",
        "userSourcedId -> users*",
        _choice("role", ENROLLMENT_ROLES),
        "primary boolean",
        "beginDate date",
        "endDate date",
        ordered=("beginDate", "endDate"),
    ),
    _table(
        "classResources", "title", "classSourcedId -> classes*", "resourceSourcedId -> resources*"
    ),
    _table(
        "courseResources", "title", "courseSourcedId -> courses*", "resourceSourcedId -> resources*"
    ),
    _table(
        "resources",
        "vendorResourceId*",
        "title",
        "roles",
        _choice("importance", ("primary", "secondary"), required=False),
        "vendorId",
        "applicationId",
    ),
)

_V1P1 = (
    *_SHARED,
    _table(
        "users",
        "enabledUser boolean*",
        "orgSourcedIds -> orgs*",
        _choice("role", USER_ROLES),
        "username*",
        "userIds",
        *_PEOPLE,
        "agentSourcedIds -> users",
        "grades",
        SECRET,
    ),
    _table(
        "demographics",
        "birthDate date",
        _choice("sex", ("male", "female"), required=False),
        *_RACES,
        *_BIRTH,
    ),
    _table("categories", "title*"),
    _table(
        "lineItems",
        "title*",
        "description",
        "assignDate date*",
        "dueDate date*",
        "classSourcedId -> classes*",
        "categorySourcedId -> categories*",
        "gradingPeriodSourcedId -> academicSessions*",
        "resultValueMin float*",
        "resultValueMax float*",
    ),
    _table(
        "results",
        "lineItemSourcedId -> lineItems*",
        "studentSourcedId -> users*",
        _choice("scoreStatus", SCORE_STATUSES),
        "score float",
        "scoreDate date*",
        "comment",
    ),
)

_V1P2 = (
    *_SHARED,
    _table(
        "users",
        "enabledUser boolean*",
        "username*",
        "userIds",
        *_PEOPLE,
        "agentSourcedIds -> users",
        "grades",
        SECRET,
        "userMasterIdentifier",
        "preferredGivenName",
        "preferredMiddleName",
        "preferredFamilyName",
        "primaryOrgSourcedId -> orgs",
        "pronouns",
    ),
    _table(
        "roles",
        "userSourcedId -> users*",
        _choice("roleType", ("primary", "secondary")),
        _choice("role", ROLES),
        "beginDate date",
        "endDate date",
        "orgSourcedId -> orgs*",
        "userProfileSourcedId -> userProfiles",
        ordered=("beginDate", "endDate"),
    ),
    _table(
        "userProfiles",
        "userSourcedId -> users*",
        "profileType*",
        "vendorId*",
        "applicationId",
        "description",
        "credentialType*",
        "username*",
        SECRET,
    ),
    _table(
        "demographics",
        "birthDate date",
        _choice("sex", ("male", "female", "unspecified", "other"), required=False),
        *_RACES,
        *_BIRTH,
    ),
    _table(
        "userResources",
        "userSourcedId -> users*",
        "orgSourcedId -> orgs",
        "classSourcedId -> classes",
        "resourceSourcedId -> resources*",
    ),
    _table("categories", "title*", "weight float"),
    _table(
        "lineItems",
        "title*",
        "description",
        "assignDate date*",
        "dueDate date*",
        "classSourcedId -> classes*",
        "categorySourcedId -> categories*",
        "academicSessionSourcedId -> academicSessions*",
        "resultValueMin float",
        "resultValueMax float",
        "schoolSourcedId -> orgs*",
    ),
    _table(
        "results",
        "lineItemSourcedId -> lineItems*",
        "studentSourcedId -> users*",
        _choice("scoreStatus", SCORE_STATUSES),
        "score float",
        "scoreDate date*",
        "comment",
        "textScore",
        "classSourcedId -> classes",
        "inProgress boolean",
        "incomplete boolean",
        "late boolean",
        "missing boolean",
    ),
    _table(
        "scoreScales",
        "title*",
        "type*",
        "orgSourcedId -> orgs*",
        "courseSourcedId -> courses*",
        "classSourcedId -> classes*",
        "scoreScaleValue*",
    ),
    _table(
        "lineItemLearningObjectiveIds",
        "lineItemSourcedId -> lineItems*",
        _choice("source", ("case", "unknown")),
        "learningObjectiveId*",
    ),
    _table(
        "lineItemScoreScales",
        "title",
        "lineItemSourcedId -> lineItems*",
        "scoreScaleSourcedId -> scoreScales*",
    ),
    _table(
        "resultLearningObjectiveIds",
        "resultSourcedId -> results*",
        _choice("source", ("case", "unknown")),
        "learningObjectiveId*",
        "score float",
        "textScore",
    ),
    _table(
        "resultScoreScales",
        "title",
        "resultSourcedId -> results*",
        "scoreScaleSourcedId -> scoreScales*",
    ),
)

_ORDER = (
    "academicSessions",
    "orgs",
    "courses",
    "classes",
    "users",
    "userProfiles",
    "roles",
    "demographics",
    "enrollments",
    "categories",
    "lineItems",
    "results",
)


def _by_name(tables: tuple[Table, ...], *, open_lists: bool) -> dict[str, Table]:
    named = {table.name: _finished(table, open_lists=open_lists) for table in tables}
    return {name: named[name] for name in dict.fromkeys([*_ORDER, *named]) if name in named}


def _finished(table: Table, *, open_lists: bool) -> Table:
    def column(c: Column) -> Column:
        if table.name == "demographics" and c.name == "sourcedId":
            return replace(c, refers_to="users")
        is_open = open_lists and c.kind == "choice" and c.choices is not STATUSES
        return replace(c, open_list=is_open and c.choices is not SCORE_STATUSES)

    return replace(table, columns=tuple(column(c) for c in table.columns))


TABLES: Mapping[Version, Mapping[str, Table]] = {
    "1.1": _by_name(_V1P1, open_lists=False),
    "1.2": _by_name(_V1P2, open_lists=True),
}
"""Every table of each version, in an order in which what is referred to mostly comes first."""
