"""CASE 1.0 and 1.1 packages (1EdTech): what each entry of a competency framework must hold.

The models say what one entry must be; `case_graph` says what the entries must be together.
Optional properties may be absent, but not null, except where the standard allows null. Documents,
items and associations may carry properties of their publisher's own, which are noted; smaller
objects may not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from pipelines.sources.readers.strict_json import Number

Version = Literal["1.0", "1.1"]

ASSOCIATION_TYPES = (
    "isChildOf",
    "isPeerOf",
    "isPartOf",
    "exactMatchOf",
    "precedes",
    "isRelatedTo",
    "replacedBy",
    "exemplar",
    "hasSkillLevel",
)
LATER_TYPES = ("isTranslationOf",)
"""Types of association that 1.1 adds; it also allows `ext:` and a name of the publisher's own."""

LINKS_BACK = frozenset({"CFPackageURI", "CFDocumentURI", "CFItemAssociationURI"})
"""Links that services add to the entries of a package; they say nothing that it does not say."""

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"]*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?([Zz]|[+-]\d{2}(:?\d{2})?)?"
)
_EXTENSION = re.compile(r"ext:[A-Za-z0-9._-]+")
_ABSENT: Any = object()
LARGEST = 2**31 - 1


def is_text(value: Any) -> bool:
    """Tell whether a JSON value is text; numbers are kept as they were written."""
    return isinstance(value, str) and not isinstance(value, Number)


def is_uri(value: str) -> bool:
    """Tell whether a text is an absolute URI or IRI."""
    return _URI.fullmatch(value) is not None


def is_uuid(value: str) -> bool:
    """Tell whether a text is a UUID, in letters of either size."""
    return _UUID.fullmatch(value) is not None


def has_time_zone(value: str) -> bool:
    """Tell whether a time says its offset."""
    return re.search(r"([Zz]|[+-]\d{2}(:?\d{2})?)$", value) is not None


