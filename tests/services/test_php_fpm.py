"""A real PHP-FPM behind a real nginx: its queue, its workers, and what is wrong when it is gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from monitord.model.result import Status
from tests.probes_service.asking import ask
from tests.world.needs import requires
from tests.world.peers import Nginx
from tests.world.process import Peer, answers, find_program, free_port
from tests.world.until import until

pytestmark = requires("php-fpm", "nginx")

POOL = """
[global]
error_log = {folder}/log
daemonize = no
[www]
user = www-data
group = www-data
listen = 127.0.0.1:{port}
pm = static
pm.max_children = 2
pm.status_path = /fpm-status
"""
LOCATION = """
location ~ ^/(fpm-status|slow.php)$ {{
    fastcgi_param SCRIPT_NAME $uri;
    fastcgi_param SCRIPT_FILENAME {folder}$uri;
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param QUERY_STRING $query_string;
    fastcgi_pass 127.0.0.1:{port};
}}
"""


class Fpm(Peer):
    """A pool of two workers; slow.php keeps one for some seconds."""

    name = "php-fpm"

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        config = self.folder / "pool.conf"
        config.write_text(POOL.format(folder=self.folder, port=self.port), encoding="utf-8")
        slow = self.folder / "slow.php"
        slow.write_text("<?php sleep(4); echo 'done';", encoding="utf-8")
        self.folder.chmod(0o755)
        self.argv = [find_program("php-fpm8.2") or "php-fpm", "-F", "-y", str(config)]

    def is_ready(self) -> bool:
        return answers(self.port)


@pytest.fixture
def pool() -> Iterator[tuple[Fpm, str]]:
    with Fpm() as fpm, Nginx(extra=LOCATION.format(folder=fpm.folder, port=fpm.port)) as nginx:
        yield fpm, nginx.url


def test_workers_that_are_free_are_well(pool: tuple[Fpm, str]) -> None:
    result = ask("php_fpm", url=f"{pool[1]}/fpm-status?json")
    assert result.status is Status.OK, result.summary
    assert "pool www: 1 of 2 workers busy" in result.summary


def test_requests_without_a_worker_are_told(pool: tuple[Fpm, str]) -> None:
    """The page itself needs a worker: it answers when one is free again, and tells of the queue."""
    url = pool[1]
    asking = [threading.Thread(target=lambda: urlopen(f"{url}/slow.php").read()) for _ in range(6)]  # noqa: S310 - our own server
    for one in asking:
        one.start()
    until(
        lambda: (
            ask("php_fpm", url=f"{url}/fpm-status?json", queue={"warning": 0}, within=9).status
            is not Status.OK
        ),
        within=10,
    )
    for one in asking:
        one.join()
    until(lambda: ask("php_fpm", url=f"{url}/fpm-status?json").status is Status.OK, within=10)


def test_a_pool_that_is_gone_is_critical(pool: tuple[Fpm, str]) -> None:
    fpm, url = pool
    fpm.stop()
    result = ask("php_fpm", url=f"{url}/fpm-status?json")
    assert result.status is Status.CRITICAL
    assert "502" in result.summary


def test_a_page_that_is_not_the_status_is_told_with_the_cure(pool: tuple[Fpm, str]) -> None:
    result = ask("php_fpm", url=f"{pool[1]}/fpm-status")
    assert result.status is not Status.OK
    assert "add ?json to the URL" in result.summary
