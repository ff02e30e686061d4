"""Teaches schemathesis what no document says: who the buyer is, and which cities,
films, shows and halls the stack under test has. A third of the ids stay made up.

The known things come as JSON in the file that FAIRSEAT_FUZZ names.
"""

import json
import os
import random
import threading

import requests
import schemathesis

WORLD = json.load(open(os.environ["FAIRSEAT_FUZZ"]))
KEY = {"X-Api-Key": WORLD["key"]}
dice = random.Random(WORLD["seed"])
lock = threading.Lock()


@schemathesis.auth(refresh_interval=60)
class Buyer:
    """A new guest every now and then, so that allowances do not run out."""

    def get(self, case, ctx):
        return requests.post(WORLD["base"] + "/sessions", headers=KEY, timeout=60).json()["session_token"]

    def set(self, case, data, ctx):
        case.headers = case.headers or {}
        case.headers.setdefault("X-Api-Key", WORLD["key"])
        case.headers["Authorization"] = "Bearer " + data


def known(name):
    with lock:
        return dice.choice(WORLD[name]) if WORLD.get(name) and dice.random() < 0.67 else None


# What answers made, by the name that paths have for it; the latest only, for a buyer
# does not last.
MADE = {"hold": [], "order": [], "waiter": []}


@schemathesis.hook
def after_call(ctx, case, response):
    if response.status_code not in (201, 202):
        return
    made = response.json()
    kind = {"/shows/{show}/holds": "hold", "/line/{waiter}/accept": "hold", "/shows/{show}/line": "waiter"}.get(case.path)
    with lock:
        for name, value in ((kind, made.get("id")), ("order", made.get("order_id"))):
            if name and value:
                MADE[name].append(value)
                del MADE[name][:-4]
                WORLD[name] = MADE[name]


@schemathesis.hook
def map_path_parameters(ctx, path_parameters):
    for name in ("city", "movie", "show", "layout", "provider", "hold", "order", "waiter"):
        if path_parameters and name in path_parameters and (real := known(name)):
            path_parameters[name] = real
    return path_parameters


@schemathesis.hook
def map_query(ctx, query):
    if query and "city" in query and (real := known("city")):
        query["city"] = real
    return query


@schemathesis.hook
def map_body(ctx, body):
    """Named seats become seats that the halls have, mostly few."""
    if isinstance(body, dict) and isinstance(body.get("seats"), list) and dice.random() < 0.67:
        body["seats"] = dice.sample(WORLD["seat"], min(len(body["seats"]), 1 + dice.randrange(3)) or 1)
    return body
