"""What was recorded of a stack outside its table, for `pointbook verify` to compare with."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from cli.errors import CommandFailed
from cli.target import Target
from pointbook.aws.record_files import RecordFiles
from pointbook.aws.statement_files import StatementFiles
from pointbook.domain.closings import Closing
from pointbook.domain.heads import RecordedHeads
from pointbook.domain.privacy import Kind
from pointbook.domain.reconcile import Damage
from pointbook.domain.records import Records
from pointbook.errors import Unavailable
from pointbook.services.recorded_heads import AccountNames, load_heads
from pointbook.services.statement_closings import StatementClosings
from pointbook.services.verification import Fault
from pointbook.store.privacy_requests import PrivacyRequests

COMPARED_DAYS = 35
"""As far back as a copy of the table can be had, which a repair needs."""

_LATE = timedelta(days=2)


@dataclass(slots=True)
class Recorded:
    """The records of some shops, whose accounts they name, and what is wrong with the files."""

    records: Records = field(default_factory=Records)
    names: AccountNames | None = None
    days: list[date] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def load(
    stack: Target,
    shops: Iterable[str],
    since: date | None = None,
) -> Recorded:
    """Read the heads of shops, and what their statements close with, from a day on.

    Raises CommandFailed if they cannot be read.
    """
    zone = ZoneInfo(stack.settings.default_programme().time_zone)
    today = stack.clock().now().astimezone(zone).date()
    since = since or today - timedelta(days=COMPARED_DAYS)
    shops, heads, found = tuple(shops), RecordedHeads(), Recorded()
    bucket, names = (stack.outputs.get(f"{one}BucketName", "") for one in ("Heads", "Privacy"))
    if bucket:
        s3, requests = stack.client("s3"), PrivacyRequests(stack.table())
        found.names = AccountNames(RecordFiles(s3, names)) if names else None
        for shop in shops:
            try:
                loaded = load_heads(
                    RecordFiles(s3, bucket), shop, since, _erased_at(requests, shop), heads
                )
            except Unavailable as error:
                raise CommandFailed(
                    f"The heads in the bucket {bucket} cannot be read: {error.__cause__}. Your role"
                    " needs s3:ListBucketVersions and s3:GetObjectVersion; without them pass"
                    " --no-heads."
                ) from error
            if loaded.days and max(loaded.days) < today - _LATE:
                late = f"the last heads are of {max(loaded.days)}: write_heads has not ended since"
                loaded.faults.append(late)
            found.days += loaded.days
            found.faults += (Fault(shop, "", Damage.HEADS, 0, what) for what in loaded.faults)
    found.records = Records(heads, tuple(_closings(stack, shops, since)))
    return found


def _closings(stack: Target, shops: Iterable[str], since: date) -> Iterator[Closing]:
    """What the statements of shops close with; those of before a shop was erased are left out."""
    bucket = stack.outputs.get("StatementsBucketName")
    if not bucket:
        return
    statements = StatementClosings(StatementFiles(stack.client("s3"), bucket))
    requests = PrivacyRequests(stack.table())
    try:
        for shop in shops:
            erased_at = _erased_at(requests, shop)
            for closing in statements.closings(shop, since):
                if erased_at is None or closing.until > erased_at:
                    yield closing
    except Unavailable as error:
        raise CommandFailed(
            f"The statements in the bucket {bucket} cannot be read: {error.__cause__}. Your role"
            " needs s3:ListBucket and s3:GetObject; without them pass --no-heads."
        ) from error


def _erased_at(requests: PrivacyRequests, shop: str) -> datetime | None:
    """When the shop was erased; its heads of before are of accounts that are rightly gone."""
    request = requests.find(Kind.SHOP, shop, shop)
    return request.finished_at if request else None