def _given(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("is_null", "null")
    return value


def _text(value: Any) -> Any:
    _given(value)
    if not is_text(value):
        raise PydanticCustomError("not_text", "not a text")
    return value


def _uuid(value: Any) -> Any:
    if not is_uuid(_text(value)):
        raise PydanticCustomError("not_a_uuid", "not a UUID")
    return value


def _uri(value: Any) -> Any:
    if not is_uri(_text(value)):
        raise PydanticCustomError("not_a_uri", "not a URI")
    return value


def _day(value: Any) -> Any:
    text = _text(value)
    try:
        if _DAY.fullmatch(text):
            date.fromisoformat(text)
            return value
    except ValueError:
        pass
    return _time(value)


def _time(value: Any) -> Any:
    text = _text(value)
    try:
        if _TIME.fullmatch(text):
            datetime.fromisoformat(text.upper().replace(",", "."))
            return value
    except ValueError:
        pass
    raise PydanticCustomError("not_a_time", "not a time")


def _number(value: Any) -> Decimal:
    _given(value)
    if not isinstance(value, Number):
        raise PydanticCustomError("not_a_number", "not a number")
    try:
        return Decimal(value)
    except InvalidOperation:
        raise PydanticCustomError("not_a_number", "not a number") from None


def _whole(value: Any) -> int:
    _given(value)
    if not isinstance(value, Number):
        raise PydanticCustomError("not_a_whole_number", "not a whole number")
    number = _number(value)
    if not -LARGEST <= number <= LARGEST:
        raise PydanticCustomError("out_of_range", "out of range")
    if number != number.to_integral_value():
        raise PydanticCustomError("not_a_whole_number", "not a whole number")
    return int(number)


def _listed(value: Any) -> Any:
    return [value] if is_text(value) else value


def _no_list(value: Any) -> Any:
    return {} if value == [] else value


def _association_type(value: Any, info: ValidationInfo) -> Any:
    later = _version(info) == "1.1"
    allowed = ASSOCIATION_TYPES + (LATER_TYPES if later else ())
    text = _text(value)
    if text in allowed or (later and _EXTENSION.fullmatch(text)):
        return value
    expected = ", ".join(allowed)
    if not later and (text in LATER_TYPES or _EXTENSION.fullmatch(text)):
        expected += "; a package of version 1.1 says so: caseVersion 1.1 in CFDocument"
    raise PydanticCustomError("not_in_list", "not in the list", {"expected": expected})


def _target_type(value: Any, info: ValidationInfo) -> Any:
    if _version(info) == "1.1" and _text(value) != "CASE" and not _EXTENSION.fullmatch(value):
        raise PydanticCustomError(
            "not_in_list", "not in the list", {"expected": "CASE, or ext: and a name"}
        )
    return value


def _extensions(value: Any, info: ValidationInfo) -> Any:
    if _version(info) == "1.1" and not isinstance(_given(value), dict):
        raise PydanticCustomError("model_type", "not an object")
    return value


def _list_of_extensions(value: Any, info: ValidationInfo) -> Any:
    for item in value if isinstance(value, list) else [value]:
        _extensions(item, info)
    return value


def _text_of_later(value: Any, info: ValidationInfo) -> Any:
    return _text(value) if _version(info) == "1.1" else value


def _needed_later(value: Any, info: ValidationInfo) -> Any:
    if value is not _ABSENT:
        return _text(value)
    if _version(info) == "1.1":
        raise PydanticCustomError("missing", "missing")
    return None


def _case_version(value: Any) -> Any:
    if _text(value) not in ("1.0", "1.1"):
        raise PydanticCustomError("not_in_list", "not in the list", {"expected": "1.1"})
    return value


def _version(info: ValidationInfo) -> Version:
    version: Version = (info.context or {}).get("version", "1.0")
    return version


Text = Annotated[str, BeforeValidator(_text)]
Uuid = Annotated[str, BeforeValidator(_uuid)]
Uri = Annotated[str, BeforeValidator(_uri)]
Time = Annotated[str, BeforeValidator(_time)]
GivenText = Annotated[str | None, BeforeValidator(_text)]
"""May be absent, but not null."""
GivenUuid = Annotated[str | None, BeforeValidator(_uuid)]
GivenUri = Annotated[str | None, BeforeValidator(_uri)]
GivenDay = Annotated[str | None, BeforeValidator(_day)]
GivenWhole = Annotated[int | None, BeforeValidator(_whole)]
GivenNumber = Annotated[Decimal | None, BeforeValidator(_number)]


class Entry(BaseModel):
    """An object of a package."""

    model_config = ConfigDict(extra="allow", frozen=True)

    later: ClassVar[Mapping[str, str]] = {}
    """Fields that only 1.1 has, by the name of their property."""
    is_open: ClassVar[bool] = False
    """Whether a publisher may add properties of its own."""

    @model_validator(mode="after")
    def _nothing_else(self, info: ValidationInfo) -> Self:
        if self.is_open:
            return self
        extra = set(self.model_extra or ())
        if _version(info) == "1.0":
            extra |= {name for name, of in self.later.items() if of in self.model_fields_set}
        if extra:
            names = ", ".join(sorted(extra))
            raise PydanticCustomError("unknown_field", "unknown", {"names": names})
        return self


class Extended(Entry):
    """An object to which 1.1 lets a publisher add `extensions`."""

    later: ClassVar[Mapping[str, str]] = {"extensions": "extensions"}

    extensions: Annotated[Any, BeforeValidator(_extensions)] = None


class Link(Entry):
    """A reference to an object that is named by a UUID: `LinkURI`."""

    title: Text
    identifier: Uuid
    uri: Uri


class NodeLink(Entry):
    """A reference to a node of this or another framework: `LinkGenURI`."""

    later: ClassVar[Mapping[str, str]] = {"targetType": "target_type"}

    title: Text
    identifier: Text
    uri: Text
    target_type: Annotated[str | None, BeforeValidator(_target_type)] = Field(
        default=None, alias="targetType"
    )


GivenLink = Annotated[Link | None, BeforeValidator(_given)]
Texts = Annotated[list[Text] | None, BeforeValidator(_given), BeforeValidator(_listed)]
Links = Annotated[list[Link] | None, BeforeValidator(_given)]
E = TypeVar("E", bound=Entry)
GivenList = Annotated[list[E] | None, BeforeValidator(_given)]


class Identified(Extended):
    """An object with an identity of its own."""

    identifier: Uuid
    uri: Uri
    last_change: Time = Field(alias="lastChangeDateTime")


class Document(Identified):
    """`CFDocument`: the framework as a whole."""

    is_open: ClassVar[bool] = True

    creator: Text
    title: Text
    official_source: GivenUri = Field(default=None, alias="officialSourceURL")
    publisher: GivenText = None
    description: GivenText = None
    subject: Texts = None
    subject_links: Links = Field(default=None, alias="subjectURI")
    language: GivenText = None
    version: GivenText = None
    adoption_status: GivenText = Field(default=None, alias="adoptionStatus")
    status_start: Annotated[str, BeforeValidator(_day)] | None = Field(
        default=None, alias="statusStartDate"
    )
    status_end: Annotated[str, BeforeValidator(_day)] | None = Field(
        default=None, alias="statusEndDate"
    )
    license_link: Link | None = Field(default=None, alias="licenseURI")
    notes: GivenText = None
    framework_type: GivenText = Field(default=None, alias="frameworkType")
    case_version: Annotated[str | None, BeforeValidator(_case_version)] = Field(
        default=None, alias="caseVersion"
    )


class Item(Identified):
    """`CFItem`: one competency, standard, or heading."""

    is_open: ClassVar[bool] = True

    full_statement: Text = Field(alias="fullStatement")
    alternative_label: GivenText = Field(default=None, alias="alternativeLabel")
    item_type: GivenText = Field(default=None, alias="CFItemType")
    item_type_link: GivenLink = Field(default=None, alias="CFItemTypeURI")
    code: GivenText = Field(default=None, alias="humanCodingScheme")
    list_enumeration: GivenText = Field(default=None, alias="listEnumeration")
    abbreviated: GivenText = Field(default=None, alias="abbreviatedStatement")
    keywords: list[Text] | None = Field(default=None, alias="conceptKeywords")
    keywords_link: Link | None = Field(default=None, alias="conceptKeywordsURI")
    notes: GivenText = None
    language: GivenText = None
    education_level: Texts = Field(default=None, alias="educationLevel")
    subject: Texts = None
    subject_links: Links = Field(default=None, alias="subjectURI")
    license_link: GivenLink = Field(default=None, alias="licenseURI")
    status_start: GivenDay = Field(default=None, alias="statusStartDate")
    status_end: GivenDay = Field(default=None, alias="statusEndDate")


class Association(Identified):
    """`CFAssociation`: one link of the graph."""

    is_open: ClassVar[bool] = True

    association_type: Annotated[str, BeforeValidator(_association_type)] = Field(
        alias="associationType"
    )
    sequence_number: GivenWhole = Field(default=None, alias="sequenceNumber")
    origin: NodeLink = Field(alias="originNodeURI")
    destination: NodeLink = Field(alias="destinationNodeURI")
    grouping_link: Link | None = Field(default=None, alias="CFAssociationGroupingURI")
    notes: Annotated[Any, BeforeValidator(_text_of_later)] = None


class Definition(Identified):
    """An entry of a list that items refer to."""

    title: Text
    description: GivenText = None


class Concept(Definition):
    """`CFConcept`."""

    keywords: GivenText = None
    hierarchy_code: Text = Field(alias="hierarchyCode")


class Subject(Definition):
    """`CFSubject`."""

    hierarchy_code: Text = Field(alias="hierarchyCode")


class License(Definition):
    """`CFLicense`."""

    license_text: Text = Field(alias="licenseText")


class ItemType(Definition):
    """`CFItemType`."""

    description: Annotated[str | None, BeforeValidator(_needed_later)] = Field(
        default=_ABSENT, validate_default=True
    )
    hierarchy_code: Text = Field(alias="hierarchyCode")
    type_code: Text | None = Field(default=None, alias="typeCode")


class Grouping(Definition):
    """`CFAssociationGrouping`."""


class Definitions(Extended):
    """`CFDefinitions`: the lists that items refer to."""

    concepts: GivenList[Concept] = Field(default=None, alias="CFConcepts")
    subjects: GivenList[Subject] = Field(default=None, alias="CFSubjects")
    licenses: GivenList[License] = Field(default=None, alias="CFLicenses")
    item_types: GivenList[ItemType] = Field(default=None, alias="CFItemTypes")
    groupings: GivenList[Grouping] = Field(default=None, alias="CFAssociationGroupings")


class CriterionLevel(Identified):
    """`CFRubricCriterionLevel`."""

    description: GivenText = None
    quality: GivenText = None
    score: GivenNumber = None
    feedback: GivenText = None
    position: GivenWhole = None
    criterion_id: GivenUuid = Field(default=None, alias="rubricCriterionId")
    extensions: Annotated[Any, BeforeValidator(_list_of_extensions)] = None


class Criterion(Identified):
    """`CFRubricCriterion`: the part of a rubric that points to an item."""

    category: GivenText = None
    description: GivenText = None
    item_link: GivenLink = Field(default=None, alias="CFItemURI")
    weight: GivenNumber = None
    position: GivenWhole = None
    rubric_id: GivenUuid = Field(default=None, alias="rubricId")
    levels: GivenList[CriterionLevel] = Field(default=None, alias="CFRubricCriterionLevels")


class Rubric(Identified):
    """`CFRubric`."""

    title: GivenText = None
    description: GivenText = None
    criteria: GivenList[Criterion] = Field(default=None, alias="CFRubricCriteria")


class Package(Extended):
    """`CFPackage`: a whole framework."""

    document: Document = Field(alias="CFDocument")
    items: GivenList[Item] = Field(default=None, alias="CFItems")
    associations: GivenList[Association] = Field(default=None, alias="CFAssociations")
    definitions: Annotated[
        Definitions | None, BeforeValidator(_no_list), BeforeValidator(_given)
    ] = Field(default=None, alias="CFDefinitions")
    rubrics: GivenList[Rubric] = Field(default=None, alias="CFRubrics")


def version_of(package: dict[str, Any]) -> Version:
    """Return the version of the standard that a package follows, as far as it tells."""
    document = package.get("CFDocument")
    if not isinstance(document, dict):
        return "1.0"
    stated = document.get("caseVersion")
    if stated in ("1.0", "1.1"):
        return stated  # type: ignore[no-any-return]
    newer = {"caseVersion", "frameworkType", "extensions"} & document.keys()
    if newer or "extensions" in package or "/v1p1/" in str(document.get("uri")):
        return "1.1"
    return "1.0"
