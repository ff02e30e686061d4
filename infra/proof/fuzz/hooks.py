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
        for value in (case.path_parameters or {}).values():
            if value in OWNER and dice.random() < 0.8:
                case.headers["Authorization"] = OWNER[value]
                return
        mine = case.path.startswith(("/me", "/developer", "/logins"))
        if case.path == "/me" and case.method == "DELETE" and dice.random() < 0.8:
            mine = False  # else nobody were left
        member = a_member() if mine or dice.random() < 0.2 else None
        case.headers["Authorization"] = "Bearer " + (member["access_token"] if member else data)
        if member and positive(case) and isinstance(case.body, dict):
            own_words(case, member)


def a_member():
    """One of those who are left, logged in; an erased one is forgotten."""
    while WORLD["member"]:
        m = dice.choice(WORLD["member"][:4])
        if m.get("uses", 0) > 0:
            m["uses"] -= 1
            return m
        who = {"email": m["email"], "password": m["password"]}
        got = requests.post(WORLD["base"] + "/logins", json=who, timeout=60)
        if got.status_code == 201:
            m.update(got.json(), uses=15)
            return m
        WORLD["member"].remove(m)
        if got.status_code != 401:  # too often; the others' turn
            WORLD["member"].append(m)
            return None
    return None


def positive(case):
    return case.meta is not None and case.meta.generation.mode.value == "positive"


def own_words(case, m):
    """What only the member himself can say, where the document asks for it."""
    if case.path == "/me/password":
        case.body.update(current_password=m["password"], new_password=m["password"])
    elif case.path == "/me/adoptions":
        case.body["guest_token"] = requests.post(WORLD["base"] + "/sessions", headers=KEY, timeout=60).json()["session_token"]
    elif case.path == "/developer/keys":
        case.body.update(accept_terms=True)


def of_nobody(case):
    """The calls without a buyer, told by somebody who has an account."""
    if case.path == "/logins" and case.method == "POST" and WORLD["member"]:
        m = dice.choice(WORLD["member"][:4])
        case.body.update(email=m["email"], password=m["password"])
        case.body.pop("code", None)
    elif case.path == "/logins/refresh" and (m := a_member()):
        case.body["refresh_token"] = m["refresh_token"]
    elif case.path == "/accounts":
        case.body.update(email="p%d@people.example" % dice.randrange(1 << 40), password="by bicycle %d" % dice.randrange(1 << 40))
    elif case.path == "/password-resets":
        case.body["email"] = "p%d@people.example" % dice.randrange(1 << 40)


@schemathesis.hook
def before_call(ctx, case, kwargs):
    if dice.random() < 0.5 and positive(case) and isinstance(case.body, dict):
        of_nobody(case)


def known(name):
    with lock:
        return dice.choice(WORLD[name]) if WORLD.get(name) and dice.random() < 0.67 else None


# What answers made, by the name that paths have for it; the latest only, for a buyer
# does not last.
MADE = {"hold": [], "order": [], "waiter": [], "key": []}
OWNER = {}  # by what was made: who made it, as his token


@schemathesis.hook
def after_call(ctx, case, response):
    if response.status_code not in (201, 202) or "json" not in response.headers.get("content-type", [""])[0]:
        return
    made = response.json()
    kind = {"/shows/{show}/holds": "hold", "/line/{waiter}/accept": "hold", "/shows/{show}/line": "waiter",
            "/developer/keys": "key", "/developer/keys/{key}/rotations": "key"}.get(case.path)
    with lock:
        for name, value in ((kind, made.get("id")), ("order", made.get("order_id"))):
            if name and value:
                MADE[name].append(value)
                OWNER[value] = (case.headers or {}).get("Authorization", "")
                del MADE[name][:-4]
                WORLD[name] = MADE[name]


@schemathesis.hook
def map_path_parameters(ctx, path_parameters):
    for name in ("city", "movie", "show", "layout", "provider", "hold", "order", "waiter", "key"):
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
