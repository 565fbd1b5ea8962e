import pytest

from benchmarks import measuring

MEGABYTE = 10**6


def test_functions_are_called_in_turns_and_take_turns_to_begin():
    calls = []
    seconds = measuring.seconds_in_turns(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")},
        repeats=3,
        warmup=1,
    )
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert {name: len(times) for name, times in seconds.items()} == {
        "a": 3,
        "b": 3,
    }


def test_the_ratio_is_the_median_of_the_ratios_within_turns():
    seconds = {"a": [1.0, 6.0, 30.0], "b": [2.0, 2.0, 10.0]}
    assert measuring.ratio_over(seconds, "a", "b") == 3
    assert measuring.ratio_over(seconds, "b", "b") is None
    assert measuring.ratio_over(seconds, "a", "c") is None


def test_memory_is_that_of_the_function_alone():
    # What this process holds must not count for the other one.
    here = b"\1" * (300 * MEGABYTE)
    memory = measuring.memory_of(
        "tests.benchmarks.holding", "blocks", megabytes=60
    )
    assert len(here) > memory.peak
    assert 60 * MEGABYTE < memory.loaded < 120 * MEGABYTE
    grown = memory.peak - memory.loaded
    assert 50 * MEGABYTE < grown < 80 * MEGABYTE


def test_a_process_that_fails_says_why():
    with pytest.raises(RuntimeError, match="no such weights"):
        measuring.memory_of("tests.benchmarks.holding", "failing")


def test_memory_is_compared_where_both_sides_were_measured():
    memory = {
        "a": measuring.Memory(10 * MEGABYTE, 30 * MEGABYTE),
        "b": measuring.Memory(20 * MEGABYTE, 60 * MEGABYTE),
    }
    assert measuring.memory_cells(memory, "a", "b") == ["30 MB", 0.5, "10 MB"]
    assert measuring.memory_cells(memory, "b", "b")[1] is None
    assert measuring.memory_cells({}, "a", "b") == [None, None, None]


def test_tables_are_markdown(capsys):
    measuring.print_table(["side", "s"], [["a", 1.23456], ["b", None]])
    assert capsys.readouterr().out == (
        "| side | s |\n| --- | --- |\n| a | 1.23 |\n| b | - |\n\n"
    )


def test_the_peak_is_the_quickest_of_several_products():
    sides = []

    def multiply(side):
        sides.append(side)
        return lambda: sum(range(1000))

    assert measuring.matmul_flops(multiply) > 2 * sides[0] ** 3
