"""The outcome of a check as JUnit's XML, as GitLab and Jenkins read it: a test for each limit."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from v1z3r_build.budget.wording import amount, carriers, sentence
from v1z3r_build.wording import visible

if TYPE_CHECKING:
    from v1z3r_build.budget.outcome import Outcome


def text(outcome: Outcome) -> str:
    """The XML, of what both readers know: counts at both levels, `classname`, `name` and seconds at each test.

    https://docs.gitlab.com/ci/testing/unit_test_reports/, https://github.com/jenkinsci/xunit-plugin (junit-10.xsd)
    """
    counts = {"tests": str(len(outcome.findings)), "failures": str(len(outcome.over)), "errors": "0"}
    root = ElementTree.Element("testsuites", {"name": "v1z3r-build", **counts, "time": "0"})
    suite = ElementTree.SubElement(root, "testsuite", {"name": "budget", **counts, "skipped": "0", "time": "0"})
    for one in outcome.findings:
        name = one.title.removeprefix(f"{one.subject}: ")
        # `name` and `classname` tell a test from the others, and from its like in the last run.
        test = {"classname": visible(one.subject), "name": visible(name), "time": "0"}
        case = ElementTree.SubElement(suite, "testcase", test)
        if one.passed:
            said = f"{amount(one.value, one.unit)} of {amount(one.limit, one.unit)}"
            ElementTree.SubElement(case, "system-out").text = said
        else:
            failure = ElementTree.SubElement(case, "failure", {"message": visible(sentence(one)), "type": "budget"})
            place = f"{outcome.source}{f':{one.line}' if one.line else ''}: {one.setting}"
            failure.text = "\n".join(visible(line) for line in (*carriers(one), place))
    if outcome.notes:
        ElementTree.SubElement(suite, "system-out").text = "\n".join(map(visible, outcome.notes))
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
