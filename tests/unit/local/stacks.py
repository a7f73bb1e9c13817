"""A stack.json for tests that only read it."""

from local import demo
from local.stack import Stack


def noted_stack(url: str, aws_url: str, *functions: str) -> Stack:
    """What stack.json says: AWS at `aws_url`, these functions and all else at `url`."""
    return Stack(
        front_url=url,
        api_url=url,
        function_urls=dict.fromkeys(functions, url),
        functions={},
        aws_endpoint_url=aws_url,
        aws_region="ap-northeast-1",
        table_name="pointbook-local",
        secrets_name="pointbook-local",
        shop_domain=demo.SHOP_DOMAIN,
        shopify_client_id=demo.SHOPIFY_CLIENT_ID,
        shopify_client_secret=demo.CLIENT_SECRET,
        session_token_secret=demo.CLIENT_SECRET,
        my_page_secret=demo.MY_PAGE_SECRET,
        shopify_stand_in_url=None,
        till_stand_in_url=None,
        demo_customers=[*demo.CUSTOMERS],
        demo_staff=[*demo.STAFF],
        build_dir="",
        python="",
    )
