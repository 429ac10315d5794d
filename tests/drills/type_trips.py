"""Every type of Arrow goes into a space and comes back, or is refused by name: the lists and tests of test_types."""

import sys
from pathlib import Path

import pyarrow as pa

sys.path.append(str(Path(__file__).parents[1] / "space" / "reading"))


def trips(folder: Path) -> tuple[dict[str, int], list[str]]:
    """Return how many types were kept, stored under another name with the same values, and refused; and what failed."""
    import test_types as t

    wishes = [("kept exactly", t.test_a_column_is_kept_exactly, (array,)) for array in t.KEPT]
    changed = t.test_a_column_that_parquet_does_not_keep_is_stored_under_a_type_that_is_said
    wishes += [("same values, type said", changed, pair) for pair in t.CHANGED]
    refused = t.test_a_column_that_no_space_can_keep_is_refused_by_name_before_anything_is_written
    wishes += [("refused by name", refused, (array,)) for array in t.REFUSED]
    counts, wrong = dict.fromkeys((name for name, _, _ in wishes), 0), []
    for number, (name, test, arguments) in enumerate(wishes):
        place = folder / str(number)
        place.mkdir(parents=True)
        try:
            test(place, *arguments)
            counts[name] += 1
        except Exception as error:
            wrong.append(f"{t.name(arguments[0])}: {type(error).__name__}: {error}")
    assert isinstance(t.KEPT[0], pa.Array)
    return counts, wrong
