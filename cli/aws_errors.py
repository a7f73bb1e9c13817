"""Errors of AWS as sentences that say what to do."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    SSOTokenLoadError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

type AwsError = BotoCoreError | ClientError

AWS_ERRORS = (BotoCoreError, ClientError)
"""What boto3 raises, for `except`."""

_LOG_IN = "Log in to AWS (`aws sso login`, or `aws configure`), or name a profile in AWS_PROFILE."
_AGAIN = "Your login at AWS has expired. Log in again, such as with `aws sso login`."
_NETWORK = "Look at the network and the region, then try again."
_ALLOW = (
    "Have your role allowed that: docs/deploy.md and docs/operations.md say what commands need."
)

_KINDS: tuple[tuple[tuple[type[BotoCoreError], ...], str], ...] = (
    ((SSOError, SSOTokenLoadError, TokenRetrievalError), _AGAIN),
    (
        (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError),
        f"There are no AWS credentials here. {_LOG_IN}",
    ),
    ((ProfileNotFound,), "There is no AWS profile of the name that AWS_PROFILE has."),
    ((HTTPClientError, BotoConnectionError), f"AWS does not answer. {_NETWORK}"),
)

_CODES: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"}), _AGAIN),
    (
        frozenset(
            {
                "AuthFailure",
                "InvalidAccessKeyId",
                "InvalidClientTokenId",
                "InvalidSignatureException",
                "SignatureDoesNotMatch",
                "UnrecognizedClientException",
            }
        ),
        f"AWS does not accept these credentials. {_LOG_IN}",
    ),
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_ABSENT = frozenset({"NoSuchBucket", "NoSuchKey", "ResourceNotFoundException"})


def code_of(error: AwsError) -> str:
    """The code of AWS's answer; "" if there was none."""
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_absent(error: AwsError) -> bool:
    """Whether AWS has nothing of this name."""
    return code_of(error) in _ABSENT


def in_words(error: AwsError) -> str:
    """What went wrong and what to do, in one or two sentences."""
    if not isinstance(error, ClientError):
        return next((words for kinds, words in _KINDS if isinstance(error, kinds)), f"{error}.")
    code = code_of(error)
    for codes, words in _CODES:
        if code in codes:
            return words
    said = str(error.response.get("Error", {}).get("Message") or code).rstrip(".")
    if code in _DENIED:
        return f"Your AWS role may not do this: {said}. {_ALLOW}"
    if code in _ABSENT:
        return f"AWS has nothing of this name: {said}. Look at the name, the account, the region."
    return f"AWS answers {code}: {said}."
