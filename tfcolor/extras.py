"""What to say where the packages of an extra of setup.py are missing."""


def how_to_install(extra: str) -> str:
    """Says how an extra is installed, with the versions that are tested.

    Args:
        extra: str, its name in setup.py, such as "film".

    Returns:
        str, the end of a sentence, without a full stop.
    """
    return (
        f"the extra [{extra}]; in the checkout: pip install -c "
        f"constraints.txt -e '.[{extra}]'"
    )
