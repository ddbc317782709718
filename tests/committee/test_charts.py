from __future__ import annotations

import os
import time
import xml.etree.ElementTree as ET
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.committee import charts
from pipelines.committee.charts import Point, Sitting, Span, Target

WINDOW = Span(date(2024, 9, 1), date(2026, 11, 28))


def _svg(drawing: charts.Drawing) -> ET.Element:
    return ET.fromstring(f'<svg xmlns="http://www.w3.org/2000/svg">{drawing.body}</svg>')


def _marks(drawing: charts.Drawing, *, fill: str) -> int:
    return sum(element.get("fill") == fill for element in _svg(drawing).iter())


def test_each_observation_is_one_mark_and_open_ones_are_hollow() -> None:
    points = [
        Point(0, date(2025, 1, 1), 0.5, "observed", False),
        Point(0, date(2025, 2, 1), 0.75, "secured", False),
        Point(0, date(2025, 3, 1), 1.0, "open", False),
        Point(0, date(2025, 4, 1), 1.0, None, False),
    ]
    drawing = charts.strips(points, [], [], WINDOW, 1)
    assert _marks(drawing, fill=charts.ACCENT) == 3
    assert _marks(drawing, fill=charts.PAPER) == 1


def test_the_target_is_a_dashed_line_and_leave_is_grey() -> None:
    leave = [Span(date(2025, 3, 1), date(2025, 4, 1))]
    drawing = charts.strips([], [Target(0, 0.75)], leave, WINDOW, 1)
    assert 'stroke-dasharray="4,3"' in drawing.body
    assert _marks(drawing, fill=charts.FAINT) == 1


def test_leave_outside_the_window_is_not_drawn() -> None:
    leave = [Span(date(2020, 3, 1), date(2020, 4, 1))]
    assert _marks(charts.strips([], [], leave, WINDOW, 1), fill=charts.FAINT) == 0


def test_a_flag_is_a_box_around_the_mark_and_not_a_colour() -> None:
    plain = charts.strips([Point(0, date(2025, 1, 1), 0.5, "open", False)], [], [], WINDOW, 1)
    flagged = charts.strips([Point(0, date(2025, 1, 1), 0.5, "open", True)], [], [], WINDOW, 1)
    assert charts.INK not in plain.body
    assert charts.INK in flagged.body


def test_strips_stand_below_each_other_in_steps_the_page_can_cut_at() -> None:
    drawing = charts.strips([Point(2, date(2025, 1, 1), 0.0, "open", False)], [], [], WINDOW, 3)
    assert drawing.height == charts.AXIS_HEIGHT + 3 * charts.STRIP_HEIGHT


def test_an_absent_sitting_is_a_gap_and_never_a_zero() -> None:
    days = [date(2025, 1, 1) + timedelta(days=90 * i) for i in range(5)]
    shares = [0.3, 0.4, None, 0.5, 0.6]
    sittings = [Sitting(d, s, 0.5, None) for d, s in zip(days, shares, strict=True)]
    drawing = charts.growth(sittings, WINDOW)
    lines = [
        element
        for element in _svg(drawing).iter()
        if element.get("stroke") == charts.ACCENT and element.get("d", "").startswith("M")
    ]
    assert len(lines) == 2
    assert _marks(drawing, fill=charts.ACCENT) == 4
    assert 'stroke-dasharray="2,4"' in drawing.body


@given(
    st.lists(
        st.tuples(
            st.integers(0, 12), st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.floats(0, 1)
        ),
        max_size=30,
    )
)
@settings(max_examples=25, deadline=None)
def test_any_points_draw_well_formed_and_twice_alike(
    drawn: list[tuple[int, date, float]],
) -> None:
    points = [Point(i, on, height, "open", False) for i, on, height in drawn]
    first = charts.strips(points, [], [], WINDOW, 13)
    assert _svg(first) is not None
    assert charts.strips(points, [], [], WINDOW, 13) == first


def test_the_time_zone_of_the_machine_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [Point(0, date(2025, 1, 1), 0.5, "open", False)]
    first = charts.strips(points, [], [], WINDOW, 1)
    monkeypatch.setitem(os.environ, "TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        assert charts.strips(points, [], [], WINDOW, 1) == first
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_a_window_is_a_year_long_at_least_and_ends_with_the_month() -> None:
    as_of = date(2026, 11, 28)
    assert charts.window_of([], as_of) == Span(date(2025, 11, 30), date(2026, 11, 30))
    assert charts.window_of([], date(2028, 2, 1)).ends_on == date(2028, 2, 29)
    assert charts.window_of([date(2024, 1, 1), date(2027, 1, 1)], as_of).starts_on == date(
        2024, 1, 1
    )


def test_drawings_hold_no_words_but_years_and_shares() -> None:
    points = [Point(0, date(2025, 1, 1), 0.5, "open", False)]
    texts = {e.text for e in _svg(charts.strips(points, [], [], WINDOW, 1)).iter() if e.text}
    assert texts == {"2025", "2026"}


def test_an_error_of_measurement_is_a_bar_that_stays_on_the_axis() -> None:
    on = date(2026, 1, 1)
    window = charts.Span(date(2025, 1, 1), date(2026, 11, 1))
    without = charts.growth([charts.Sitting(on, 0.5, None, None)], window).body
    inside = charts.growth([charts.Sitting(on, 0.5, None, None, 0.1)], window).body
    beyond = charts.growth([charts.Sitting(on, 0.5, None, None, 9.0)], window).body
    assert inside != without
    assert beyond == charts.growth([charts.Sitting(on, 0.5, None, None, 0.5)], window).body
