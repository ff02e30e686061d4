"""Holds the template against the rules of checkov and of AWS's Control Tower (cfn-guard).

audit.py TEMPLATE CHECKOV GUARD RULES EXCEPTIONS. What a rule objects to is an error
unless the exceptions name it with a reason; an exception that no rule wants any
more is an error, too."""

import json
import re
import subprocess
import sys

import yaml

SERVICES = ["apigateway", "cloudwatch", "dynamodb", "identityandaccessmanagement", "lambda", "sqs"]


def checkov(program, template):
    out = subprocess.run(
        [program, "-f", template, "--framework", "cloudformation", "--output", "json", "--quiet", "--compact", "--skip-download"],
        capture_output=True, text=True, check=False,
    ).stdout
    report = json.loads(out)
    if report["summary"]["parsing_errors"] or not report["summary"]["resource_count"]:
        sys.exit("checkov could not read the template")
    found = {(c["check_id"], c["resource"].rsplit(".", 1)[-1]): c["check_name"] for c in report["results"]["failed_checks"]}
    return found, report["summary"]["passed"]


def guard(program, template, rules):
    args = [program, "validate", "--data", template, "--structured", "--output-format", "json", "--show-summary", "none", "--rules"]
    out = subprocess.run(args + [f"{rules}/{s}" for s in SERVICES], capture_output=True, text=True, check=False).stdout
    found, passed = {}, 0
    for report in json.loads(out):
        passed += len(report["compliant"])
        for r in report["not_compliant"]:
            text = json.dumps(r)
            why = re.search(r"\[CT\.[^\]]*\][^\\]*", text)
            for resource in set(re.findall(r"/Resources/(\w+)", text)) or {"?"}:
                found[r["Rule"]["name"], resource] = why.group(0) if why else ""
    if not passed:
        sys.exit("cfn-guard applied no rule")
    return found, passed


def main(template, checkov_program, guard_program, rules, exceptions):
    found, passed = checkov(checkov_program, template)
    more, more_passed = guard(guard_program, template, rules)
    found |= more
    with open(exceptions, encoding="utf-8") as f:
        excepted = yaml.safe_load(f)
    unused = {i: e for i, e in enumerate(excepted)}
    wrong = []
    for (rule, resource), name in sorted(found.items()):
        for i, e in enumerate(excepted):
            if e["rule"] == rule and re.fullmatch(e.get("resources", ".*"), resource):
                unused.pop(i, None)
                break
        else:
            wrong.append(f"{rule}: {resource}: {name}")
    wrong += [f"the exception {e['rule']} ({e.get('resources', 'all')}) is wanted by nothing" for e in unused.values()]
    print(f"checkov: {passed} checks passed; cfn-guard: {more_passed} rules kept; "
          f"{len(found)} objections, {len(excepted)} written exceptions, {len(wrong)} faults")
    for w in wrong:
        print(" ", w)
    sys.exit(bool(wrong))


main(*sys.argv[1:])
