"""Where a sentence ends."""

from codomain.core.sentences import sentences


def test_sentences_end_at_stops_and_empty_lines_and_not_within_names():
    assert sentences("See os.path now.  Is it\nso? \n\n Title\n\nv1.2 it is!") == [
        "See os.path now.", "Is it so?", "Title", "v1.2 it is!",
    ]  # fmt: skip
