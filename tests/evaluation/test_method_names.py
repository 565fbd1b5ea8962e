from tfcolor.evaluation import method_names


def test_long_names_keep_their_ends():
    assert method_names.short("siggraph_small") == "siggraph_small"
    path = "/somewhere" * 9 + "/runs/ensemble/model.keras"
    short = method_names.short(path)
    assert len(short) == method_names.LONGEST
    assert short.startswith("…") and short.endswith("/ensemble/model.keras")
