"""The engines. A missing one is a failure that says what to run; no test is skipped for it."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.privacy import PrivacyDriver
from tests.support import engine as engines
from tests.support import servers
from tests.support.engine import Engine, connected, opened
from tests.support.ledgers import LedgerDriver


@pytest.fixture(scope="session")
def moto_client() -> Any:
    """A client that answers only while `mock_aws` is in force."""
    with mock_aws():
        return connected(None)


@pytest.fixture(scope="session")
def ministack_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with servers.ministack(tmp_path_factory.mktemp("ministack")) as url:
        yield connected(url)


@pytest.fixture(scope="session")
def dynamodb_local_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with servers.dynamodb_local(tmp_path_factory.mktemp("dynamodb-local")) as url:
        yield connected(url)


@pytest.fixture(params=engines.ALL)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each engine in turn, with an empty table; a test may choose some of them by `indirect`."""
    match request.param:
        case engines.MEMORY:
            yield opened(engines.MEMORY, MemoryDynamoDB())
        case engines.MOTO:
            client = request.getfixturevalue("moto_client")
            with mock_aws():
                yield opened(engines.MOTO, client)
        case name:
            client = request.getfixturevalue(f"{name.replace('-', '_')}_client")
            yield opened(name, client)


@pytest.fixture
def driver(engine: Engine) -> LedgerDriver:
    """The ledger on the engine."""
    return LedgerDriver(engine)


@pytest.fixture
def privacy(engine: Engine) -> PrivacyDriver:
    """The privacy service on the engine."""
    return PrivacyDriver(engine)
