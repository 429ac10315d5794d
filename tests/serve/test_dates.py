"""Rows by date: periods, what is new, and groups that rise."""

from datetime import date, timedelta

import numpy as np
import pytest

from codomain.serve.dates import difference, period_starts, rises

DAYS = [date(1960, 1, 1) + timedelta(days=7 * i + i % 6) for i in range(5000)]


@pytest.mark.parametrize(("by", "first"), [
    ("day", lambda day: day), ("week", lambda day: day - timedelta(days=day.weekday())),
    ("month", lambda day: day.replace(day=1)),
])  # fmt: skip
def test_a_period_begins_where_the_calendar_says(by, first):
    starts = period_starts(np.array(DAYS, "datetime64[us]"), by)
    assert starts.astype(object).tolist() == [first(day) for day in DAYS]


def test_the_interval_is_the_one_in_newcombes_table():
    """56 of 70 against 48 of 80, method 10 of Newcombe (1998): 0.0524 to 0.3339."""
    gap, low, high = difference(np.array([56.0]), 70, np.array([48.0]), 80, np.ones(1), 1.959964)
    assert (gap[0], low[0], high[0]) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def draw(rng, shares, rows=300):
    """Periods and groups of rows; `shares` has a line a period."""
    starts = np.repeat(np.arange(len(shares)), rows)
    return starts, np.concatenate([rng.choice(len(line), rows, p=line) for line in shares])


def test_a_group_that_doubles_its_share_rises_and_no_other():
    before, after = [0.1, 0.3, 0.6], [0.3, 0.2, 0.5]
    found = rises(*draw(np.random.default_rng(0), [before] * 6 + [after]), np.arange(3))
    assert [one["group"] for one in found] == [0]
    assert found[0]["low"] < 0.2 < found[0]["high"]
    assert found[0]["rows"] / 300 == found[0]["share"] and found[0]["share_before"] == pytest.approx(0.1, abs=0.02)


def test_numbers_of_groups_may_come_in_any_order_and_rows_in_none_count_as_rows():
    starts = np.repeat([0, 1], 400)
    labels = np.concatenate([np.repeat([7, 2, -1], [40, 160, 200]), np.repeat([7, 2, -1], [160, 40, 200])])
    found = rises(starts, labels, np.array([7, 2]))
    assert [one["group"] for one in found] == [7]
    assert found[0]["share"] == 0.4 and found[0]["share_before"] == 0.1


def alarms(shares_of):
    """In how many of 200 draws some group seems to rise."""
    count = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        count += bool(rises(*draw(rng, shares_of(rng)), np.arange(20)))
    return count


def test_where_nothing_changes_few_alarms_are_raised():
    steady = np.full(20, 0.05)
    assert alarms(lambda rng: [steady] * 10) <= 15  # 5 % of 200 is 10, and this has 1 chance in 20 of being passed


def test_shares_that_go_up_and_down_all_the_time_raise_far_fewer_alarms_than_plain_counts_would(monkeypatch):
    def moody(rng):
        return rng.dirichlet(np.full(20, 5.0), size=10)

    ours = alarms(moody)
    monkeypatch.setattr("codomain.serve.dates._dispersion", lambda counts, rows, share: np.ones(counts.shape[1]))
    assert ours < 40 < 120 < alarms(moody)


def test_one_period_and_no_group_are_no_news():
    assert rises(np.zeros(10), np.zeros(10, int), np.arange(1)) == []
    assert rises(np.arange(10), np.full(10, -1), np.arange(0)) == []


def test_rows_come_newest_first_and_what_is_new_is_counted(client):
    pytest.importorskip("fastapi")
    answer = client.get("/docs/dates/day", params={"by": "month", "since": "2024-05-20"}).json()
    days = [row["date"] for row in answer["rows"]]
    assert days == sorted(days, reverse=True) and days[0].startswith("2024-05-29")
    assert answer["new"]["count"] == 10
    assert [one["rows"] for one in answer["periods"]] == [31, 29, 31, 30, 29]
    assert answer["count"] == 150 and answer["pages"] == 3 and answer["without_date"] == 0
    assert "Newcombe" in answer["how"]
