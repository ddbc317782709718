"""Where each rule stands: the requirement's number and the section of the specification.

Numbers are those of the xAPI conformance requirements (1.0.3); version 2.0 keeps what they say
and gives it other, wider sections. So in 2.0 both are named: the section of IEEE 9274.1.1, and
where in 1.0.3 the same sentence stands. Rules that 2.0 alone has are known by their section.
"""

from __future__ import annotations

from functools import cache
from typing import Final, Literal

Version = Literal["1.0.3", "2.0"]

_DATA: Final[dict[str, str]] = {
    "00001": "2.2.s4.b1.b1",
    "00003": "2.2.s2.b3",
    "00004": "2.2.s2.b3",
    "00005": "2.2.s2.b3",
    "00006": "2.2.s4.b2",
    "00007": "2.2.s4.b4",
    "00008": "2.2.s4.b1.b5",
    "00009": "2.2.s4.b1.b6",
    "00010": "2.2.s4.b1.b5",
    "00013": "2.2.s4.b2",
    "00014": "2.1",
    "00020": "2.3.2.s2.b1",
    "00021": "2.4",
    "00022": "2.4.7",
    "00023": "2.4.8",
    "00024": "2.4.s1.table1.row9",
    "00025": "2.4.s1.table1.row11",
    "00027": "2.4.1.s1",
    "00028": "2.4.1.s1",
    "00029": "2.4.1.s1",
    "00030": "2.4.1.s1",
    "00031": "2.4.2.1",
    "00032": "2.4.2.1.s2.table1.row1",
    "00033": "2.4.2.1.s2.table1.row2",
    "00034": "2.4.2.1.s2.b1",
    "00035": "2.4.2.2.s2.table1.row3",
    "00036": "2.4.2.2.s2.table2.row3",
    "00037": "2.4.2.2.s5.b1",
    "00038": "2.4.2.3.s3.table1.row1",
    "00039": "2.4.2.3.s3.table1.row2",
    "00040": "2.4.2.3.s3.table1.row3",
    "00041": "2.4.2.4",
    "00042": "2.4.2.4.s2.table1.row1",
    "00043": "2.4.2.4.s2.table1.row2",
    "00044": "2.4.3.s3.table1.row1",
    "00045": "2.4.3.s3.table1.row2",
    "00046": "2.4.4.s2",
    "00047": "2.4.4.1.s1.table1.row2",
    "00048": "2.4.4.1.s1.table1.row3",
    "00049": "2.4.4.1.s8.table1.row1",
    "00050": "2.4.4.1.s8.table1.row2",
    "00051": "2.4.4.1.s15.table2.row4",
    "00052": "2.4.4.1.s15.table2.row3",
    "00053": "2.4.4.1.s15.table2.row3",
    "00054": "2.4.4.1.s15.table2.row2",
    "00055": "2.4.4.1.s15.table2.row1",
    "00056": "2.4.4.1.s2.table1.row1",
    "00057": "2.4.4.1.s2.table1.row5",
    "00058": "2.4.4.1.s16.b1",
    "00059": "2.4.4.1.s2.table1.row2",
    "00060": "2.4.4.1.s2.table1.row3",
    "00061": "2.4.4.1.s2.table1.row4",
    "00062": "2.4.4.1.s15.table1.row2",
    "00063": "2.4.4.1.s15",
    "00064": "2.4.4.1.s8",
    "00065": "2.4.4.2.s1.b1",
    "00066": "2.4.4.3.s8.b2",
    "00067": "2.4.4.3.s8.b3",
    "00068": "2.4.4.3.s8.b3",
    "00069": "2.4.4.3.s8.b3",
    "00070": "2.4.4.3.s8.b3",
    "00071": "2.4.4.3.s8.b4",
    "00072": "2.4.4.3.s4.table1.row2",
    "00073": "2.4.4.3.s4.b1",
    "00074": "2.4.5.s2.table1.row1",
    "00075": "2.4.5.s2.table1.row2",
    "00076": "2.4.5.s2.table1.row3",
    "00077": "2.4.5.s2.table1.row4",
    "00078": "2.4.5.s2.table1.row6",
    "00079": "2.4.5.1",
    "00080": "2.4.5.1.s2.table1.row4",
    "00081": "2.4.5.1.s2.table1.row3",
    "00082": "2.4.5.1.s2.table1.row2",
    "00083": "2.4.5.1.s2.table1.row1",
    "00084": "2.4.6.s4.b1",
    "00085": "2.4.6.s4.b2",
    "00086": "2.4.6.s3.table1.row4",
    "00087-1": "2.4.6.s3.table1.row1",
    "00087-2": "2.4.6.s3.table1.row2",
    "00088": "2.4.6.s3.table1.row3",
    "00089": "2.4.6.s3.table1.row5",
    "00090": "2.4.6.s3.table1.row6",
    "00091": "2.4.6.s3.table1.row7",
    "00092": "2.4.6.s3.table1.row8",
    "00093": "2.4.6.2.s4.b1",
    "00094": "2.4.6.2.s4.b2",
    "00098": "2.4.9.s3.b1",
    "00100": "2.4.9.s3.b3",
    "00101": "2.4.10.s2.b1",
    "00102": "2.4.11.s2.table1.row5",
    "00103": "2.4.11.s2.table1.row6",
    "00104": "2.4.11.s2.table1.row7",
    "00105": "2.4.11.s2.table1.row4",
    "00106": "2.4.11.s2.table1.row2",
    "00107": "2.4.11.s2.table1.row1",
    "00115": "2.6.s4.b1",
    "00118": "4.1.s3.b1",
    "00121": "4.2.s1",
    "00123": "4.5.s1.b1",
    "00124": "4.6.s1.b1",
}
"""Sections of the part on data of xAPI 1.0.3."""

