"""Where tickets go besides the embedded store: one file per backend, all in `BACKENDS`."""

from collections.abc import Mapping

from monitord.model.kinds import BackendKind
from monitord.tickets import email, webhook

BACKENDS: Mapping[str, BackendKind] = {
    "email": email.KIND,
    "webhook": webhook.KIND,
}
