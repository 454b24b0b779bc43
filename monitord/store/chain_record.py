"""What the rows say of one chain: its newest run, the links of it, and how long links took."""

from monitord.decisions.chains import measured
from monitord.model.chain import Chain, ChainRecord
from monitord.store.contract import View


def read(view: View, chain: Chain) -> ChainRecord:
    """Give what is known of a chain."""
    runs = view.chain_runs(chain.key, limit=1)
    links = tuple(view.links(runs[0].id)) if runs else ()
    return ChainRecord(
        chain, runs[0] if runs else None, links, measured(view.link_times(chain.key))
    )
