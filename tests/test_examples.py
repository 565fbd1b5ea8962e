"""The notebook runs from its first cell to its last."""

import pathlib

import nbclient
import nbformat
import pytest

ROOT = pathlib.Path(__file__).parents[1]


@pytest.mark.long
def test_the_notebook_runs():
    path = ROOT / "examples/colorize.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.pop("outputs", None)
        if cell.cell_type == "code":
            cell["outputs"] = []
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(ROOT)}}
    )
    client.execute()
    outputs = [
        output for cell in notebook.cells for output in cell.get("outputs", [])
    ]
    pictures = [o for o in outputs if "image/jpeg" in o.get("data", {})]
    printed = "".join(output.get("text", "") for output in outputs)
    assert len(pictures) == 3
    assert "natural" in printed and "(" in printed
