import threading

from tfcolor.data.drop_log import DropLog


def test_a_picture_counts_once_for_a_reason():
    log = DropLog()
    for _ in range(3):
        log.record("a.jpg", "broken", "truncated")
        log.record("b.jpg", "broken")
        log.record("a.jpg", "grey")
    assert log.count("broken") == 2
    assert log.count("grey") == 1
    assert log.count("other") == 0


def test_the_summary_names_reasons_pictures_and_details():
    log = DropLog()
    log.record("a.jpg", "broken", "truncated")
    log.record("b.jpg", "broken")
    log.record("c.jpg", "grey")
    assert log.summary().splitlines() == [
        "dropped 2 pictures, broken: a.jpg (truncated), b.jpg",
        "dropped 1 pictures, grey: c.jpg",
    ]


def test_the_summary_shows_a_few_names_only():
    log = DropLog()
    for i in range(5):
        log.record(f"{i}.jpg", "grey")
    assert log.summary(examples=2) == (
        "dropped 5 pictures, grey: 0.jpg, 1.jpg, ..."
    )


def test_an_empty_log_has_an_empty_summary():
    assert DropLog().summary() == ""


def test_threads_may_record_at_once():
    log = DropLog()

    def record(start):
        for i in range(200):
            log.record(f"{(start + i) % 300}", "grey")
            log.summary()

    threads = [threading.Thread(target=record, args=[50 * k]) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.count("grey") == 300
