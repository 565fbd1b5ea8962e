import threading

import pytest

from tfcolor.studio import worker as worker_lib


@pytest.fixture
def worker():
    made = worker_lib.Worker()
    yield made
    made.close()


def _blocked(worker):
    """Keeps the worker busy until the event is set."""
    begun, go_on = threading.Event(), threading.Event()
    worker.submit(lambda: (begun.set(), go_on.wait(10)))
    begun.wait(10)
    return go_on


def test_of_wishes_with_one_key_only_the_newest_is_done(worker):
    go_on, done = _blocked(worker), []
    wishes = [
        worker.submit(lambda n=n: done.append(n), key="point") for n in range(5)
    ]
    go_on.set()
    wishes[-1].result(10)
    assert done == [4]
    for old in wishes[:-1]:
        with pytest.raises(worker_lib.Stale):
            old.result(10)


def test_wishes_of_other_keys_are_all_done_in_order(worker):
    go_on, done = _blocked(worker), []
    wishes = [
        worker.submit(lambda n=n: done.append(n), key=n) for n in range(3)
    ]
    go_on.set()
    for wish in wishes:
        wish.result(10)
    assert done == [0, 1, 2]


def test_a_person_comes_before_a_folder(worker):
    go_on, done = _blocked(worker), []
    later = worker.submit(lambda: done.append("f"), order=worker_lib.LATER)
    worker.submit(lambda: done.append("person"))
    go_on.set()
    later.result(10)
    assert done == ["person", "f"]


def test_an_error_reaches_who_asked_and_the_worker_goes_on(worker):
    with pytest.raises(ZeroDivisionError):
        worker.submit(lambda: 1 / 0).result(10)
    assert worker.submit(lambda: 7).result(10) == 7


def test_an_ended_worker_begins_nothing():
    worker = worker_lib.Worker()
    worker.close()
    with pytest.raises(worker_lib.Stale):
        worker.submit(lambda: 1).result(10)
