"""Draw `docs/pictures/drift.svg`: the picture of `pointbook drift` for a shop that is made up.

make pictures    draws it, too
"""

from random import Random

from cli.drift_picture import picture
from cli.drift_report import DIFFERS, NOT_REGISTERED, Report
from local import demo
from local.options import ROOT

DRAWN = ROOT / "docs" / "pictures" / "drift.svg"
MEMBERS, DIFFERING, UNKNOWN = 900, 30, 4
POINTS_MAX = 30_000


def sample() -> Report:
    """The report of a shop with many small accounts and few large ones; always the same."""
    random = Random(7)

    def points() -> int:
        return min(POINTS_MAX, int(random.paretovariate(1.1) * 150))

    report = Report(
        run="sample",
        stack="pointbook-prod",
        shop=demo.SHOP_DOMAIN,
        began_at="2026-11-30T09:00:00+09:00",
        finished_at="2026-11-30T09:21:40+09:00",
        equal=[points() for _ in range(MEMBERS)],
    )
    for number in range(DIFFERING + UNKNOWN):
        customer_id, ledger = str(8_840_734_671_001 + 97 * number), points()
        row = {"customer_id": customer_id, "ledger": ledger, "till": None, "difference": 0}
        kind = NOT_REGISTERED
        if number < DIFFERING:
            change = random.choice((-1, 1)) * random.choice((10, 50, 100, 300, 500, 1_200, 3_000))
            till = max(0, ledger + change)
            row |= {"till": till, "difference": till - ledger}
            kind = DIFFERS
        report.rows[customer_id] = row | {"kind": kind}
    return report


def main() -> None:
    """Write the file."""
    DRAWN.write_text(picture(sample()), encoding="utf-8")
    print(DRAWN.relative_to(ROOT))


if __name__ == "__main__":
    main()
