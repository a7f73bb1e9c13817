"""The part of the container for those of the staff who keep an eye on the shop as a whole."""

from functools import partial
from typing import TYPE_CHECKING, Any

from pointbook.domain.expiry import day_of
from pointbook.settings import DEAD_LETTERS, Stage
from pointbook.staff_container import StaffContainer
from pointbook.store.programmes import PARAMETERS_MIN_AGE

if TYPE_CHECKING:
    from pointbook.page.programme_texts import RuleTexts
    from pointbook.services.month_books import MonthBooks
    from pointbook.services.programme_preview import Preview
    from pointbook.services.shop_status import Look, Part
    from pointbook.store.programmes import Version

_IMPORTS_SHOWN = 3
_STATEMENTS_CHECKED = 7


class ManagerContainer(StaffContainer):
    """What reads books, programme and state; nothing here writes."""

    def month_books(self, shop: str) -> "MonthBooks":
        """The service that reads a month's statements."""
        from pointbook.aws.statement_files import StatementFiles  # noqa: PLC0415 - for two functions
        from pointbook.services.month_books import Defaults, MonthBooks  # noqa: PLC0415 - same

        programme = self.shown_programme(shop)
        files = StatementFiles(self.s3, self.settings.statements_bucket)
        rules = Defaults(programme.time_zone, programme.currency, programme.point_worth_minor)
        return MonthBooks(shop, files, rules, self.clock.now())

    def programme_for_staff(self, shop: str, texts: "RuleTexts") -> dict[str, Any]:
        """The rules in force, for people."""
        from pointbook.services.programme_preview import programme_for_staff  # noqa: PLC0415 - for one function

        version, now = self._version(shop), self.clock.now()
        return programme_for_staff(shop, version, self.default_programme, texts, now)

    def programme_preview(self, shop: str, rules: dict[str, str]) -> "Preview":
        """What a change of these rules would do."""
        from pointbook.services.programme_preview import RULES_FILE, Preview  # noqa: PLC0415 - for one function

        version = self._version(shop)
        before = version.programme if version else self.default_programme
        number = version.programme.version if version else None
        command = self.command(shop, f"programme change {RULES_FILE}")
        return Preview(before, number, rules, self.clock.now(), command)

    def status_looks(self, shop: str) -> "dict[str, Look]":
        """What is looked at to say how a shop is, by the name of each part."""
        looks: dict[str, Look] = {
            "queues": partial(self._dead_letters, shop),
            "triggers": partial(self._triggers, shop),
            "orders": partial(self._orders, shop),
            "statements": partial(self._statements, shop),
            "imports": partial(self._imports, shop),
        }
        if self.settings.till_provider != "none":
            looks["till"] = partial(self._till, shop)
        return looks

    def command(self, shop: str, words: str) -> str:
        """A command for an operator of this stack."""
        settings = self.settings
        of_shop = f" --shop {shop}" if len(settings.shops) > 1 else ""
        return f"pointbook {words}{of_shop}{self._env}"

    @property
    def doctor(self) -> str:
        """The command that looks at the whole stack."""
        return f"pointbook doctor{self._env}"

    @property
    def _env(self) -> str:
        stage = self.settings.stage
        return "" if stage is Stage.LOCAL else f" --env {stage}"

    def _version(self, shop: str) -> "Version | None":
        return self._programmes_with(PARAMETERS_MIN_AGE).latest(shop)

    def _dead_letters(self, _: str) -> "Part":
        from pointbook.aws.queues import count_messages  # noqa: PLC0415 - for one function
        from pointbook.services.shop_status import dead_letters  # noqa: PLC0415 - same

        urls, sqs = self.settings.queue_urls, self.sqs
        queues = {owner: urls[queue] for queue, owner in DEAD_LETTERS.items() if queue in urls}
        commands = {owner: f"pointbook redrive {owner}{self._env}" for owner in queues}
        commands["schedules"] = self.doctor
        return dead_letters(partial(count_messages, sqs), queues, commands)

    def _triggers(self, shop: str) -> "Part":
        from pointbook.services.shop_status import HELD_BACK_AFTER, held_back  # noqa: PLC0415 - for one function
        from pointbook.store.outbox import Outbox  # noqa: PLC0415 - same

        waiting = Outbox(self._table).due(shop, self.clock.now() - HELD_BACK_AFTER)
        return held_back("triggers_held_back", waiting, self.doctor)

    def _till(self, shop: str) -> "Part":
        from pointbook.services.shop_status import HELD_BACK_AFTER, Part, held_back, till  # noqa: PLC0415 - for one function
        from pointbook.services.till_status import last_comparisons, till_status  # noqa: PLC0415 - same
        from pointbook.store.till_pushes import TillPushes  # noqa: PLC0415 - same

        now = self.wall_clock.now()
        state = till_status(
            self.settings.till_provider, self.till(), self.till_states().read(), now
        )
        comparison = last_comparisons(self.till_comparisons(), (shop,))[shop]
        found = till(state, comparison, self.doctor, self.command(shop, "drift"))
        waiting = TillPushes(self._table).due(shop, self.clock.now() - HELD_BACK_AFTER)
        pushes = held_back("till_pushes_held_back", waiting, self.doctor)
        return Part(found.problems + pushes.problems, found.facts)

    def _orders(self, shop: str) -> "Part":
        from pointbook.services.shop_status import orders  # noqa: PLC0415 - for one function
        from pointbook.store.reconciliations import Reconciliations  # noqa: PLC0415 - same

        progress, now = Reconciliations(self._table, self.clock).progress(shop), self.clock.now()
        since = progress.since if progress else None
        day = since.date().isoformat() if since else day_of(now, "UTC").isoformat()
        command = self.command(shop, f"orders --since {day}")
        return orders(since, len(progress.left) if progress else 0, now, command)

    def _statements(self, shop: str) -> "Part":
        from pointbook.services.shop_status import statements  # noqa: PLC0415 - for one function

        missing, differing = self.month_books(shop).latest(_STATEMENTS_CHECKED)
        recompute = self.command(shop, "statement --day {day} --recompute")
        return statements(missing, differing, self.doctor, recompute)

    def _imports(self, shop: str) -> "Part":
        from pointbook.aws.bucket import Bucket  # noqa: PLC0415 - for one function
        from pointbook.services.bulk_imports.report import report_of  # noqa: PLC0415 - same
        from pointbook.services.bulk_imports.runs import latest_runs  # noqa: PLC0415 - same
        from pointbook.services.shop_status import imports  # noqa: PLC0415 - same

        files = Bucket(self.s3, self.settings.imports_bucket)
        runs = latest_runs(files, shop, _IMPORTS_SHOWN)
        reports = [report_of(files, run).as_json() for run in runs]
        return imports(reports, "pointbook import --help")
