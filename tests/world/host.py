"""One test host: what a test can do with it. `World.host` in hosts.py makes them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.world import network as net
from tests.world.seed import Identity, lay_out
from tests.world.until import until

if TYPE_CHECKING:
    import paramiko

    from tests.world.hosts import World

KEEPER = Path(__file__).with_name("keep.sh")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BOOT_WITHIN = 60.0


class HostError(Exception):
    """A test host did not boot, or a command in it failed; the text holds what it said."""


class Host:
    """One machine of a world. Made by `World.host`."""

    def __init__(self, world: World, number: int, identity: Identity) -> None:
        self.name = identity.name
        self.address = identity.address
        self._world = world
        self._number = number
        self._work = world.folder / f"host{number}"
        self._faults: list[str] = []
        for folder in ("seed", "disk"):
            (self._work / folder).mkdir(parents=True)
        os.mkfifo(self._work / "power")
        lay_out(self._work / "seed", identity)
        self._keeper = self._start_keeper()

    # -- inside ------------------------------------------------------------------------------

    @property
    def pid1(self) -> int:
        """The pid, on this machine, of the host's systemd; raises HostError when it is off."""
        pid = self._number_in("pid1")
        if not pid:
            raise HostError(f"{self.name} is switched off")
        return pid

    @property
    def is_on(self) -> bool:
        """Whether a systemd runs in it now."""
        return self._number_in("pid1") != 0

    def run(
        self,
        argv: list[str],
        *,
        user: str = "root",
        given: str = "",
        within: float = 30.0,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run `argv` in the host and wait. A code other than 0 raises unless `check` is off."""
        prefix = ["nsenter", f"--target={self.pid1}"]
        prefix += ["--mount", "--pid", "--net", "--uts", "--ipc", "--root", "--wd"]
        # The rights that systemd inside lacks as well (see init.sh).
        prefix += ["setpriv", "--bounding-set=-sys_time,-sys_module,-sys_rawio"]
        if user != "root":
            prefix += [f"--reuid={user}", f"--regid={user}", "--init-groups"]
        home = "/root" if user == "root" else f"/home/{user}"
        done = subprocess.run(
            [*prefix, "--", *argv],
            input=given,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
            env={"PATH": PATH, "HOME": home, "USER": user, "LANG": "C.UTF-8"},
        )
        if check and done.returncode:
            said = (done.stdout + done.stderr).strip()
            raise HostError(f"{self.name}: {argv} ended with {done.returncode}: {said}")
        return done

    def start(self, *units: str) -> None:
        """Start units; on failure raise with their status and the tail of their journal."""
        done = self.run(["systemctl", "start", *units], check=False)
        if done.returncode:
            status = self.run(["systemctl", "status", "--no-pager", *units], check=False)
            raise HostError(f"{self.name}: {done.stderr}\n{status.stdout}")

    def is_active(self, unit: str) -> bool:
        """Whether systemd calls this unit active."""
        return self.run(["systemctl", "is-active", "-q", unit], check=False).returncode == 0

    def write(self, path: str, text: str, *, mode: int = 0o644, user: str = "root") -> None:
        """Write a file in the host, with its folders; `user` runs the writing and owns it."""
        script = 'umask 022; mkdir -p "${1%/*}/" && cat >"$1" && chmod "$2" "$1"'
        self.run(["sh", "-c", script, "write", path, f"{mode:o}"], given=text, user=user)

    def read(self, path: str) -> str:
        """Return a text file of the host; raise HostError when it is not there."""
        return self.run(["cat", path]).stdout

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder at this path in the host."""
        return self.run(["test", "-e", path], check=False).returncode == 0

    def ssh(self, *, user: str = "root", within: float = 10.0) -> paramiko.SSHClient:
        """Log in with the world's key, trusting only the world's known_hosts."""
        import paramiko  # costs 0.1 s, and most tests never log in by hand

        client = paramiko.SSHClient()
        client.load_host_keys(str(self._world.known_hosts))
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.connect(
            self.address,
            username=user,
            key_filename=str(self._world.key),
            look_for_keys=False,
            allow_agent=False,
            timeout=within,
        )
        return client

    def filesystem(self, mount_point: str, *, megabytes: int = 64, kind: str = "ext4") -> None:
        """Mount a small filesystem: `ext4` on a loop device, or `tmpfs`. Gone after a reboot."""
        self.run(["mkdir", "-p", mount_point])
        if kind == "tmpfs":
            self.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "small", mount_point])
            return
        image = self._work / f"disk{mount_point.replace('/', '-')}.img"
        with image.open("wb") as file:
            file.truncate(megabytes * 1024 * 1024)
        tool(["mkfs.ext4", "-q", "-m", "0", "-F", str(image)])
        device = tool(["losetup", "--find", "--show", str(image)]).strip()
        try:
            number = os.minor(Path(device).stat().st_rdev)
            self.run(["sh", "-c", f"test -b {device} || mknod {device} b 7 {number}"])
            self.run(["mount", device, mount_point])
        finally:
            # While it is mounted this only marks it: the kernel frees it at the last unmount.
            tool(["losetup", "--detach", device])

    # -- the network -------------------------------------------------------------------------

    def cut(self) -> None:
        """Pull the network cable."""
        net.set_cable(self._world.network, self._number, up=False)

    def restore(self) -> None:
        """Plug the cable in again."""
        net.set_cable(self._world.network, self._number, up=True)

    def drop(self, port: int) -> None:
        """Let packets to this TCP port vanish, as a firewall does: callers wait."""
        self._add_fault(f"tcp dport {port} drop")

    def reject(self, port: int) -> None:
        """Refuse connections to this TCP port at once."""
        self._add_fault(f"tcp dport {port} reject with tcp reset")

    def lose(self, percent: int) -> None:
        """Lose this share of all incoming packets, at random."""
        share = f"numgen random mod 100 < {percent} " if percent < 100 else ""
        self._add_fault(f"{share}drop")

    def heal(self) -> None:
        """Undo drop, reject and lose."""
        self._faults.clear()
        net.filter_packets(self._number_in("outer"), [])

    def _add_fault(self, rule: str) -> None:
        self._faults.append(rule)
        net.filter_packets(self._number_in("outer"), self._faults)

    # -- power -------------------------------------------------------------------------------

    def crash(self) -> None:
        """Take the power away: all processes die at once, and pings go unanswered."""
        pid = self.pid1
        os.kill(pid, 9)
        until(lambda: not self.is_on, what=f"{self.name} to be off")

    def power_on(self) -> None:
        """Boot (again, over the same disk) and wait until systemd says `running`."""
        self._press_power()
        self._wait_until_running()

    def reboot(self) -> None:
        """Reboot from within, as `systemctl reboot` does, and wait until it is up again."""
        before = self.pid1
        # The command may be killed by its own success.
        self.run(["systemctl", "reboot"], check=False)
        until(
            lambda: self._number_in("pid1") not in (0, before),
            within=BOOT_WITHIN,
            what=f"{self.name} to reboot",
        )
        self._wait_until_running()

    def close(self) -> None:
        """Remove the host and all that it was. A second call does nothing."""
        if self._keeper.poll() is not None:
            return
        if self._keeper.stdin is not None:
            # A line as well as the end of file: a forked child of the test may hold the pipe.
            self._keeper.stdin.write(b"\n")
            self._keeper.stdin.close()
        self._keeper.wait(timeout=30)

    # -- the keeper --------------------------------------------------------------------------

    def _start_keeper(self) -> subprocess.Popen[bytes]:
        argv = ["sh", str(KEEPER), str(self._work)]
        hierarchy = cgroup_root()
        if hierarchy is not None:
            argv.append(str(hierarchy / f"{self._world.folder.name}-{self._number}"))
        # A session of its own: Ctrl-C is for the tests, which then close the world in order.
        return subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def boot(self) -> None:
        """First boot: plug in the cable, switch on, wait, and learn the host key."""
        until(lambda: self._number_in("outer") or self._gave_up(), within=BOOT_WITHIN)
        self._refuse_if_gave_up()
        net.plug_in(self._world.network, self._number, self._number_in("outer"))
        self._press_power()
        self._wait_until_running()

    def host_key_line(self) -> str:
        """The host's line for a known_hosts file."""
        kind, key = (self._work / "host_key.pub").read_text(encoding="ascii").split()[:2]
        return f"{self.name},{self.address} {kind} {key}\n"

    def _press_power(self) -> None:
        def press() -> bool:
            try:
                # Without O_NONBLOCK this would wait for ever for a host that has given up.
                button = os.open(self._work / "power", os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                return self._gave_up()
            os.write(button, b"on\n")
            os.close(button)
            return True

        until(press, what=f"the power button of {self.name}")

    def _wait_until_running(self) -> None:
        try:
            until(lambda: self._gave_up() or self._is_up(), within=BOOT_WITHIN, every=0.05)
        except AssertionError:
            raise HostError(f"{self.name} does not come up: {self._diagnosis()}") from None
        self._refuse_if_gave_up()

    def _diagnosis(self) -> str:
        log = self._work / "boot.log"
        said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        if self.is_on:
            said += self.run(["systemctl", "list-jobs"], check=False, within=5).stdout
        return said.strip()[-2000:] or "it said nothing"

    def _is_up(self) -> bool:
        if not self.is_on:
            return False
        state = self.run(["systemctl", "is-system-running"], check=False).stdout.strip()
        if state == "degraded":
            failed = self.run(["systemctl", "--failed", "--no-legend", "--plain"]).stdout
            raise HostError(f"{self.name} booted with failed units: {failed}")
        return state == "running"

    def _gave_up(self) -> bool:
        return (self._work / "ended").exists()

    def _refuse_if_gave_up(self) -> None:
        if self._gave_up():
            raise HostError(f"{self.name} did not boot: {self._diagnosis()}")

    def _number_in(self, name: str) -> int:
        try:
            return int((self._work / name).read_text(encoding="ascii").strip() or 0)
        except FileNotFoundError:
            return 0


def cgroup_root() -> Path | None:
    """The folder of the cgroup hierarchy that systemd uses on this machine; None without one."""
    for folder in (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")):
        if (folder / "cgroup.controllers").exists():
            return folder
    return None


def tool(argv: list[str]) -> str:
    """Run a program of this machine; return its output, or raise HostError with its words."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise HostError(f"{argv} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout
