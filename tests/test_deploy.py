"""The files in deploy/, as far as a program can check them."""

import pathlib
import re
import shlex
import subprocess

import pytest
from google.protobuf import text_format

from tfcolor.cli import main

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


def test_the_ray_job_has_what_kuberay_asks_for_and_runs_our_command():
    yaml = pytest.importorskip("yaml")
    job = yaml.safe_load((DEPLOY / "cluster/rayjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    head, (workers,) = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    assert workers["minReplicas"] <= workers["replicas"]
    assert workers["replicas"] <= workers["maxReplicas"]
    for group in (head, workers):
        # KubeRay wants texts here.
        assert all(isinstance(v, str) for v in group["rayStartParams"].values())
        (container,) = group["template"]["spec"]["containers"]
        resources = container["resources"]
        assert resources["limits"] == resources["requests"]
    _parse(job["spec"]["entrypoint"])


def test_the_slurm_job_is_bash_and_runs_our_command():
    path = DEPLOY / "cluster/slurm.sh"
    subprocess.run(["bash", "-n", str(path)], check=True)
    text = path.read_text().replace("\\\n", " ")
    (command,) = re.findall(r"tfcolor colorize \"\$input\".*", text)
    _parse(command)


def _parse(command: str) -> None:
    """Gives a command line to the parser of `tfcolor`."""
    program, *arguments = shlex.split(command)
    args = main.make_parser().parse_args(arguments)
    assert program == "tfcolor"
    assert args.cluster
