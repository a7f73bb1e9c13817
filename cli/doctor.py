"""Check a stack, and say what to do about everything that is wrong.

    pointbook doctor --env prod

It looks at the secret, the shops' access tokens, the API, queues and dead letters, workers,
schedules and their last runs, and alarms. It changes nothing. Exit status 1 if something is wrong.
"""

from cli import checks, target
from cli.checks import State
from cli.options import Env, Json
from cli.output import Output

_SIGNS = {State.OK: "ok", State.NOTE: "note", State.WRONG: "WRONG"}


def run(env: Env = None, json: Json = False) -> int:
    """Run the command. Raises CommandFailed, NotReachable."""
    stack, out = target.target_of(env), Output(as_json=json)
    found = list(checks.all_of(stack))
    out.say(stack.name)
    out.table(("", "what", "found"), [(_SIGNS[one.state], one.what, one.found) for one in found])
    advice = [one for one in found if one.do]
    for one in advice:
        out.say("", f"{one.what}:", f"    {one.do}")
    wrong = sum(one.state is State.WRONG for one in found)
    out.say("", f"{wrong} wrong." if wrong else "Nothing is wrong.")
    out.document(
        {
            "stack": stack.name,
            "wrong": wrong,
            "checks": [
                {"what": one.what, "state": one.state, "found": one.found, "do": one.do or None}
                for one in found
            ],
        }
    )
    return int(wrong > 0)
