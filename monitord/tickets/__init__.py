"""Where tickets go besides the embedded store: one file per backend, all in `BACKENDS`.

A package of somebody else's adds a kind by an entry point of the group `monitord.tickets`;
contract.py holds what each must do.
"""

from collections.abc import Mapping

from monitord.model.kinds import BackendKind
from monitord.tickets import (
    alertmanager,
    apprise,
    email,
    github,
    gitlab,
    jira,
    pagerduty,
    rt,
    servicenow,
    webhook,
    zammad,
)

BACKENDS: Mapping[str, BackendKind] = {
    "alertmanager": alertmanager.KIND,
    "apprise": apprise.KIND,
    "email": email.KIND,
    "github": github.KIND,
    "gitlab": gitlab.KIND,
    "jira": jira.KIND,
    "pagerduty": pagerduty.KIND,
    "rt": rt.KIND,
    "servicenow": servicenow.KIND,
    "webhook": webhook.KIND,
    "zammad": zammad.KIND,
}
