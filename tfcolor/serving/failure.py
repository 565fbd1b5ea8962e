"""What a server's refusal looks like, whatever the protocol."""


class ServerError(Exception):
    """A server did not colorize a picture.

    Args:
        message: str, one line for people.
        passing: bool. Whether the same request may succeed a little later.

    Attributes:
        passing: bool.
    """

    def __init__(self, message: str, *, passing: bool):
        super().__init__(" ".join(message.split()))
        self.passing = passing


def no_answer(url: str, timeout: float) -> str:
    """Returns the message of a request that took too long.

    Args:
        url: str.
        timeout: float, seconds.

    Returns:
        str.
    """
    return f"{url}: no answer within {timeout:g} s (`timeout`)"
