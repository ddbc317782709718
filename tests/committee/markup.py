"""Reads pages as a browser would, far enough for tests."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "br", "input", "hr", "img", "wbr"}


class Page(HTMLParser):
    """Elements, ids, links and the text of a page; raises where tags do not nest."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.path = path
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._open: list[str] = []
        self._parts: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        assert self._open == [], f"left open in {path.name}: {self._open}"

    @property
    def text(self) -> str:
        """What is written, with single spaces."""
        return re.sub(r"\s+", " ", "".join(self._parts))

    @property
    def raw_text(self) -> str:
        """What is written, as it is."""
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name == "href" and value:
                self.links.append(value)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        expected = self._open.pop()
        assert expected == tag, f"</{tag}> closes <{expected}> in {self.path.name}"

    def handle_data(self, data: str) -> None:
        self._parts.append(data)
