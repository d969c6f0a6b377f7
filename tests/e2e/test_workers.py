"""The deploy example of several worker hosts: a real queue, two Celery workers, and the values for Kubernetes."""

from __future__ import annotations

import base64
import copy
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.deployed import DEPLOY, Deployment, example_settings, prepare, programs, worker
from tests.postgres import PASSWORD, free_port, postgres
from tests.redis_server import SECRET, redis_server

pytest.importorskip("dagster_celery", reason="the extra workers is not installed (make workers)")
pytestmark = pytest.mark.lake

WORKERS = DEPLOY / "workers"
JOB = "check_sources"
"""A short job of the code location. Offline, it logs a line."""
HOSTS = ("first", "second")


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("queue")


@pytest.fixture(scope="module")
def deployment(
    published_warehouse: Path, queue: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A central host and two worker hosts: each has its own folder; they share PostgreSQL and Redis."""
    folder = tmp_path_factory.mktemp("hosts")
    with postgres() as database, redis_server(queue) as broker, programs(folder) as started:
        address, page = database.replace(f":{PASSWORD}@", "@"), free_port()
        passwords = folder / "pgpass"
        passwords.write_text(f"127.0.0.1:*:*:carec:{PASSWORD}\n")
        passwords.chmod(0o600)
        shared = example_settings(WORKERS / "carec.env") | {
            "CAREC_AUTOMATION": "0",
            "CAREC_LAKE": "",
            "CAREC_LAKE_DATA": "",
            "CAREC_OFFLINE": "1",
            "CELERY_BROKER_URL": f"{broker}/0",
            "CELERY_RESULT_BACKEND": f"{broker}/1",
            "DAGSTER_CODE_PORT": str(free_port()),
            "DAGSTER_POSTGRES_URL": address,
            "DAGSTER_UI_PORT": str(page),
            "PGPASSFILE": str(passwords),
        }
        of_host = {}
        for host in ("central", *HOSTS):
            home = folder / host / "dagster"
            home.mkdir(parents=True)
            shutil.copy(WORKERS / "dagster.yaml", home)
            shutil.copytree(published_warehouse / "dbt", folder / host / "dbt")  # saves the parsing of the project
            of_host[host] = shared | {"CAREC_WAREHOUSE": str(folder / host), "DAGSTER_HOME": str(home)}
        prepare(DEPLOY / "systemd" / "carec-code.service", of_host["central"])
        for name in ("carec-code", "carec-webserver", "carec-daemon"):
            started.start(name, DEPLOY / "systemd" / f"{name}.service", of_host["central"])
        for host in HOSTS:
            started.start(host, WORKERS / "systemd" / "carec-worker.service", of_host[host])
        deployed = Deployment(f"http://127.0.0.1:{page}", database, folder / "central", started)
        deployed.wait_until_loaded()
        for host in HOSTS:
            started.wait(host, " ready.")
        yield deployed


@pytest.fixture(scope="module")
def runs(deployment: Deployment) -> list[dict[str, Any]]:
    """One run per host, queued while both are free."""
    launched = [deployment.launch(job=JOB) for _ in HOSTS]
    return [deployment.finished(run_id) for run_id in launched]


def test_two_hosts_take_one_run_each_from_the_queue(deployment: Deployment, runs: list[dict[str, Any]]) -> None:
    started = deployment.programs
    for host in HOSTS:
        started.wait(host, " succeeded in ")
        assert started.log(host).count("Task execute_job[") == 2, "received and succeeded: one run"
    workers = {worker(run) for run in runs}
    assert len(workers) == 2 and not workers & {str(each.pid) for each in started.started.values()}


@pytest.mark.usefixtures("runs")
def test_neither_queue_nor_logs_nor_settings_contain_a_password(deployment: Deployment, queue: Path) -> None:
    sent = b"".join(file.read_bytes() for file in (queue / "appendonly-carec").iterdir())
    tasks = [base64.b64decode(body) for body in re.findall(rb'"body": "([A-Za-z0-9+/=]+)"', sent)]
    assert len(tasks) >= len(HOSTS) and all(b"DAGSTER_POSTGRES_URL" in task for task in tasks)
    hosts = [file for file in deployment.warehouse.parent.rglob("*") if file.is_file() and file.name != "pgpass"]
    for secret in (PASSWORD.encode(), SECRET.encode()):
        assert not any(secret in content for content in (sent, *tasks))
        assert not [file for file in hosts if secret in file.read_bytes()]


def values() -> dict[str, Any]:
    found = yaml.safe_load((WORKERS / "values.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def checked(found: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the Kubernetes job of a run, as Dagster makes it from the values; a fault in the values is an error.

    The schema checks the names of the chart, Dagster its own settings, and Kubernetes' models everything else. The
    chart and Helm are in no package index: this repeats the few lines of its templates that the values reach.
    """
    from dagster._core.instance.config import dagster_instance_config
    from dagster_k8s.container_context import K8sContainerContext
    from dagster_k8s.job import DagsterK8sJobConfig, construct_dagster_k8s_job
    from kubernetes.client import ApiClient

    jsonschema.validate(found, json.loads((WORKERS / "values.schema.json").read_text(encoding="utf-8")))
    monitoring = snake_case(found["dagsterDaemon"]["runMonitoring"])
    settings = {"run_monitoring": monitoring, **found["additionalInstanceConfig"]}
    (folder / "dagster.yaml").write_text(yaml.safe_dump(settings))
    dagster_instance_config(str(folder))
    (code,) = found["dagster-user-deployments"]["deployments"]
    launcher = found["runLauncher"]["config"]["k8sRunLauncher"]
    same = snake_case({name: code[name] for name in ("env", "resources", "volumes", "volumeMounts")})
    context = {
        **same,
        "env_secrets": [each["name"] for each in code["envSecrets"]],
        "image_pull_policy": launcher["imagePullPolicy"],
        "run_k8s_config": snake_case(launcher["runK8sConfig"]),
    }
    job = DagsterK8sJobConfig(
        job_image=f"{code['image']['repository']}:{code['image']['tag']}",
        dagster_home="/opt/dagster/dagster_home",
        postgres_password_secret=found["global"]["postgresqlSecretName"],
    )
    made = construct_dagster_k8s_job(
        job,
        ["dagster", "api", "execute_run"],
        "run",
        K8sContainerContext.create_from_config({"k8s": context}).run_k8s_config,
    )
    result = ApiClient().sanitize_for_serialization(made)
    assert isinstance(result, dict)
    return result


def snake_case(named: dict[str, Any]) -> dict[str, Any]:
    """Return the same values with Dagster's names in place of the chart's."""
    return {re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name): value for name, value in named.items()}


