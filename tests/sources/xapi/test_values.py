"""The scalar types of xAPI."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.xapi import values

GOOD = {
    values.is_iri: [
        "https://example.org",
        "course-v1:FUN-MOOC+00001+session01",
        "uuid://7d4f3c70-1e79-4243-9b7d-166076ce8bfb",
        "http://例子.example/✪?q=%20#f",
        "urn:x",
    ],
    values.is_uri: ["https://example.org/a?b=%C3%A9", "acct:a@example.org"],
    values.is_uuid: ["0B6A5F0E-6f5a-4d0e-8a3a-1f1f6f2d9a01"],
    values.is_mailto: ["mailto:a@example.org", "mailto:a+b'c@[192.0.2.1]"],
    values.is_sha1: ["cd9b00a5611f94eaa7b1661edab976068e364975"],
    values.is_language: [
        *("en", "de-AT", "sr-Latn-RS", "zh-Hant", "ase", "es-419", "sl-rozaj-biske"),
        *("x-private", "en-x-a1", "i-klingon", "de-CH-1996", "en-a-bbb-x-a"),
    ],
    values.is_media_type: [
        "text/plain",
        "text/plain; charset=ascii",
        'multipart/mixed; boundary="a b"',
        "application/vnd.api+json",
        "IMAGE/PNG",
    ],
    values.is_duration: [
        *("P1Y", "P4W", "PT1H30M", "P3Y6M4DT12H30M5S", "PT0S", "PT16559.14S", "P0,5D", "PT1.5H"),
    ],
    values.is_version: ["1.0", "1.0.0", "1.0.12", "2.0", "2.0.0"],
    values.is_iso_8601: [
        *("2026-01-12T10:30:00Z", "2026-01-12T10:30:00.123456789+01:00", "20260112T103000-0100"),
        *("2026-01-12", "20260112", "2026-W03-1", "2026-012", "2026-01-12T10", "2026-01-12T10:30"),
        *("2024-02-29T00:00:00", "2026-01-12T24:00:00Z", "2026-01-12T10:30:00,5+01", "0000-01-01"),
        "2016-12-31T23:59:60Z",
    ],
    values.is_rfc_3339: [
        *("2026-01-12T10:30:00Z", "2026-01-12T10:30:00.601+00:00", "2026-01-12t10:30:00z"),
        *("2024-02-29T00:00:00-11:30", "2016-12-31T23:59:60Z"),
    ],
}
BAD = {
    values.is_iri: [
        *("", "no scheme", "example.org/verb", "http", "https:", "1http://x", "ab=c://x"),
        *("http://a b", "http://x/<y>", "http://x/%zz", "http://x\n", "http://x/{y}"),
    ],
    values.is_uri: ["https://例子.example", "https://x/ y", 'https://x/"', "openid"],
    values.is_uuid: [
        *("0b6a5f0e6f5a4d0e8a3a1f1f6f2d9a01", "{0b6a5f0e-6f5a-4d0e-8a3a-1f1f6f2d9a01}"),
        *("0b6a5f0e-6f5a-4d0e-8a3a-1f1f6f2d9a011", "mb6a5f0e-6f5a-4d0e-8a3a-1f1f6f2d9a01"),
        "0b6a5f0e-6f5a-4d0e-8a3a-1f1f6f2d9a01\n",
    ],
    values.is_mailto: ["a@example.org", "mailto:a", "mailto:@b", "mailto:a@", "mailto:a b@c.org"],
    values.is_sha1: ["cd9b00a5611f94eaa7b1661edab976068e36497", "x" * 40],
    values.is_language: [
        *("", "-", "en_US", "something", "a12345678", "en-something-AU", "s-something", "12345"),
        *("en-", "en--US", "x", "en-a"),
    ],
    values.is_media_type: ["applications/json", "text", "text/", "text/plain; charset", "/plain"],
    values.is_duration: [
        *("", "P", "PT", "P1", "3Y", "P4W1D", "P1DT", "PT1S1H", "P1.5DT1H", "P-1D", "-P1D"),
        *("P0003-06-04T12:30:05", "PA1H0M0S", "P1Y\n"),
    ],
    values.is_version: ["1", "0.9.9", "1.1.0", "2.1", "1.0.", "1.0.01", "v1.0", "1.0.3-beta"],
    values.is_iso_8601: [
        *("", "2026", "2026-01", "01/011/2015", "2026-13-01", "2026-02-30", "2023-02-29"),
        *("2026-01-12T103000Z", "20260112T10:30:00Z", "2026-01-12T25:00Z", "2026-01-12T10:60"),
        *("2026-01-12T10:30:00-00", "2026-01-12T10:30:00-0000", "2026-01-12T10:30:00-00:00"),
        *("2026-01-12 10:30:00Z", "2026-01-12T24:00:01Z", "2026-367", "2025-366", "2026-W54-1"),
        *("2026-01-12T10:30:00+01:0", "٢٠٢٦-01-12", "2026-01-12T10:30:00Z\n"),
    ],
    values.is_rfc_3339: [
        *("2026-01-12", "20260112T103000Z", "2026-01-12T10:30Z", "2026-01-12T10:30:00"),
        *("2026-01-12T10:30:00-00:00", "2026-01-12T10:30:00+01", "2026-01-12T10:30:00+0100"),
        *("2026-02-30T10:30:00Z", "2026-01-12T24:00:00Z", "2026-01-12T10:30:00,5Z"),
        *("2026-01-12 10:30:00.601+00:00", "2026-01-12_10:30:00Z"),
    ],
}


@pytest.mark.parametrize(
    ("question", "text"), [(question, text) for question in GOOD for text in GOOD[question]]
)
def test_what_the_standard_has_is_good(question, text):
    assert question(text)


@pytest.mark.parametrize(
    ("question", "text"), [(question, text) for question in BAD for text in BAD[question]]
)
def test_what_the_standard_has_not_is_bad(question, text):
    assert not question(text)


@given(st.datetimes(), st.timezones())
def test_every_time_that_python_writes_is_a_time_in_both_versions(moment, zone):
    text = moment.replace(tzinfo=zone).isoformat()
    if not text.endswith("-00:00") and text.count(":") == 3:
        assert values.is_iso_8601(text)
        assert values.is_rfc_3339(text)


@given(st.from_regex(values.PLAIN_TIMESTAMP, fullmatch=True))
def test_a_plain_time_is_one_by_the_long_way_too(text):
    assert values._exists(values._EXTENDED.fullmatch(text), midnight_as_24=True)
    assert values._exists(values._RFC_3339.fullmatch(text), midnight_as_24=False)


def test_answers_are_forgotten_before_they_fill_the_memory():
    answers = values.Answers(str.isupper)
    for number in range(answers.most + 5):
        assert answers[f"A{number}"]
    assert len(answers) <= answers.most
