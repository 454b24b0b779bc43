"""The page for end users as configured: which services, by which names, for whom."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StatusPage:
    """`services` are pairs of a service's name and what end users call it, in the page's order.

    `public`: whoever reaches monitord-web sees it; else whoever is logged in.
    """

    services: tuple[tuple[str, str], ...]
    title: str
    public: bool = False
