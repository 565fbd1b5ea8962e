"""The packages of the extra [evaluate].

Raises:
    ImportError: one of them is not installed; says how to install it.
"""

try:
    import jinja2
    import pandas
except ImportError as error:
    raise ImportError(
        "Evaluations need jinja2 and pandas, the extra [evaluate]; in the "
        f"checkout: pip install -e '.[evaluate]'. Received: {error}"
    ) from error

__all__ = ["jinja2", "pandas"]
