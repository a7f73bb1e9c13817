"""Access tokens in the table: encrypted, and written only over the version that was read."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from pointbook.aws import kms as kms_module
from pointbook.aws.kms import KmsCipher
from pointbook.errors import Unavailable
from pointbook.http.tokens import StoredToken
from pointbook.store.table import Table
from pointbook.store.tokens import TILL, Tokens
from tests.fakes.cipher import PlainCipher
from tests.fakes.dynamodb import MemoryDynamoDB, refused
from tests.support import servers
from tests.support.engine import ISOLATED, SHOP, Engine
from tests.support.table import table_request

OTHER_SHOP = "other.myshopify.com"
UNTIL = datetime(2026, 11, 23, 3, 0, 0, 123_000, UTC)
LEASED = StoredToken("", datetime(1970, 1, 1, tzinfo=UTC), 1, UNTIL)
TOKEN = StoredToken("shpat_1", UNTIL, 2)


def refusing(aws_code: str) -> Callable[..., Any]:
    """An operation of AWS that always fails in this way."""

    def refuses(**_: object) -> Any:
        raise refused(aws_code, "no")

    return refuses


def tokens_of(engine: Engine) -> Tokens:
    return Tokens(Table(engine.client, engine.table), PlainCipher())


def test_a_token_is_read_as_it_was_written(engine: Engine) -> None:
    tokens = tokens_of(engine)
    assert tokens.read(SHOP) is None
    assert tokens.write(SHOP, LEASED)
    assert tokens.read(SHOP) == LEASED
    assert tokens.write(SHOP, TOKEN)
    assert tokens.read(SHOP) == TOKEN
    assert tokens.write(SHOP, replace(TOKEN, version=3, leased_until=UNTIL))
    assert tokens.read(SHOP) == replace(TOKEN, version=3, leased_until=UNTIL)


def test_a_token_is_written_only_over_the_version_before(engine: Engine) -> None:
    tokens = tokens_of(engine)
    assert not tokens.write(SHOP, TOKEN), "there is no version 1"
    assert tokens.write(SHOP, LEASED)
    assert not tokens.write(SHOP, LEASED)
    assert not tokens.write(SHOP, replace(TOKEN, version=3))
    assert tokens.read(SHOP) == LEASED


def test_shops_have_tokens_of_their_own(engine: Engine) -> None:
    tokens = tokens_of(engine)
    assert tokens.write(SHOP, LEASED)
    assert tokens.read(OTHER_SHOP) is None
    assert tokens.write(OTHER_SHOP, LEASED)


def test_the_tills_token_is_of_no_shop(engine: Engine) -> None:
    tokens = tokens_of(engine)
    assert tokens.write(TILL, LEASED)
    assert tokens.write(TILL, TOKEN)
    assert tokens.read(SHOP) is None
    assert tokens.read(TILL) == TOKEN


@pytest.mark.parametrize("engine", ISOLATED, indirect=True)
def test_of_eight_that_take_the_lease_at_once_one_has_it(engine: Engine) -> None:
    tokens = tokens_of(engine)
    for version in range(1, 6):
        lease = replace(LEASED, version=version)
        with ThreadPoolExecutor(8) as threads:
            taken = list(threads.map(lambda _, lease=lease: tokens.write(SHOP, lease), range(8)))
        assert sum(taken) == 1


# --- what goes wrong ------------------------------------------------------------------------------


@pytest.fixture
def table() -> MemoryDynamoDB:
    """An empty table."""
    table = MemoryDynamoDB()
    table.create_table(**table_request("points"))
    return table


@pytest.mark.parametrize(
    ("owner", "pk", "sk", "context"),
    [
        (SHOP, f"SHOP#{SHOP}", "ACCESS_TOKEN", {"shop": SHOP}),
        (TILL, "TILL", "TOKEN", {"token": "till"}),
    ],
)
def test_no_token_can_be_read_in_the_table(
    table: MemoryDynamoDB, owner: str, pk: str, sk: str, context: dict[str, str]
) -> None:
    tokens = Tokens(Table(table, "points"), PlainCipher())
    tokens.write(owner, replace(TOKEN, version=1))
    key = {"pk": {"S": pk}, "sk": {"S": sk}}
    item = table.get_item(TableName="points", Key=key, ConsistentRead=True)["Item"]
    assert item.pop("ciphertext") == {"B": PlainCipher().encrypt("shpat_1", context)}
    assert "shpat" not in str(item)


def test_a_token_that_another_key_encrypted_counts_as_none(table: MemoryDynamoDB) -> None:
    """A table that was restored beside another key goes on by itself: a token can be had anew."""
    Tokens(Table(table, "points"), PlainCipher("before")).write(SHOP, replace(TOKEN, version=1))
    tokens = Tokens(Table(table, "points"), PlainCipher("after"))
    assert tokens.read(SHOP) == replace(TOKEN, version=1, text="")
    assert tokens.write(SHOP, TOKEN)


# --- encryption -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kms_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.ministack(tmp_path_factory.mktemp("ministack-kms"), services="kms") as url:
        yield url


@pytest.fixture
def kms(kms_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """KMS in MiniStack."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", kms_url)
    return kms_module.connect()


