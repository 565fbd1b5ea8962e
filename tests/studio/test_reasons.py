import ast
import json
import os
import re

import pytest

from tests import hostile_corpus
from tests.studio import pages
from tfcolor.data import files
from tfcolor.pictures import decode
from tfcolor.studio import reasons

_PAGE = pages.ROOT / "tfcolor" / "studio" / "page"
# Sentences of Python, Pillow, Starlette and the system.
_FOREIGN = (
    *("broken", "with_path", "full_disk", "not_allowed", "read_only"),
    *("gone", "long_name", "cut_by", "cut_file"),
    *("broken_stream", "other_stream", "no_decoder", "no_frame"),
    *("no_json", "no_utf8"),
)
# Put together of several; test_app.py has them.
_COMPOSED = ("source_path", "output_path")
# Of Pillow's words for what is damaged only the frequent ones are known.
_RARE = "Decompressed data too large|Unsupported BMP compression"
_RARE += "|cannot identify|Invalid|not enough|unpack|buffer|tile"


def _values(text):
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_reason_has_a_text_with_values_that_it_has(language):
    texts = json.loads((_PAGE / f"{language}.json").read_text())
    found = {
        key.removeprefix("reason "): text
        for key, text in texts.items()
        if key.startswith("reason ")
    }
    assert set(found) == {"other", *reasons.PATTERNS}
    for code, sentence in reasons.PATTERNS.items():
        assert _values(found[code]) <= _values(sentence), code


def test_languages_have_the_same_texts():
    english, german = (
        json.loads((_PAGE / f"{name}.json").read_text())
        for name in ("en", "de")
    )
    assert list(english) == list(german)
    assert all(english.values()) and all(german.values())


def test_a_reason_shows_the_same_values_in_all_languages():
    english, german = (
        json.loads((_PAGE / f"{name}.json").read_text())
        for name in ("en", "de")
    )
    for key, text in english.items():
        assert _values(german[key]) == _values(text), key


def _sentences():
    """All texts of the library, with {} for the values in them."""
    for path in sorted((pages.ROOT / "tfcolor").rglob("*.py")):
        if path.name == "reasons.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    part.value if isinstance(part, ast.Constant) else "{}"
                    for part in node.values
                )


def test_every_reason_is_one_that_the_library_gives():
    everything = "\n".join(_sentences())
    for code, sentence in reasons.PATTERNS.items():
        if code in _FOREIGN + _COMPOSED:
            continue
        for part in re.split(r"\{\w+\}", sentence):
            assert part in everything, (code, part)


def test_every_code_is_found_for_its_own_sentence():
    for code, sentence in reasons.PATTERNS.items():
        if code == "in_file":
            sentence = "points 1: The file is empty."
        assert reasons.coded(sentence).get("code") == code, code


def test_a_reason_within_a_reason_has_a_code_too():
    found = reasons.coded("[Errno 13] Permission denied: '/x/y'")
    assert (found["code"], found["values"]["path"]) == ("with_path", "'/x/y'")
    assert found["values"]["reason"]["code"] == "not_allowed"


def test_what_nobody_knows_stays_as_it_is():
    assert reasons.coded("Something new.") == {"reason": "Something new."}


@pytest.mark.filterwarnings("ignore")
def test_what_is_wrong_with_a_file_has_a_code(tmp_path):
    unknown, known = set(), set()
    for kind in hostile_corpus.build(str(tmp_path)):
        path = os.path.join(os.fsencode(tmp_path), kind.name)
        if not os.path.isfile(path) or os.path.getsize(path) > 10**6:
            continue
        with open(path, "rb") as file:
            data = file.read()
        try:
            said = decode.decode_picture(data).notes
        except (OSError, ValueError) as error:
            said = [files.one_line(error)]
        for sentence in said:
            code = reasons.coded(sentence).get("code")
            (known if code else unknown).add(code or sentence)
    assert len(known) >= 20
    assert not [text for text in unknown if not re.match(_RARE, text)]