def test_the_values_for_kubernetes_make_a_job_per_run_with_its_lake_secrets_and_deadline(tmp_path: Path) -> None:
    made = checked(values(), tmp_path)
    pod = made["spec"]["template"]["spec"]
    (run,) = pod["containers"]
    assert made["spec"]["activeDeadlineSeconds"] == 3600
    assert {mount["name"] for mount in run["volumeMounts"]} <= {volume["name"] for volume in pod["volumes"]}
    variables = {each["name"]: each for each in run["env"]}
    assert {"CAREC_WAREHOUSE", "CAREC_LAKE", "CAREC_LAKE_DATA", "PGPASSWORD"} <= variables.keys()
    assert "value" not in variables["PGPASSWORD"]
    assert "carec-s3" in [each.get("secretRef", {}).get("name") for each in run["envFrom"]]
    assert "password" not in json.dumps(values()["postgresql"]).lower()


@pytest.mark.parametrize(
    "misspelt",
    [
        ("postgresql", "postgresqlHost"),
        ("dagster-user-deployments", "deployments", 0, "envSecrets"),
        ("dagster-user-deployments", "deployments", 0, "env", 6, "valueFrom", "secretKeyRef"),
        ("dagster-user-deployments", "deployments", 0, "volumes", 0, "emptyDir"),
        ("runLauncher", "config", "k8sRunLauncher", "runK8sConfig", "jobSpecConfig", "activeDeadlineSeconds"),
        ("dagster-user-deployments", "deployments", 0, "resources", "limits"),
        ("dagsterDaemon", "runMonitoring", "startTimeoutSeconds"),
        ("additionalInstanceConfig", "concurrency", "pools", "default_limit"),
    ],
    ids=lambda path: str(path[-1]),
)
def test_a_misspelt_name_in_the_values_is_refused(misspelt: tuple[str | int, ...], tmp_path: Path) -> None:
    found = copy.deepcopy(values())
    inner: Any = found
    for step in misspelt[:-1]:
        inner = inner[step]
    name = str(misspelt[-1])
    inner[f"{name}s"] = inner.pop(name)
    with pytest.raises(Exception, match=f"{name}s"):
        checked(found, tmp_path)
