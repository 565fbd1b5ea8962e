import pytest

from benchmarks import commands

MEGABYTE = 10**6


def test_a_command_is_timed_and_its_memory_is_its_own():
    # What this process holds must not count for the other one.
    here = b"\1" * (300 * MEGABYTE)
    program = "import time; x = b'1' * (60 * 10**6); time.sleep(0.1); print(7)"
    done = commands.run(["-c", program])
    assert len(here) > done.peak > 60 * MEGABYTE
    assert 0.1 < done.seconds < 10
    assert done.output == "7\n"


def test_a_command_that_fails_says_why():
    with pytest.raises(RuntimeError, match=r"(?s)status 1 .*no such picture"):
        commands.run(["-c", "raise ValueError('no such picture')"])
