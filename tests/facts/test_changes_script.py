"""What changes.sh tells of a host, run as it is run there."""

import subprocess
from pathlib import Path

from monitord.model.changes import SCRIPT
from tests.world.needs import requires

FRESH = 'mount --bind "$0" /var/log/wtmp && exec sh -s'


@requires("root", "hosts")
def test_a_record_of_logins_that_was_just_begun_is_no_login(tmp_path: Path) -> None:
    record = tmp_path / "wtmp"
    record.touch()
    argv = ["unshare", "--mount", "sh", "-c", FRESH, str(record)]
    script = f"{SCRIPT}\nsince=0\nchanged_by_last\necho end\n"
    done = subprocess.run(
        argv, input=script, capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "end\n"
