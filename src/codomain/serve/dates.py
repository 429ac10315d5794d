"""Rows by date: what is new, and which groups take a larger share of the last period than of those before."""

from datetime import UTC, date, datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import types
from scipy.special import ndtri, stdtrit

from codomain.core import UserError
from codomain.serve.answers import MissingError, Record, cut_page, list_rows, pages_of
from codomain.serve.spaces import Opened

By = Literal["day", "week", "month"]
BEFORE = 12  # periods that the last one is held against
LEAST = 3  # periods before, from which on their own ups and downs are measured
CONFIDENCE = 0.95
HOW = (
    "For each group, its share of the rows of the last period minus its share of up to {before} periods before. The "
    "interval is Newcombe's for two shares, made wider by how much the group's share went up and down between those "
    "periods beyond chance, and so that with 95% confidence it holds for all {groups} groups at once. A group rises "
    "when the whole interval is above 0."
)


def rows_by_date(opened: Opened, column: str, by: By, since: str | None = None, page: int = 1) -> Record:
    """Return the rows of a space by date, newest first.

    Parameters
    ----------
    opened : Opened
        The space.
    column : str
        A column of dates, times, or texts that are dates in ISO form.
    by : {"day", "week", "month"}
        Length of a period; weeks begin on Monday.
    since : str, optional
        A date: what is new is counted from here; from the last period when missing.
    page : int, default=1
        Of the rows.

    Returns
    -------
    dict
        `periods` with their rows, `new` since that date, `rising` groups with intervals, and a page of `rows`.

    Raises
    ------
    UserError
        When there is no such column, it holds no dates, or `since` is none.
    """
    times = read_times(opened, column)
    known = np.flatnonzero(~np.isnat(times))
    if not len(known):
        raise UserError(f"Column {column!r} of {opened.name} holds no date.", needed="a column with dates")
    newest = known[np.lexsort((known, -times[known].astype(np.int64)))]
    starts = period_starts(times, by)
    last = starts[known].max()
    cut = last if since is None else np.datetime64(_moment(since), "us")
    new = known[times[known] >= cut]
    periods, counts = np.unique(starts[known], return_counts=True)
    groups = np.array([group["id"] for group in opened.group_records], np.int64)
    rising = rises(starts[known], opened.groups[known], groups)
    return {
        "space": opened.name, "generation": opened.space.generation, "column": column, "by": by,
        "first": _day(times[known].min()), "last": _day(times[known].max()), "without_date": len(times) - len(known),
        "periods": [
            {"start": _day(start), "rows": count} for start, count in zip(periods, counts.tolist(), strict=True)
        ][-366:],
        "new": {"since": str(cut.astype("datetime64[s]")), "count": len(new), "groups": _new_groups(opened, new)},
        "rising": [one | {"name": opened.group_names[one["group"]], "url": f"groups/{one['group']}"} for one in rising],
        "how": HOW.format(before=BEFORE, groups=len(groups)),
        **pages_of(len(known), page),
        "rows": [
            one | {"date": str(times[one["row"]].astype("datetime64[s]"))}
            for one in list_rows(opened, cut_page(newest, page))
        ],
    }  # fmt: skip


def read_times(opened: Opened, column: str) -> NDArray[np.datetime64]:
    """Return a column as times in UTC, of dtype datetime64[us]; NaT where there is none."""
    space = opened.space
    if column not in space.columns:
        dated = [field.name for field in opened.schema if types.is_temporal(field.type)]
        raise MissingError(
            f"{opened.name} has no column {column[:80]!r}.",
            needed=f"one of {', '.join(dated or space.columns)}",
        )
    values = space.rows([column]).column(0)
    kind = values.type
    if types.is_string(kind) or types.is_large_string(kind):
        return _read_texts(values, column)
    if types.is_date(kind) or types.is_timestamp(kind):
        naive = pc.cast(values, pa.timestamp("us", tz="UTC" if types.is_timestamp(kind) and kind.tz else None), False)
        return np.asarray(naive.to_numpy(), "datetime64[us]")
    raise UserError(f"Column {column!r} of {opened.name} is {kind}, not dates.", needed="a column with dates")


def _read_texts(values: pa.ChunkedArray, column: str) -> NDArray[np.datetime64]:
    """Read each different text once."""
    coded = pc.dictionary_encode(values.combine_chunks())
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    moments = [_moment(text) if text.strip() else None for text in coded.dictionary.to_pylist()]
    known = np.array([*moments, None], "datetime64[us]")
    codes = pc.fill_null(coded.indices, len(moments)).to_numpy(zero_copy_only=False)
    return np.asarray(known[codes])


def _moment(text: str) -> datetime:
    """Return a time in UTC without its zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        raise UserError(
            f"{text[:80]!r} is not a date.", needed="a date such as 2024-05-31 or 2024-05-31T12:00"
        ) from None


def period_starts(times: NDArray[np.datetime64], by: By) -> NDArray[np.datetime64]:
    """Return the first day of the period of each time; weeks begin on Monday.

    Parameters
    ----------
    times : ndarray of datetime64, shape (n,)
        NaT stays NaT.
    by : {"day", "week", "month"}
        Length of a period.

    Returns
    -------
    ndarray of datetime64[D], shape (n,)
        Days.

    Examples
    --------
    >>> period_starts(np.array(["2024-05-30T12:00", "2024-06-02"], "datetime64[s]"), "week").astype(str).tolist()
    ['2024-05-27', '2024-05-27']
    """
    if by == "month":
        return times.astype("datetime64[M]").astype("datetime64[D]")
    days = times.astype("datetime64[D]")
    if by == "day":
        return days
    weeks = (days - np.timedelta64(4, "D")).astype("datetime64[W]")  # numpy's weeks begin on a Thursday, as 1970 did
    return np.asarray(weeks.astype("datetime64[D]") + np.timedelta64(4, "D"), "datetime64[D]")


def rises(starts: NDArray[Any], labels: NDArray[np.int64], groups: NDArray[np.int64]) -> list[Record]:
    r"""Return the groups whose share of the last period is larger than of those before, beyond chance.

    Parameters
    ----------
    starts : ndarray, shape (n,)
        The period of each row; they sort by time. Periods without rows are none.
    labels : ndarray of int, shape (n,)
        The group of each row, -1 for none.
    groups : ndarray of int, shape (n_groups,)
        Numbers of the groups.

    Returns
    -------
    list of dict
        Of each group that rises `group`, its rows and share in the last period, its rows and share before, and the
        difference with its interval; the surest first. Shares are 0 to 1.

    Notes
    -----
    With counts :math:`x_t` of :math:`n_t` rows, dispersion is :math:`\phi = \max(1, \chi^2 / (T - 1))`, where
    :math:`\chi^2` compares :math:`x_t` with :math:`n_t p` over the T periods before (McCullagh and Nelder 1989,
    4.5), rows count as :math:`n / \phi`, and where that is more than 1 Student's t with T - 1 degrees of freedom stands
    in for the normal. Intervals: Newcombe (1998), method 10, with Bonferroni's correction.
    """
    periods, place = np.unique(starts, return_inverse=True)
    if len(periods) < 2 or not len(groups):
        return []
    first = max(0, len(periods) - 1 - BEFORE)
    recent = place >= first
    slot = np.searchsorted(groups, labels, sorter=np.argsort(groups))
    order = np.argsort(groups)
    inside = (slot < len(groups)) & (groups[order[np.minimum(slot, len(groups) - 1)]] == labels)
    shape = (len(periods) - first, len(groups))
    keep = recent & inside
    cells = np.bincount((place[keep] - first) * shape[1] + order[slot[keep]], minlength=shape[0] * shape[1])
    counts = cells.reshape(shape).astype(np.float64)
    rows = np.bincount(place[recent] - first, minlength=shape[0]).astype(np.float64)
    now, before, n_now, n_before = counts[-1], counts[:-1].sum(axis=0), rows[-1], rows[:-1].sum()
    spread = _dispersion(counts[:-1], rows[:-1], before / n_before)
    level = 1 - (1 - CONFIDENCE) / (2 * len(groups))
    z = np.where(spread > 1, stdtrit(max(1, shape[0] - 2), level), ndtri(level))
    gap, low, high = difference(now, n_now, before, n_before, spread, z)
    sure = np.flatnonzero(low > 0)
    return [
        {
            "group": int(groups[i]), "rows": int(now[i]), "share": float(now[i] / n_now), "rows_before": int(before[i]),
            "share_before": float(before[i] / n_before), "difference": float(gap[i]), "low": float(low[i]),
            "high": float(high[i]),
        }
        for i in sure[np.argsort(-low[sure])].tolist()
    ]  # fmt: skip


def _dispersion(counts: NDArray[np.float64], rows: NDArray[np.float64], share: NDArray[Any]) -> NDArray[np.float64]:
    """Of each group, how many times its counts vary as much as by chance between the periods, at least 1."""
    if len(rows) < LEAST:
        return np.ones(counts.shape[1])
    expected = rows[:, None] * share
    chance = expected * (1 - share)
    chi = np.divide((counts - expected) ** 2, chance, out=np.zeros_like(counts), where=chance > 0).sum(axis=0)
    return np.maximum(1.0, chi / (len(rows) - 1))


def difference(
    x: NDArray[np.float64],
    n: float,
    y: NDArray[np.float64],
    m: float,
    spread: NDArray[np.float64],
    z: float | NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return x/n - y/m with the ends of Newcombe's interval, rows counting as n/spread and m/spread."""
    p, q = x / n, y / m
    (p_low, p_high), (q_low, q_high) = wilson(p, n / spread, z), wilson(q, m / spread, z)
    gap = p - q
    low = gap - np.sqrt((p - p_low) ** 2 + (q_high - q) ** 2)
    return gap, low, gap + np.sqrt((p_high - p) ** 2 + (q - q_low) ** 2)


def wilson(
    p: NDArray[np.float64], n: NDArray[np.float64], z: float | NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Wilson's interval of a share p of n."""
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - half, middle + half


def _new_groups(opened: Opened, rows: NDArray[np.int64]) -> list[Record]:
    numbers, counts = np.unique(opened.groups[rows], return_counts=True)
    best = np.argsort(-counts, kind="stable")[:20]
    return [
        {"group": int(numbers[i]), "name": opened.group_names.get(int(numbers[i])), "rows": int(counts[i])}
        for i in best
    ]


def _day(moment: np.datetime64) -> str:
    return str(moment.astype("datetime64[D]").astype(date))
