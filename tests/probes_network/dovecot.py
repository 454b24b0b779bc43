"""Real mailboxes: dovecot with a chain of its own, one user, and mails as old as a test wants."""

from __future__ import annotations

import os
import pwd
import shutil
import time
from pathlib import Path

from tests.probes_network.authority import Chain
from tests.world.process import Peer, answers, find_program, free_port

CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = /dev/stderr
protocols = imap pop3
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 1
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
mail_location = maildir:{folder}/mail
auth_failure_delay = 0
passdb {{
  driver = static
  args = user=probe password=hunter22
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imaps}
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    address = 127.0.0.1
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""


class Dovecot(Peer):
    """Ports `imap`, `imaps` and `pop3`; `root` is the authority to trust."""

    name = "dovecot"

    def __init__(self) -> None:
        super().__init__()
        self.imap, self.imaps, self.pop3 = free_port(), free_port(), free_port()
        made = Chain(self.folder)
        self.root = made.root
        root = os.geteuid() == 0
        me = pwd.getpwuid(os.geteuid())
        owner = pwd.getpwnam("nobody") if root else me
        self.folder.chmod(0o711)
        self.inbox = self.folder / "mail" / "cur"
        for name in ("cur", "new", "tmp"):
            (self.folder / "mail" / name).mkdir(parents=True)
        self._owner = owner
        self._give(self.folder / "mail")
        config = self.folder / "dovecot.conf"
        config.write_text(
            CONFIG.format(
                folder=self.folder, chain=made.chain, key=made.key, uid=owner.pw_uid,
                gid=owner.pw_gid, imap=self.imap, imaps=self.imaps, pop3=self.pop3,
                internal="dovecot" if root else me.pw_name,
                login="dovenull" if root else me.pw_name,
                group="dovecot" if root else me.pw_name,
            ),
            encoding="utf-8",
        )  # fmt: skip
        self.argv = [find_program("dovecot") or "dovecot", "-F", "-c", str(config)]

    def _give(self, folder: Path) -> None:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    def mail(self, name: str, *, hours: float) -> None:
        """Lay a mail into the inbox that came so many hours ago."""
        path = self.inbox / f"{name}:2,"
        path.write_text("Subject: x\n\nx\n", encoding="utf-8")
        came = time.time() - hours * 3600
        os.utime(path, (came, came))
        self._give(self.inbox)

    def is_ready(self) -> bool:
        """Whether all of its ports are open."""
        return all(map(answers, (self.imap, self.imaps, self.pop3)))
