from threading import Event, Thread

import faiss
import pytest

from codomain.core import descend, one_thread

torch = pytest.importorskip("torch")


@pytest.fixture
def two_threads():
    before = torch.get_num_threads(), faiss.omp_get_max_threads()
    torch.set_num_threads(2)
    faiss.omp_set_num_threads(2)
    yield
    torch.set_num_threads(before[0])
    faiss.omp_set_num_threads(before[1])


def counts():
    return torch.get_num_threads(), faiss.omp_get_max_threads()


def test_inside_there_is_one_thread_and_afterwards_as_many_as_before(two_threads):
    with one_thread():
        assert counts() == (1, 1)
        with one_thread():
            pass
        assert counts() == (1, 1)
    assert counts() == (2, 2)


def test_an_error_inside_gives_the_threads_back(two_threads):
    with pytest.raises(ZeroDivisionError), one_thread():
        1 / 0  # noqa: B018
    assert counts() == (2, 2)


def test_threads_that_are_inside_at_once_leave_every_count_as_it_was(two_threads):
    first_in, second_in, first_out, seen = Event(), Event(), Event(), {}

    def first():
        with one_thread():
            first_in.set()
            second_in.wait(10)
        seen["first"] = counts()
        first_out.set()

    def second():
        first_in.wait(10)
        with one_thread():
            second_in.set()
            first_out.wait(10)
            seen["inside"] = counts()
        seen["second"] = counts()

    threads = [Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fresh = Thread(target=lambda: seen.update(fresh=torch.get_num_threads()))
    fresh.start()
    fresh.join()
    assert seen.pop("inside") == (1, 1)
    assert seen.pop("fresh") == 2
    assert set(seen) == {"first", "second"} and all(torch_count == 2 for torch_count, _ in seen.values())
    assert counts() == (2, 2)


def test_descent_runs_on_one_thread(two_threads):
    seen = []
    slope = torch.nn.Parameter(torch.ones(2))
    descend(lambda rows: (seen.append(counts()), (slope**2).sum())[1], [slope], 8, epochs=1, batch=4)
    assert set(seen) == {(1, 1)} and counts() == (2, 2)


def test_a_library_that_is_not_imported_is_left_alone(monkeypatch):
    import sys

    monkeypatch.delitem(sys.modules, "faiss")
    monkeypatch.delitem(sys.modules, "torch")
    with one_thread():
        assert "faiss" not in sys.modules and "torch" not in sys.modules
