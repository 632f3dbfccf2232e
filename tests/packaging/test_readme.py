"""A reader follows the README: a fresh project, ten lines, daphne, two calls."""

from pathlib import Path

import pytest

from tests.support.amf_client import call_gateway
from tests.support.process import free_port, run_process, wait_for_port
from tests.support.rtmp_client import RtmpClient, RtmpRefusal

from .environments import Environment, run
from .readme import commands, files_to_append

pytestmark = pytest.mark.slow


def test_ten_lines_are_ten() -> None:
    files = files_to_append()
    service = files.pop("mysite/services.py")
    assert "@remote_method" in service
    assert set(files) == {"mysite/settings.py", "mysite/urls.py", "mysite/asgi.py"}
    lines = [line for text in files.values() for line in text.splitlines() if line]
    assert len(lines) == 10


@pytest.fixture
def site(tmp_path: Path, environment: Environment, pure_wheel: Path) -> Path:
    """A project as startproject makes it, with the README's lines appended."""
    environment.link_all()
    environment.install(pure_wheel)
    run(environment.python, "-m", "django", "startproject", "mysite", tmp_path, cwd=tmp_path)
    for name, text in files_to_append().items():
        file = tmp_path / name
        before = file.read_text() if file.exists() else ""
        file.write_text(before + text)
    for words in commands("python"):
        if words[1:3] == ["manage.py", "migrate"]:
            run(environment.python, *words[1:], cwd=tmp_path)
    return tmp_path


def test_a_fresh_project_answers_over_the_gateway_and_over_rtmp(
    site: Path, environment: Environment
) -> None:
    run(environment.python, "manage.py", "check", "--fail-level", "WARNING", cwd=site)
    http_port, rtmp_port = free_port(), free_port()
    (command,) = commands("daphne")
    ports = {"tcp:port=8000": http_port, "rtmp:port=1935": rtmp_port}
    words = [
        f"{word.rpartition('=')[0]}={ports[word]}:interface=127.0.0.1" if word in ports else word
        for word in command
    ]
    log = site / "daphne.log"
    # This process's own variables would lead back to the repository and its test settings.
    environment_variables = {"PYTHONPATH": "", "DJANGO_SETTINGS_MODULE": "mysite.settings"}
    with run_process(
        [str(environment.python), "-m", *words],
        log=log,
        cwd=site,
        environment=environment_variables,
    ) as process:
        wait_for_port(http_port, process=process, log=log)
        wait_for_port(rtmp_port, process=process, log=log)
        gateway = f"http://127.0.0.1:{http_port}/gateway/"
        assert call_gateway(gateway, "math.add", 2, 3) == (True, 5)
        succeeded, fault = call_gateway(gateway, "math.subtract", 2, 3)
        assert (succeeded, fault["code"]) == (False, "Client.MethodNotFound")
        with RtmpClient(rtmp_port, "lobby/room1") as client:
            assert client.call("math.add", 2, 3) == 5
            with pytest.raises(RtmpRefusal, match=r"NetConnection\.Call\.Failed"):
                client.call("math.subtract", 2, 3)
    assert process.returncode == 0
    assert "Traceback" not in log.read_text()


def test_the_project_runs_the_installed_packages(site: Path, environment: Environment) -> None:
    script = (
        "import amf_remoting, rtmp_channels; print(amf_remoting.__file__, rtmp_channels.__file__)"
    )
    for file in run(environment.python, "-c", script, cwd=site).split():
        assert Path(file).is_relative_to(environment.packages)
