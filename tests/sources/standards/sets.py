"""Small OneRoster sets of both versions, by file name."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.sources.standards.oneroster_tables import TABLES, Version

SHARED = {
    "academicSessions": """
        y1,,,2023/24,schoolYear,2023-09-01,2024-07-31,,2024
        t1,,,Autumn,term,2023-09-15,2024-01-15,y1,2024
        t2,,,Spring,term,2024-02-01,2024-06-30,y1,2024""",
    "orgs": "o1,,,School of Medicine,school,M,",
    "courses": "k,,,y1,Cardiology,CARD,,o1,,",
    "classes": 'c1,,,Cardiology 1,,k,C1,scheduled,,o1,"t1,t2",,,',
    "demographics": "s1,,,2000-01-01,female,false,false,false,false,false,false,false,,,,",
    "enrollments": """
        e1,,,c1,o1,s1,student,false,2024-02-01,
        e2,,,c1,o1,s2,student,false,2024-02-01,2024-06-30
        e3,,,c1,o1,t9,teacher,true,,""",
}
V1P1_TABLES = SHARED | {
    "users": """
        s1,,,true,o1,student,ada,,Ada,Lovelace,,1001,ada@school.example,,,,,secret-word
        s2,,,true,o1,student,grace,,Grace,Hopper,,1002,,,,,,
        t9,,,true,o1,teacher,rosalind,,Rosalind,Franklin,,,,,,,,""",
    "categories": "k1,,,Exam",
    "lineItems": "li1,,,Final,,2024-04-01,2024-05-01,c1,k1,t2,0,10",
    "results": """
        r1,,,li1,s1,fully graded,7.5,2024-05-01,
        r2,,,li1,s2,submitted,,2024-05-01,""",
}
V1P2_TABLES = SHARED | {
    "users": """
        s1,,,true,ada,,Ada,Lovelace,,1001,ada@school.example,,,,,secret-word,,,,,o1,
        s2,,,true,grace,,Grace,Hopper,,1002,,,,,,,,,,,o1,
        t9,,,true,rosalind,,Rosalind,Franklin,,,,,,,,,,,,,o1,""",
    "roles": """
        p1,,,s1,primary,student,,,o1,
        p2,,,s2,primary,student,,,o1,
        p3,,,t9,primary,teacher,,,o1,
        p4,,,s2,secondary,proctor,,,o1,""",
    "categories": "k1,,,Exam,60",
    "lineItems": "li1,,,Final,,2024-04-01,2024-05-01,c1,k1,t2,0,10,o1",
    "results": """
        r1,,,li1,s1,fully graded,7.5,2024-05-01,,,c1,false,false,false,false
        r2,,,li1,s2,exempt,,2024-05-01,,,,,,,""",
}


def manifest(version: Version, modes: Mapping[str, str]) -> str:
    lines = ["propertyName,value", "manifest.version,1.0", f"oneroster.version,{version}"]
    lines += [f"file.{name},{modes.get(name, 'absent')}" for name in sorted(TABLES[version])]
    return "\n".join(lines) + "\n"


def written(version: Version, tables: Mapping[str, str]) -> dict[str, str]:
    files = {"manifest.csv": manifest(version, dict.fromkeys(tables, "bulk"))}
    for name, text in tables.items():
        header = TABLES[version][name].names
        lines = [line.strip() for line in text.strip().splitlines()]
        assert {len(row) for row in csv.reader(lines)} == {len(header)}, name
        files[f"{name}.csv"] = "\n".join([",".join(header), *lines]) + "\n"
    return files


V1P1 = written("1.1", V1P1_TABLES)
V1P2 = written("1.2", V1P2_TABLES)


def replaced(files: Mapping[str, Any], table: str, old: str, new: str) -> dict[str, Any]:
    """Return the set with a text of one table replaced."""
    name = f"{table}.csv"
    return {**files, name: files[name].replace(old, new)}


def packed(file: Path, files: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file
