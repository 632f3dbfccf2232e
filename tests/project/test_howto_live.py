"""docs/how-to/publish-live-video.md: its consumer, its key, and its ffmpeg command as it stands."""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rtmp_channels.client import NetConnection, StreamFailed
from tests.support.demo_server import DemoServer
from tests.support.process import REPOSITORY, find_program, run_process

pytestmark = pytest.mark.slow

PAGE = (REPOSITORY / "docs/how-to/publish-live-video.md").read_text()
SETTINGS = "from project.settings import *\n"
ASGI = """
from project.asgi import django_application
from channels.routing import ProtocolTypeRouter
from rtmp_channels.routing import RtmpRouter
from live.consumers import Live
"""


@pytest.fixture
def site(tmp_path: Path, start_demo_server: Callable[..., DemoServer]) -> DemoServer:
    consumer, settings, asgi = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[:3]
    (tmp_path / "live").mkdir()
    (tmp_path / "live/consumers.py").write_text(consumer)
    (tmp_path / "live/settings.py").write_text(SETTINGS + settings)
    (tmp_path / "live/asgi.py").write_text(ASGI + asgi)
    return start_demo_server(
        application="live.asgi:application",
        environment={"PYTHONPATH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "live.settings"},
    )


def command(site: DemoServer, program: str) -> list[str]:
    """The page's command, with the server's port."""
    [text] = re.findall(rf"```sh\n({program} .*?)```", PAGE, re.DOTALL)
    words = shlex.split(text.replace("\\\n", ""))
    return [*words[:-1], words[-1].replace("127.0.0.1", f"127.0.0.1:{site.rtmp_port}")]


@pytest.mark.parametrize("name", ["show", "show?key=", "show?key=wrong", "other?key=let-me-in"])
async def test_nobody_publishes_without_the_key(site: DemoServer, name: str) -> None:
    async with NetConnection(site.rtmp_url("live")) as connection:
        stream = await connection.create_stream()
        with pytest.raises(StreamFailed, match="Denied"):
            await stream.publish(name)


@pytest.mark.interop
def test_what_ffmpeg_publishes_is_played(site: DemoServer, tmp_path: Path) -> None:
    if find_program("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed (Debian: ffmpeg)")
    address = command(site, "ffplay")[-1]
    show = ["-show_entries", "stream=codec_name,width,height", "-of", "compact=p=0:nk=1"]
    with run_process(command(site, "ffmpeg"), log=tmp_path / "ffmpeg.log"):
        done = subprocess.run(
            ["ffprobe", "-v", "error", *show, address], capture_output=True, text=True, timeout=30
        )
    assert sorted(done.stdout.split()) == ["aac", "h264|640|360"], done.stderr
