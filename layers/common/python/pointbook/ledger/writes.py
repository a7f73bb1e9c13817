"""Turns a decision into its result, and into one write of everything it changes."""

import secrets
from dataclasses import replace

from pointbook.domain.account import Account
from pointbook.domain.chain import Text
from pointbook.domain.decision import Decision
from pointbook.domain.ports import IdempotencyRecord, Write
from pointbook.ledger.account_writes import account_write
from pointbook.ledger.instruction import Booked, Instruction


def booked(decision: Decision) -> Booked:
    """The result of an instruction that was decided so."""
    return Booked(
        entry_ids=tuple(entry.entry_id for entry in decision.command_entries),
        figures=decision.account.figures,
        settled=decision.settled,
        alarms=decision.alarms,
    )


def write_of(instruction: Instruction, before: Account, decision: Decision) -> Write:
    """Everything that an instruction's decision changes, to be written at once."""
    erasable = instruction.reason or instruction.cause.cause_entry_id
    text = Text(instruction.reason, secrets.token_hex(16)) if erasable else None
    done = booked(decision)
    record = None
    if instruction.identity is not None:
        record = IdempotencyRecord(
            key_hash=instruction.identity.key_hash,
            content_hash=instruction.content_hash,
            entry_ids=done.entry_ids,
            figures=done.figures,
        )
    order, hold_record = decision.order, decision.record
    return Write(
        shop=instruction.shop,
        accounts=(account_write(before, decision, instruction.cause, text),),
        idempotency_record=record,
        recorded_for=instruction.customer_id,
        order=replace(order, revision=order.revision + 1) if order else None,
        hold_record=(
            replace(hold_record, revision=hold_record.revision + 1) if hold_record else None
        ),
        orphaned_codes=decision.orphaned_codes,
        daily_limit=instruction.daily_limit,
    )
