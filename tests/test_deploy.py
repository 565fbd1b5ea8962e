"""The files in deploy/, as far as a program can check them."""

import os
import pathlib
import re
import shlex
import subprocess
import sys

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
    python, option, program, *command = shlex.split(job["spec"]["entrypoint"])
    assert (python, option) == ("python", "-c")
    compile(program, "entrypoint", "exec")
    _parse(shlex.join(command))


@pytest.mark.parametrize(
    ("end", "status"),
    [("exit 0", 0), ("exit 1", 0), ("exit 2", 1), ("kill -9 $$", 1)],
)
def test_the_ray_job_starts_again_unless_all_was_tried(tmp_path, end, status):
    yaml = pytest.importorskip("yaml")
    job = yaml.safe_load((DEPLOY / "cluster/rayjob.yaml").read_text())
    entrypoint = job["spec"]["entrypoint"]
    _write_programs(tmp_path, tfcolor=f'echo "$@"; {end}')
    (tmp_path / "python").symlink_to(sys.executable)
    # As `ray job submit` makes one line of what its shell made words of.
    submitted = subprocess.list2cmdline(shlex.split(entrypoint))
    for line in entrypoint, submitted:
        done = subprocess.run(
            line,
            shell=True,
            env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == status, done.stderr
        assert done.stdout.split()[:2] == ["colorize", "s3://scans/1920"]


def test_the_slurm_job_is_bash_and_runs_our_command():
    path = DEPLOY / "cluster/slurm.sh"
    subprocess.run(["bash", "-n", str(path)], check=True)
    text = path.read_text().replace("\\\n", " ")
    (command,) = re.findall(r"tfcolor colorize \"\$input\".*", text)
    _parse(command)


@pytest.mark.parametrize(
    ("addresses", "status"),
    [
        (("10.0.0.5", "10.0.0.5 fd00::5"), 0),
        (("127.0.1.1", "10.0.0.5 172.17.0.1"), 0),
        (("127.0.1.1", ""), 2),
    ],
)
def test_the_slurm_job_finds_the_head_and_waits_for_it(
    tmp_path, addresses, status
):
    log, asked = tmp_path / "log", tmp_path / "asked"
    activate = tmp_path / "tfcolor/.venv/bin/activate"
    activate.parent.mkdir(parents=True)
    activate.write_text("export ACTIVE=1\n")
    _write_programs(
        tmp_path / "bin",
        scontrol="echo node7; echo node8; echo node9",
        srun='test -n "$SRUN_CPUS_PER_TASK$ACTIVE" || exit 9\n'
        'while [ "${1#-}" != "$1" ]; do shift; done; "$@"',
        hostname='if [ "$1" = --ip-address ]; then '
        f'echo "{addresses[0]}"; else echo "{addresses[1]}"; fi',
        # The head answers when it is asked for the third time.
        ray=f'echo ray "$@" >> {log}; test "$1" = start && exit\n'
        f"echo >> {asked}; test $(wc -l < {asked}) -ge 3",
        tfcolor=f'echo tfcolor "$@" >> {log}',
        sleep="true",
    )
    done = subprocess.run(
        ["bash", DEPLOY / "cluster/slurm.sh", "in", "out"],
        env={
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "SLURM_CPUS_PER_TASK": "16",
            "SLURM_JOB_NODELIST": "node[7-9]",
            "SLURM_JOB_NUM_NODES": "3",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == status, done.stderr
    if status:
        assert "node7 has no IPv4 address" in done.stderr
        return
    lines = log.read_text().splitlines()
    asked_for = "ray status --address=10.0.0.5:6379"
    assert lines.count(asked_for) == 3
    head, *workers = sorted(line for line in lines if "ray start" in line)[::-1]
    assert "--head --node-ip-address=10.0.0.5 --port=6379" in head
    assert len(workers) == 1 and "--address=10.0.0.5:6379" in workers[0]
    assert "tfcolor colorize in --output=out --cluster=10.0.0.5:6379" in lines


def _write_programs(folder, **programs):
    """Writes scripts that stand for programs."""
    folder.mkdir(exist_ok=True)
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/bash\n{text}\n")
        (folder / name).chmod(0o755)


def _parse(command: str) -> None:
    """Gives a command line to the parser of `tfcolor`."""
    program, *arguments = shlex.split(command)
    args = main.make_parser().parse_args(arguments)
    assert program == "tfcolor"
    assert args.cluster
