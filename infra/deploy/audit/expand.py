"""Writes what CloudFormation would get for production: expand.py FROM TO.

SAM's transformation, then every reference to a parameter and every condition
resolved, since rules read values and no references."""

import json
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

GIVEN = {
    "DeveloperKey": "a-developer-key-of-twenty",
    "Stage": "production",
    "AlarmTopic": "arn:aws:sns:eu-west-1:000000000000:alarms",
    "PublicUrl": "https://api.example.org/v1",
}
GONE = object()


class NoPolicies:
    """No function has a policy of AWS's by name."""

    def load(self):
        return {}


def uploaded(node):
    """The folders of code as if they were uploaded, which the transformation wants."""
    if isinstance(node, dict):
        return {k: "s3://bucket/code" if k == "CodeUri" else uploaded(v) for k, v in node.items()}
    if isinstance(node, list):
        return [uploaded(v) for v in node]
    return node


def resolved(node, values, conditions):
    def again(n):
        return resolved(n, values, conditions)

    if isinstance(node, list):
        return [v for v in map(again, node) if v is not GONE]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        (name, arg), = node.items()
        if name == "Ref" and arg == "AWS::NoValue":
            return GONE
        if name == "Ref" and arg in values:
            return values[arg]
        if name == "Fn::If":
            return again(arg[1] if again({"Condition": arg[0]}) else arg[2])
        if name == "Condition" and arg in conditions:
            return again(conditions[arg])
        if name == "Fn::Equals":
            return str(again(arg[0])) == str(again(arg[1]))
        if name == "Fn::Not":
            return not again(arg[0])
        if name == "Fn::And":
            return all(map(again, arg))
    out = {k: again(v) for k, v in node.items()}
    return {k: v for k, v in out.items() if v is not GONE}


def main(source, target):
    with open(source, encoding="utf-8") as f:
        template = uploaded(yaml_parse(f))
    whole = transform(template, dict(GIVEN), NoPolicies())
    values = {k: p.get("Default") for k, p in whole["Parameters"].items()} | GIVEN
    whole["Resources"] = resolved(whole["Resources"], values, whole["Conditions"])
    with open(target, "w", encoding="utf-8") as f:
        json.dump(whole, f, indent=1)


main(*sys.argv[1:])
