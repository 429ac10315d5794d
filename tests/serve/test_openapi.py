"""The OpenAPI document is true: what it allows is answered as it says, and nothing that is sent breaks the server."""

import shutil
from collections import Counter

import pytest

pytest.importorskip("schemathesis")
pytest.importorskip("fastapi")

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import positive_data_acceptance

import codomain
from served import connect

EXAMPLES = 40  # of each address
HOST = {"Host": "localhost"}
# A condition and a column are words of the data, which no schema knows: 422 says which there are.
EXCLUDED = [positive_data_acceptance]


@pytest.mark.long(40)
def test_every_address_answers_as_the_document_says(studied, tmp_path):
    other = shutil.copytree(studied, tmp_path / "other.space")
    app = connect([studied, other], notes=tmp_path / "notes").app
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=HOST)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 15
    there = {
        "space": ["docs"], "number": [0, 1, -1], "kind": ["outlier", "label"], "column": ["day", "module"],
        "name": ["class"], "id": (ids := codomain.open(studied).ids[:3].to_pylist()),
        "q": ["read a file", '"a file" -class'], "where": ["kind == 'class'"], "show": [["kind", "map_x"]],
        "like": [ids], "unlike": [ids[:1]], "page": [1], "rows": ["1,5-9"], "since": ["2024-05-01"],
        "spaces": ["docs,other"],
    }  # fmt: skip
    for operation in operations:
        statuses = statuses_of(operation, there)
        assert statuses[200] + statuses[204] > 0, (operation.label, statuses)


def statuses_of(operation, there):
    """Send requests of every kind, of which most name what there is; every answer is held to the document."""
    statuses = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])  # fmt: skip
    @given(case=operation.as_strategy(), strange=st.integers(0, 4), data=st.data())
    def send(case, strange, data):
        if strange:
            for values in (case.path_parameters, case.query if strange > 2 else None):
                for name in sorted({*(values or ())} & {*there}):
                    values[name] = data.draw(st.sampled_from(there[name]))
        statuses[case.call_and_validate(headers=HOST, excluded_checks=EXCLUDED).status_code] += 1

    send()
    return statuses
