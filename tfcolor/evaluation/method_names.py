"""Names of methods where there is little room."""

LONGEST = 32


def short(name: str) -> str:
    """Shortens a name for a plot.

    Args:
        name: str. Methods may be named by the paths of their models, whose
            ends tell them apart.

    Returns:
        str of at most `LONGEST` characters, the end of the name.
    """
    return name if len(name) <= LONGEST else "…" + name[1 - LONGEST :]
