"""Attachments, and signatures among them (2.4.11, 2.6)."""

from __future__ import annotations

from typing import Any

from pipelines.sources.xapi import values
from pipelines.sources.xapi.report import Path, Report
from pipelines.sources.xapi.shapes import (
    Shape,
    array,
    formatted,
    iri,
    irl,
    is_number,
    language_map,
    text,
)

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
SIGNATURE_TYPE = "application/octet-stream"


def _length(value: Any, path: Path, report: Report) -> None:
    if not is_number(value) or (isinstance(value, float) and not value.is_integer()):
        report.add("wrong_type", path, "00102", "a whole number of octets")
    elif value < 0:
        report.add("out_of_range", path, "00102", "no less than none")


def _sha2(value: Any, path: Path, report: Report) -> None:
    """Check a hash: 1.0.3 asks for a text, 2.0 for one that can be of SHA-2."""
    if report.version == "2.0":
        _HASH(value, path, report)
    else:
        _TEXT(value, path, report)


_TEXT = text("00103")
_HASH = formatted("00103", values.is_sha2, "a SHA-2 in hexadecimal digits")


_ATTACHMENT = Shape(
    "an attachment",
    "00025",
    {
        "usageType": iri("00107"),
        "display": language_map("00106"),
        "description": language_map("00121 00006"),
        "contentType": formatted("00105", values.is_media_type, "a media type, such as text/plain"),
        "length": _length,
        "sha2": _sha2,
        "fileUrl": irl("00104"),
    },
    required={
        "usageType": ("00107", "the IRI of what it is for"),
        "display": ("00106", "its title by language"),
        "contentType": ("00105", "its media type"),
        "length": ("00102", "its length in octets"),
        "sha2": ("00103", "the SHA-2 of its content"),
    },
)


def _attachment(value: Any, path: Path, report: Report) -> None:
    _ATTACHMENT.check(value, path, report)
    if isinstance(value, dict) and value.get("usageType") == SIGNATURE:
        given = value.get("contentType")
        if isinstance(given, str) and given.lower() != SIGNATURE_TYPE:
            what = f"the contentType of a signature is {SIGNATURE_TYPE}"
            report.add("not_allowed_here", f"{path}.contentType", "00115", what)


attachments = array("00025", _attachment, "attachments")
