"""The files in deploy/, as far as a program can check them."""

import pathlib
import re

import pytest
from google.protobuf import text_format

DEPLOY = pathlib.Path(__file__).parent.parent / "deploy"
# Of `tensorflow_model_server --help` that the compose files may use.
FLAGS = {
    "allow_version_labels_for_unavailable_models",
    "batching_parameters_file",
    "enable_batching",
    "file_system_poll_wait_seconds",
    "model_config_file",
    "model_config_file_poll_wait_seconds",
    "monitoring_config_file",
    "rest_api_timeout_in_ms",
}


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("models.config", {"stable": 1}),
        ("models_canary.config", {"stable": 1, "canary": 2}),
    ],
)
def test_model_configs_are_what_the_protocol_says(name, labels):
    from tensorflow_serving.config import model_server_config_pb2

    config = text_format.Parse(
        (DEPLOY / "config" / name).read_text(),
        model_server_config_pb2.ModelServerConfig(),
    )
    (model,) = config.model_config_list.config
    assert model.base_path == f"/models/{model.name}"
    assert dict(model.version_labels) == labels
    served = set(model.model_version_policy.specific.versions)
    assert served == set(labels.values())


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("*.yml")), ids=str)
def test_compose_files_use_known_flags_and_files_that_exist(path):
    text = path.read_text()
    found = re.findall(r"^ +- --(\w+)=(.*)$", text, re.MULTILINE)
    assert {name for name, _ in found} <= FLAGS
    assert found
    for _, value in found:
        value = re.sub(r"\$\{\w+:-(.*)\}", r"\1", value)
        if value.startswith("/config/"):
            assert (DEPLOY / value[1:]).is_file()
