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


_ATTACHMENT = Shape(
    "an attachment",
    "00025",
    {
        "usageType": iri("00107"),
        "display": language_map("00106"),
        "description": language_map("00121 00006"),
        "contentType": formatted("00105", values.is_media_type, "a media type, such as text/plain"),
        "length": _length,
        "sha2": text("00103"),
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
