"""The services that functions use, in MiniStack."""

from typing import Any

from botocore.session import Session

from tests.artifacts.built import ALL_QUEUES
from tests.support.engine import REGION, connected
from tests.support.table import table_request

TABLE = "ledger"
SECRET = "pointbook-secret"
TOKEN_KEY = "alias/pointbook-tokens"
BUCKETS = {
    "PrivacyBucket": "privacy",
    "HeadsBucket": "heads",
    "StatementsBucket": "statements",
    "ImportsBucket": "imports",
}
SERVICES = "dynamodb,kms,s3,secretsmanager,sns,sqs"


class Cloud:
    """A table, the queues of webhooks, a key, two buckets, a topic and, if wanted, a secret."""

    def __init__(self, url: str) -> None:
        """Make them all in the MiniStack at `url`."""
        self.url = url
        self.dynamodb = connected(url)
        self.resolved = {
            "LedgerTable": TABLE,
            "AppSecret": SECRET,
            "TokenKeyAlias": TOKEN_KEY,
            **BUCKETS,
            "OperatorTopic": self._client("sns").create_topic(Name="operator")["TopicArn"],
            **self._make_queues(),
        }
        """What a reference to a resource of the template becomes."""
        where = {"LocationConstraint": REGION}
        for bucket in BUCKETS.values():
            self._client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        key = self._client("kms").create_key()["KeyMetadata"]["KeyId"]
        self._client("kms").create_alias(AliasName=TOKEN_KEY, TargetKeyId=key)

    def empty_table(self) -> None:
        """Make the table anew."""
        if TABLE in self.dynamodb.list_tables()["TableNames"]:
            self.dynamodb.delete_table(TableName=TABLE)
        self.dynamodb.create_table(**table_request(TABLE))

    def keep_secret(self, text: str) -> None:
        """Put the secret there."""
        self._client("secretsmanager").create_secret(Name=SECRET, SecretString=text)

    def _make_queues(self) -> dict[str, str]:
        sqs = self._client("sqs")
        return {
            f"{name}Queue": sqs.create_queue(QueueName=queue)["QueueUrl"]
            for queue, name in ALL_QUEUES.items()
        }

    def _client(self, service: str) -> Any:
        return Session().create_client(service, region_name=REGION, endpoint_url=self.url)
