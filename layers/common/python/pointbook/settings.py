"""Configuration: environment variables and one secret.

Only this module has the names of the variables. Functions read them once, when they start, by
`Settings.from_env(os.environ)`; an invalid value ends the start with an error that names its
variable.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from pointbook.errors import MalformedBody, SettingsError
from pointbook.validation import json_object

if TYPE_CHECKING:
    from pointbook.domain.programme import Programme

CUSTOMER_REQUESTS_PER_MINUTE = 600
"""How many requests of one customer a process serves in a minute, where nothing else is set."""

LOCAL_PREFIX = "LOCAL_"
"""The prefix of variables for the laptop stack: they replace a clock, an address or the secret."""

SECRET_LENGTH_MIN = 32
"""The minimum length of a signing secret: an HMAC is no stronger than its key (RFC 7518, 3.2)."""

SECRET_DIFFERENT_CHARACTERS_MIN = 8
"""Fewer than any random secret has, and more than a placeholder such as 32 times "x"."""

_SHOP_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,99}\.myshopify\.com")
_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?")
_LOCAL_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")

PUBLISHED_SECRETS_SHA256 = frozenset(
    {
        "74637d6f89da11c97f4826910638c39295c0fd280cb9f21e96d335a7e252b87b",  # client secret
        "0d7866eb41645beaa30c23a167ae3a403e23d6e90152eb35b8bcffa02171b86b",  # the previous one
        "0a6d7afcd6dab8be8e01303c7a37d342f4a3408ab8461006853a2a7b5010a7f4",  # my-page secret
    }
)
"""Digests of the public secrets of the laptop stack and the sample events. A deployed stack refuses
them; digests, so that the package itself has no usable secret."""

QUEUES = ("order_events", "customer_events", "privacy_events")
"""The queues of Shopify's webhooks, each named after the function that processes it."""

TILL_REFRESHES = "till_refreshes"
"""The queue of cached members that `refresh_till` is to refresh."""

IMPORT_ROWS = "import_rows"
"""The queue of the parts of imports, carried out by the function of this name."""

DEAD_LETTERS = {f"{queue}_dead_letter": queue for queue in (*QUEUES, IMPORT_ROWS)} | {
    "dead_letter": "schedules"
}
"""The queues of what failed to the last attempt, with whose they are."""

IMPORT_ROWS_PER_SECOND = 400
"""Where nothing else is set: 2,400 write units, of the 4,000 that a new table takes."""

TILL_FRESH_SECONDS = 60
TILL_PROBE_SECONDS = 5
TILL_CALLS_PER_SECOND = 5
"""Where nothing else is set. Five calls a second are within every till's known limit."""

_HOLD_CODES = b"pointbook hold codes 1"
"""The purpose for which a key is derived from the my-page secret: one key for each purpose."""

_PROGRAMME_PREFIX = "PROGRAMME_"
"""The prefix of variables that set a rule of the default programme, by its name in capitals."""


class Stage(StrEnum):
    """The stage of a stack. Only `local` accepts the variables for a laptop."""

    LOCAL = "local"
    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


