"""What test_measuring.py measures in a process of its own."""


def blocks(*, megabytes):
    """Holds some memory, and as much again in every call."""
    held = b"\1" * (megabytes * 10**6)

    def run():
        return len(held + b"\1")

    return run


def failing():
    """Cannot be loaded."""
    raise ValueError("no such weights")