def new_key(kms: Any) -> str:
    key_id: str = kms.create_key()["KeyMetadata"]["KeyId"]
    return key_id


def test_a_ciphertext_is_decrypted_by_its_key_and_for_its_context_only(kms: Any) -> None:
    key_id = new_key(kms)
    ciphertext = KmsCipher(kms, key_id).encrypt("shpat_1", {"shop": SHOP})
    assert b"shpat" not in ciphertext
    assert KmsCipher(kms, key_id).decrypt(ciphertext, {"shop": SHOP}) == "shpat_1"
    assert KmsCipher(kms, key_id).decrypt(ciphertext, {"shop": OTHER_SHOP}) is None


@pytest.mark.parametrize(
    "aws_code",
    [
        "IncorrectKeyException",
        "InvalidCiphertextException",
        "KMSInvalidStateException",
        "NotFoundException",
    ],
)
def test_what_another_or_a_deleted_key_encrypted_cannot_be_decrypted(
    aws_code: str,
) -> None:
    """With a fake: MiniStack decrypts with whatever key is named."""
    kms = SimpleNamespace(decrypt=refusing(aws_code))
    assert KmsCipher(kms, "key").decrypt(b"encrypted", {"shop": SHOP}) is None


@pytest.mark.parametrize("aws_code", ["ThrottlingException", "AccessDeniedException"])
def test_a_kms_that_is_unavailable_is_not_taken_for_another_key(aws_code: str) -> None:
    kms = SimpleNamespace(decrypt=refusing(aws_code))
    with pytest.raises(Unavailable):
        KmsCipher(kms, "key").decrypt(b"encrypted", {"shop": SHOP})


def test_an_alias_names_the_key_as_well(kms: Any) -> None:
    alias = "alias/pointbook-test-tokens"
    kms.create_alias(AliasName=alias, TargetKeyId=new_key(kms))
    ciphertext = KmsCipher(kms, alias).encrypt("shpat_1", {"shop": SHOP})
    assert KmsCipher(kms, alias).decrypt(ciphertext, {"shop": SHOP}) == "shpat_1"


def test_a_missing_key_is_reported(kms: Any) -> None:
    with pytest.raises(Unavailable) as unavailable:
        KmsCipher(kms, "alias/nobodys").encrypt("shpat_1", {"shop": SHOP})
    assert unavailable.value.code == "secrets_unavailable"


def test_a_kms_that_cannot_be_reached_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    kms = kms_module.connect()
    with pytest.raises(Unavailable):
        KmsCipher(kms, "key").encrypt("shpat_1", {"shop": SHOP})
    with pytest.raises(Unavailable):
        KmsCipher(kms, "key").decrypt(b"encrypted", {"shop": SHOP})