@dataclass(frozen=True, slots=True)
class Settings:
    """The checked environment. The `local_*` fields are None in every stage but `local`.

    `shops` are the domains that the stack serves (`SHOP_DOMAIN`, comma-separated), the main one
    first. `login_url` is where a customer without a session is sent. `allowed_origins` are the
    pages that may write with a cookie: the shops' own and those of `ALLOWED_ORIGINS`.
    `till_provider` names the till's adapter, `none` if there is no till. `programme_texts` are the
    configured rules of the default programme, by name, not parsed yet. `queue_urls` are the URLs of
    those queues that the function uses. `token_key_id` is the KMS key that encrypts
    Shopify's access tokens. `privacy_bucket` holds the data that customers request,
    `heads_bucket` the daily heads of chains, `statements_bucket` the shops' statements;
    `operator_topic` (an ARN) notifies the operator. `imports_bucket` holds the files of imports,
    which book `import_rows_per_second` at most. `customer_requests_per_minute` limits the
    requests of one customer to one process.
    `till_fresh_seconds` is for how long my page shows a cached member without a refresh,
    `till_probe_seconds` the time between two probes of a till that fails, `till_calls_per_second`
    the limit on calls to the till, for all functions together.
    """

    stage: Stage
    table_name: str
    shops: tuple[str, ...]
    shopify_client_id: str
    secrets_name: str
    login_url: str
    allowed_origins: frozenset[str]
    programme_texts: Mapping[str, str] = field(default_factory=dict)
    till_provider: str = "none"
    queue_urls: Mapping[str, str] = field(default_factory=dict)
    token_key_id: str = ""
    privacy_bucket: str = ""
    heads_bucket: str = ""
    statements_bucket: str = ""
    operator_topic: str = ""
    imports_bucket: str = ""
    import_rows_per_second: int = IMPORT_ROWS_PER_SECOND
    customer_requests_per_minute: int = CUSTOMER_REQUESTS_PER_MINUTE
    till_fresh_seconds: int = TILL_FRESH_SECONDS
    till_probe_seconds: int = TILL_PROBE_SECONDS
    till_calls_per_second: int = TILL_CALLS_PER_SECOND
    local_clock_file: str | None = None
    local_shopify_url: str | None = None
    local_till_url: str | None = None
    local_secrets: str | None = field(default=None, repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Return the settings in `environ`. Raises SettingsError for the first invalid variable."""
        stage = _stage(environ)
        if stage is not Stage.LOCAL:
            _refuse_local_variables(environ, stage)
        shops = _shops(environ)
        return cls(
            stage=stage,
            table_name=_required(environ, "TABLE_NAME", "the name of the ledger's table"),
            shops=shops,
            shopify_client_id=_required(environ, "SHOPIFY_CLIENT_ID", "the app's client id"),
            secrets_name=_required(environ, "SECRETS_NAME", "the name of the stack's secret"),
            login_url=_login_url(environ, stage, shops[0]),
            allowed_origins=_allowed_origins(environ, stage, shops),
            till_provider=environ.get("TILL_PROVIDER") or "none",
            programme_texts=_programme_texts(environ),
            queue_urls=_queue_urls(environ),
            token_key_id=environ.get("TOKEN_KEY_ID", "").strip(),
            privacy_bucket=environ.get("PRIVACY_BUCKET", "").strip(),
            heads_bucket=environ.get("HEADS_BUCKET", "").strip(),
            statements_bucket=environ.get("STATEMENTS_BUCKET", "").strip(),
            operator_topic=environ.get("OPERATOR_TOPIC_ARN", "").strip(),
            imports_bucket=environ.get("IMPORTS_BUCKET", "").strip(),
            import_rows_per_second=_whole_number(
                environ, "IMPORT_ROWS_PER_SECOND", IMPORT_ROWS_PER_SECOND
            ),
            customer_requests_per_minute=_whole_number(
                environ, "CUSTOMER_REQUESTS_PER_MINUTE", CUSTOMER_REQUESTS_PER_MINUTE
            ),
            till_fresh_seconds=_whole_number(environ, "TILL_FRESH_SECONDS", TILL_FRESH_SECONDS),
            till_probe_seconds=_whole_number(environ, "TILL_PROBE_SECONDS", TILL_PROBE_SECONDS),
            till_calls_per_second=_whole_number(
                environ, "TILL_CALLS_PER_SECOND", TILL_CALLS_PER_SECOND
            ),
            local_clock_file=environ.get("LOCAL_CLOCK_FILE") or None,
            local_shopify_url=environ.get("LOCAL_SHOPIFY_URL") or None,
            local_till_url=environ.get("LOCAL_TILL_URL") or None,
            local_secrets=environ.get("LOCAL_SECRETS") or None,
        )

    def queue_url(self, queue: str) -> str:
        """Return the URL of a queue. Raises SettingsError if it is not set."""
        if queue not in self.queue_urls:
            raise SettingsError(_queue_variable(queue), "is not set; set it to the queue's URL")
        return self.queue_urls[queue]

    def default_programme(self) -> "Programme":
        """Return the programme that shops start with; a rule that is not set has its default.

        Raises SettingsError for the first invalid rule. Parsed only here, because this needs
        modules that a function without the ledger does not load.
        """
        from pointbook.domain.programme import ProgrammeError, default_programme  # noqa: PLC0415

        try:
            return default_programme(**self.programme_texts)
        except ProgrammeError as error:
            variable = f"{_PROGRAMME_PREFIX}{error.field.upper()}"
            raise SettingsError(variable, str(error)) from error

    def token_key(self) -> str:
        """Return the KMS key of the access tokens. Raises SettingsError if it is not set."""
        if not self.token_key_id:
            raise SettingsError("TOKEN_KEY_ID", "is not set; give the id or alias of a KMS key")
        return self.token_key_id


@dataclass(frozen=True, slots=True)
class Secrets:
    """The JSON object in the secret `SECRETS_NAME`; `repr` shows none of it.

    `client_secret` signs Shopify's requests. `my_page_secret` signs the cookies of a my page that
    issues its own session tokens (empty: there is none). The previous one of either is accepted
    during a rotation. `till` has the till's credentials, as its adapter names them.
    """

    client_secret: str = field(repr=False)
    client_secret_previous: str = field(default="", repr=False)
    my_page_secret: str = field(default="", repr=False)
    till: Mapping[str, str] = field(default_factory=dict, repr=False)
    my_page_secret_previous: str = field(default="", repr=False)

    @classmethod
    def from_json(cls, text: str, stage: Stage) -> Self:
        """Parse `text`. Raises SettingsError, which never quotes a secret."""
        try:
            members = json_object(text.encode("utf-8", "surrogatepass"))
        except MalformedBody as error:
            raise SettingsError("SECRETS_NAME", "the secret must hold a JSON object") from error
        return cls(
            client_secret=_signing_secret(members, "client_secret", stage, required=True),
            client_secret_previous=_signing_secret(members, "client_secret_previous", stage),
            my_page_secret=_signing_secret(members, "my_page_secret", stage),
            till=_till_credentials(members),
            my_page_secret_previous=_signing_secret(members, "my_page_secret_previous", stage),
        )

    def hold_code_key(self) -> bytes:
        """Return the key from which the discount codes of holds are derived.

        It is derived from the my-page secret, which is random from the first deployment on and is
        not rotated with Shopify's. A rotation of it changes the codes of new holds only. Raises
        SettingsError if it is empty: codes must not be guessable.
        """
        if not self.my_page_secret:
            raise SettingsError(
                "SECRETS_NAME (my_page_secret)",
                "is empty, but the codes of holds are derived from it; give 48 random characters",
            )
        return hmac.digest(self.my_page_secret.encode("utf-8"), _HOLD_CODES, hashlib.sha256)


def _required(environ: Mapping[str, str], name: str, meaning: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(name, f"is not set; give {meaning}")
    return value


def _stage(environ: Mapping[str, str]) -> Stage:
    value = _required(environ, "STAGE", f"one of {', '.join(Stage)}")
    try:
        return Stage(value)
    except ValueError:
        raise SettingsError("STAGE", f"is {value!r}; give one of {', '.join(Stage)}") from None


def _refuse_local_variables(environ: Mapping[str, str], stage: Stage) -> None:
    for name in sorted(environ):
        if name.startswith(LOCAL_PREFIX) and environ[name]:
            raise SettingsError(name, f"is for STAGE local only; remove it from stage {stage}")


def _shops(environ: Mapping[str, str]) -> tuple[str, ...]:
    listed = _required(environ, "SHOP_DOMAIN", "the shop's domain, such as demo.myshopify.com")
    shops = tuple(shop.strip() for shop in listed.split(","))
    for shop in shops:
        if not _SHOP_DOMAIN.fullmatch(shop):
            raise SettingsError(
                "SHOP_DOMAIN",
                f"has {shop!r}; give lower-case domains such as demo.myshopify.com, with commas",
            )
    return shops


def _login_url(environ: Mapping[str, str], stage: Stage, main_shop: str) -> str:
    url = environ.get("LOGIN_URL", "").strip() or f"https://{main_shop}/account/login"
    if not url.startswith("https://") and not (stage is Stage.LOCAL and url.startswith("http://")):
        raise SettingsError("LOGIN_URL", f"is {url!r}; give an address that starts with https://")
    return url


def _allowed_origins(
    environ: Mapping[str, str], stage: Stage, shops: tuple[str, ...]
) -> frozenset[str]:
    listed = environ.get("ALLOWED_ORIGINS", "").split(",")
    origins = {origin.strip() for origin in listed if origin.strip()}
    form = _LOCAL_ORIGIN if stage is Stage.LOCAL else _ORIGIN
    for origin in sorted(origins):
        if not form.fullmatch(origin):
            raise SettingsError(
                "ALLOWED_ORIGINS",
                f"has {origin!r}; give origins such as https://www.example.com, with commas",
            )
    return frozenset(origins | {f"https://{shop}" for shop in shops})


def _whole_number(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name) or str(default)
    if not re.fullmatch("[1-9][0-9]{0,8}", value):
        raise SettingsError(name, f"is {value!r}; give a whole number from 1")
    return int(value)


def _queue_urls(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the URLs that are set: only functions that send or count messages have any."""
    queues = (*QUEUES, TILL_REFRESHES, IMPORT_ROWS, *DEAD_LETTERS)
    given = {queue: environ.get(_queue_variable(queue), "").strip() for queue in queues}
    return {queue: url for queue, url in given.items() if url}


def _queue_variable(queue: str) -> str:
    return f"{queue.upper()}_QUEUE_URL"


def _programme_texts(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the configured rules, by name."""
    return {
        name.removeprefix(_PROGRAMME_PREFIX).lower(): text
        for name, text in environ.items()
        if name.startswith(_PROGRAMME_PREFIX) and text
    }


def _signing_secret(
    members: Mapping[str, object], name: str, stage: Stage, *, required: bool = False
) -> str:
    variable = f"SECRETS_NAME ({name})"
    secret = members.get(name) or ""
    if not isinstance(secret, str):
        raise SettingsError(variable, "must be a text")
    if not secret and not required:
        return ""
    if secret != secret.strip():
        raise SettingsError(variable, "give the secret without white space around it")
    if len(secret) < SECRET_LENGTH_MIN:
        raise SettingsError(variable, f"give a secret of at least {SECRET_LENGTH_MIN} characters")
    if len(set(secret)) < SECRET_DIFFERENT_CHARACTERS_MIN:
        raise SettingsError(
            variable,
            f"give a secret of at least {SECRET_DIFFERENT_CHARACTERS_MIN} different characters",
        )
    digest = hashlib.sha256(secret.encode("utf-8")).hexdigest()
    if stage is not Stage.LOCAL and digest in PUBLISHED_SECRETS_SHA256:
        raise SettingsError(variable, f"is the published test secret; stage {stage} needs its own")
    return secret


def _till_credentials(members: Mapping[str, object]) -> dict[str, str]:
    till = members.get("till") or {}
    if not isinstance(till, dict) or not all(isinstance(value, str) for value in till.values()):
        raise SettingsError("SECRETS_NAME (till)", "must be an object of texts")
    return till