_IEEE: Final[tuple[tuple[int, int, str], ...]] = (
    (1, 21, "4.2"),
    (22, 23, "4.2.4.2"),
    (24, 24, "4.2.4"),
    (25, 25, "4.2.4"),
    (27, 30, "4.2.4.2"),
    (31, 43, "4.2.2.1"),
    (44, 45, "4.2.2.2"),
    (46, 73, "4.2.2.3"),
    (74, 83, "4.2.2.4"),
    (84, 94, "4.2.2.5"),
    (98, 100, "4.2.4"),
    (101, 101, "4.2.4.3"),
    (102, 117, "4.2.4"),
    (118, 124, "4.2.7"),
)
"""First and last number, and the section of IEEE 9274.1.1 that keeps them."""

CONTEXT_AGENTS: Final = "context-agents"
CONTEXT_GROUPS: Final = "context-groups"
BATCH: Final = "batch"

_OWN: Final[dict[str, str]] = {
    CONTEXT_AGENTS: "IEEE 9274.1.1, 4.2.2.5, Context Agents",
    CONTEXT_GROUPS: "IEEE 9274.1.1, 4.2.2.5, Context Groups",
    BATCH: "XAPI-00326 (Communication 3.2.s3.b9)",
}

NUMBERS: Final = tuple(_DATA)


@cache
def name(rules: tuple[str, ...], version: Version) -> str:
    """Return requirements as they are cited: their numbers, and the section of the first."""
    first, *others = dict.fromkeys(rules)
    if first in _OWN:
        return ", ".join((_OWN[first], *(f"XAPI-{rule}" for rule in others)))
    numbers = ", ".join(f"XAPI-{rule}" for rule in (first, *others) if rule not in _OWN)
    return f"{numbers} ({_section(first, version)})"


def _section(rule: str, version: Version) -> str:
    if version == "1.0.3":
        return f"Data {_DATA[rule]}"
    number = int(rule[:5])
    section = next(section for first, last, section in _IEEE if first <= number <= last)
    return f"IEEE 9274.1.1, {section}; as Data {_DATA[rule]} of 1.0.3"
