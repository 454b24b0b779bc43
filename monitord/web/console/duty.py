"""The pages of who is on call and of the hand-over, and what people say there.

Shifts, swaps and signatures are the core's; people act as the user that is logged in.
"""

from datetime import UTC, datetime

from starlette.responses import Response

from monitord.web.console.asked import Asked, Page
from monitord.web.console.doing import after


async def oncall(asked: Asked) -> Response:
    """GET /oncall: who is on call, whose shifts come, where nobody is."""
    answer = await asked.get("/v1/oncall", days=14)
    return asked.page("oncall.html", rotations=answer["rotations"])


async def take(asked: Asked) -> Response:
    """POST /do/oncall/take."""
    form = await asked.form()
    body = {"rotation": form.get("rotation", ""), "reason": form.get("reason", "")}
    await asked.post("/v1/oncall/take", body)
    return asked.back(f"you are on call for {body['rotation']}")


async def override(asked: Asked) -> Response:
    """POST /do/oncall/override: from now on, for so long."""
    form = await asked.form()
    body = {
        "rotation": form.get("rotation", ""),
        "person": form.get("person", ""),
        "reason": form.get("reason", ""),
        "ends": after(form.get("for", "")).isoformat(timespec="seconds"),
    }
    await asked.post("/v1/oncall/override", body)
    return asked.back(f"{body['person']} is on call for {body['rotation']}")


async def change(asked: Asked) -> Response:
    """POST /do/oncall/{id}/{word}: agree to a swap, or end a change."""
    await asked.form()
    number, word = asked.request.path_params["id"], asked.request.path_params["word"]
    if word == "agree":
        await asked.post(f"/v1/oncall/{number}/agree", {})
        return asked.back("agreed: the two have exchanged their shifts")
    await asked.post(f"/v1/oncall/{number}/end", {})
    return asked.back("ended")


async def handover(asked: Asked) -> Response:
    """GET /handover: what the next on call must know."""
    answer = await asked.get("/v1/handover")
    return asked.page("handover.html", one=answer, today=datetime.now(UTC))


async def sign(asked: Asked) -> Response:
    """POST /do/handover."""
    form = await asked.form()
    leaving = form.get("who") == "leaving"
    await asked.post("/v1/handover/sign", {"leaving": leaving, "note": form.get("note", "")})
    return asked.back("signed, as who leaves" if leaving else "signed, as who comes")


DUTY = (
    Page("GET", "/oncall", "viewer", oncall),
    Page("POST", "/do/oncall/take", "responder", take),
    Page("POST", "/do/oncall/override", "operator", override),
    Page("POST", "/do/oncall/{id:int}/{word}", "responder", change),
    Page("GET", "/handover", "viewer", handover),
    Page("POST", "/do/handover", "responder", sign),
)
