"""What points to a patient is found in free text, and clinical prose is left alone."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.intake.identifiers import Identifiers, country_of, identifiers_of
from pipelines.sources import codes
from pipelines.sources.codes.vocabularies import is_check

HELD = {
    "NHS number 943 476 5919, seen on the ward.": "nhs_number",
    "pt 943-476-5919 was stable": "nhs_number",
    "(9434765919)": "nhs_number",
    "NHS no. 943 476 5918 as dictated": "nhs_number_named",
    "MRN 4471190 examined well": "record_number",
    "Hospital number: RX123456.": "record_number",
    "Patienten-Nr. 00481516": "record_number",
    "see case note number A 99120": "record_number",
    "call me on 020 7946 0958 after five": "phone",
    "reach the family at +43 664 1234567": "phone",
    "tel: 07700 900123": "phone",
    "write to jo.bloggs+ward@example.org please": "email",
    "DOB 12/03/1961, admitted yesterday": "birth_date",
    "born on 3 March 2024 by caesarean": "birth_date",
    "d.o.b. 1961-03-12": "birth_date",
    "geb. am 12.03.1961": "birth_date",
    "date of birth: March 12, 1961": "birth_date",
    "codice RSSMRA85T10A562S": "it_codice_fiscale",
    "DNI 54362315K": "es_dni",
    "hetu 131052-308T": "fi_hetu",
    "numéro 2 95 10 99 126 111 93": "fr_nir",
    "AHV 756.9217.0769.85": "ch_ssn",
    "880320-0016 came in": "se_personnummer",
    "211062-5629 came in": "dk_cpr",
    "SVNr 1237 010180": "at_vnr",
    "KVNR A123456780": "de_kvnr",
    "BSN 111222333": "nl_bsn",
    "SSN 536-90-4399": "us_ssn",
}

LEFT_ALONE = [
    "Gave paracetamol 1000 mg and ibuprofen 400 mg at 08:30, then 500 mg at 14:30.",
    "BP 120/80, then 135/85 and 118/76; HR 96, RR 18, sats 98%.",
    "Bleep 4412 was answered in room 2.14 on level 3.",
    "Seen on 12.03.2024 and again on 2024-03-15 14:30.",
    "Na 138 K 4.1 Cr 80 urea 5.6 CRP 120 WCC 11.2 Hb 134",
    "platelets 210 195 180, lactate 1.2 0.9",
    "Weights 3500 3620 3710 g; born at 38 weeks, birth weight 3410 g.",
    "Peak flow 320 350 400 410 l/min; GCS 15 15 14 13.",
    "Troponin 14, 22, 1034 ng/l at 0, 3 and 6 h.",
    "ECG 25 mm/s 10 mm/mV; axis 45; QTc 430.",
    "Followed NICE CG174 and RCUK 2021 guidance; see BMJ 2020;368:m1091.",
    "doi 10.1136/bmj.m1091, ISBN 978-3-16-148410-0",
    "Score 23/30 on MMSE, 7 of 10 on the checklist, year 2023-2024.",
    "Ten years of diabetes since 2014, HbA1c 58 mmol/mol (7.5%).",
    "He was born in 1961 and grew up in Linz.",
    "Adrenaline 1:10000, 10 ml, every 3-5 minutes, cycle 4.",
    "Insulin 10-12-14 units, potassium 40 mmol in 1000 ml over 8 hours",
    "unit number 12, bay 3, bed 4",
    "Recorded 1200 ml in and 1150 ml out; balance +50.",
    "Consultation 45 min; 3 x 2 x 1.5 cm lesion; 5 mg/kg/day in 2 doses",
    "ISBN, PMID 31234567, NCT04280705",
    "Handover @ 20:00 went well",
    "Ref. to protocol 2024-117-B, version 3.2.1 of 01/2024",
]


@cache
def of(zone: str, *allowed: str) -> Identifiers:
    spec: Any = SimpleNamespace(
        time_zone=SimpleNamespace(name=zone), allow_identifiers=dict.fromkeys(allowed, "why")
    )
    return identifiers_of(spec, codes.load_folders([codes.SHIPPED])["identifiers"])


def found(text: str, zone: str = "Europe/London") -> list[str]:
    return [rule.identifier_id for rule, _ in of(zone).find(text)]


@pytest.mark.parametrize(("text", "rule"), HELD.items())
def test_what_points_to_a_patient_is_found(text: str, rule: str) -> None:
    assert rule in found(text)


@pytest.mark.parametrize("zone", ["Europe/London", "Europe/Vienna", "America/New_York"])
@pytest.mark.parametrize("text", LEFT_ALONE)
def test_clinical_prose_is_left_alone(text: str, zone: str) -> None:
    assert found(text, zone) == []


def test_a_number_is_a_phone_number_by_the_country_of_the_source() -> None:
    assert found("Bitte 0664 123 45 67", "Europe/Vienna") == ["phone"]
    assert found("Bitte 0664 123 45 67", "Europe/London") == []


def test_a_wrong_check_digit_is_no_health_number() -> None:
    assert found("pt 943-476-5918 was stable") == []


def test_a_rule_of_one_country_holds_for_its_sources_only() -> None:
    assert found("44051401359", "Europe/Warsaw") == ["pl_pesel"]
    assert "pl_pesel" not in found("44051401359", "Europe/London")


def test_a_source_may_allow_a_kind_of_identifier() -> None:
    assert list(of("Europe/London", "email").find("write to a@example.org")) == []


def test_every_rule_has_a_text_that_it_finds_or_a_check_that_is_known() -> None:
    for rule in of("Europe/Warsaw").rules:
        assert rule.check is None or is_check(rule.check), rule.identifier_id
    assert not is_check("no.such.check")


def test_the_country_is_the_one_of_the_time_zone() -> None:
    assert country_of("Europe/Vienna") == "AT"
    assert country_of("UTC") is None


PIECES = st.sampled_from(
    [*HELD, *LEFT_ALONE, " ", "\n", "9", "-", "MRN ", "dob ", "12/03/1961", "@example.org", "+44 "]
)


@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(PIECES | st.text(max_size=8), max_size=6))
def test_the_screen_meets_every_text_in_which_something_is_found(pieces: list[str]) -> None:
    text = "".join(pieces)
    is_met = pl.DataFrame({"text": [text]}).select(of("Europe/London").screen("text")).item()
    assert is_met or not found(text)


def test_the_screen_is_quick_and_lets_most_prose_pass() -> None:
    frame = pl.DataFrame({"text": LEFT_ALONE * 200})
    is_met = frame.select(of("Europe/London").screen("text"))["text"]
    assert is_met.mean() < 0.7
