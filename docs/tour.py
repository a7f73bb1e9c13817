"""Move a demo customer's points on the running local stack, as Shopify Flow and my page would.

    make run DETACH=1 && python3 docs/tour.py

Standard library only; what a request has to look like is all here.
"""

import base64
import hashlib
import hmac
import json
import time
import urllib.request
import uuid
from pathlib import Path

STACK = json.loads((Path(__file__).parents[1] / ".local" / "stack.json").read_text())
CUSTOMER = STACK["demo_customers"][0]


def sign(message: bytes) -> bytes:
    return hmac.new(STACK["shopify_client_secret"].encode(), message, hashlib.sha256).digest()


def flow(action: str, handle: str, points: int, run: str) -> dict:
    """Run an action as Shopify Flow does; the same `run` again has no second effect."""
    properties = {"customer_id": f"gid://shopify/Customer/{CUSTOMER}", "points": points, "reason": "Tour"}
    body = json.dumps({"shop_id": 1, "shopify_domain": STACK["shop_domain"], "action_run_id": run,
                       "handle": handle, "properties": properties}).encode()  # fmt: skip
    headers = {"X-Shopify-Hmac-Sha256": base64.b64encode(sign(body)).decode()}
    request = urllib.request.Request(STACK["function_urls"][action], body, headers)
    return json.load(urllib.request.urlopen(request))["return_value"]


def session_token() -> str:
    """What Shopify gives my page for the customer who is logged in."""
    now = int(time.time())
    claims = {"dest": STACK["shop_domain"], "aud": STACK["shopify_client_id"], "iat": now, "nbf": now,
              "exp": now + 300, "sub": f"gid://shopify/Customer/{CUSTOMER}"}  # fmt: skip
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256"}, claims)]
    signature = base64.urlsafe_b64encode(sign(b".".join(parts))).rstrip(b"=")
    return b".".join([*parts, signature]).decode()


def my_page(path: str) -> dict:
    headers = {"Authorization": f"Bearer {session_token()}"}
    url = f"{STACK['api_url']}/v1/customers/me/{path}"
    return json.load(urllib.request.urlopen(urllib.request.Request(url, headers=headers)))


granted = flow("flow_action_grant", "grant-points", 1250, f"tour-grant-{uuid.uuid4()}")
print("granted  1,250:", "approved", granted["approved"], "entry", granted["entry_id"])
run = f"tour-consume-{uuid.uuid4()}"
consumed = flow("flow_action_consume", "consume-points", 300, run)
print("consumed   300:", "approved", consumed["approved"], "entry", consumed["entry_id"])
again = flow("flow_action_consume", "consume-points", 300, run)
print("the same again:", "approved", again["approved"], "entry", again["entry_id"], "duplicate", again["duplicate"])
points = my_page("points")
print("my page:       ", points["figures"])
print("in words:      ", points["display"]["balance"], "·", points["display"]["expiry"], "·", points["display"]["rank"])
for entry in my_page("points/history?limit=2")["entries"]:
    print("history:       ", entry["at"], entry["topic"], entry["approved_delta"])
