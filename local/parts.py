"""The parts of the stack, and their start in order."""

import json
import subprocess
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from local import (
    demo,
    deployment,
    emulator,
    fake_processes,
    page_bundle,
    ports,
    processes,
    seed,
    warm_up,
)
from local.clock import Clock
from local.deployment import Deployment, Emulator
from local.fake_processes import FakeProcess
from local.options import Options
from local.problems import LocalProblem
from local.progress import Progress
from local.reverse_proxy import ReverseProxy, Upstreams
from local.stack import Stack

_ENDS_WITHIN_SECONDS = 20.0

type _Parts = dict[str, subprocess.Popen[bytes]]


def start_all(options: Options, progress: Progress, ending: ExitStack) -> _Parts:
    """Start everything, write stack.json last, and return the processes that must keep running.

    Cleanup goes on `ending`. Raises LocalProblem.
    """
    template = deployment.read_template(options.build_directory)
    modules = fake_processes.modules(options)
    emulator_port, *fake_ports = ports.free_ports_above(options.port, 1 + len(modules))
    aws_url = f"http://127.0.0.1:{emulator_port}"
    options.state_directory.mkdir(parents=True, exist_ok=True)
    clock = Clock(options.clock_file)
    proxy = _start_proxy(options, clock, ending)

    fakes = {
        name: fake_processes.start(options, name, module, port)
        for (name, module), port in zip(modules.items(), fake_ports, strict=True)
    }
    parts = {"ministack": emulator.start(options, emulator_port)}
    parts |= {name: fake.process for name, fake in fakes.items()}
    _end_with_the_stack(options, parts, ending)
    prepared = deployment.prepare(
        template,
        options.build_directory,
        _local_environment(options, fakes),
        options.cache_directory,
    )
    emulator.wait_until_up(aws_url, parts["ministack"], options.log("ministack"))
    emulator.mark_running(options)
    progress.say(f"AWS endpoint at {aws_url}")

    aws = Emulator(aws_url)
    parameters = _parameters(options, template)
    deployed = deployment.deploy(aws, template, prepared, parameters)
    aws.secrets.put_secret_value(SecretId=deployed.secrets_name, SecretString=_secrets(options))
    progress.say(f"deployed {len(deployed.functions)} functions from template.yaml")

    proxy.upstreams = Upstreams(
        emulator_port,
        deployed.api_id,
        deployed.function_url_ids,
        page_bundle.bundle(options.state_directory / "page"),
        fakes["shopify"].url if "shopify" in fakes else "",
    )
    stack = _stack(options, deployed, aws_url, fakes)
    for name, fake in fakes.items():
        fake_processes.wait_until_up(options, name, fake)
    if options.warm_up:
        warm_up.warm_up(aws, stack, template)
        progress.say("every function has been called once")
    refused = _seed(stack)
    progress.say("\n         ".join(refused) or "demo customers have their points")
    stack.write(options.stack_file)
    progress.say(f"my page is at {stack.front_url}/ (facts for tools: {options.stack_file})")
    return parts


def _start_proxy(options: Options, clock: Clock, ending: ExitStack) -> ReverseProxy:
    try:
        proxy = ReverseProxy(options.port, clock)
    except OSError as error:
        raise LocalProblem(
            f"Port {options.port} has just been taken by another process; start again."
        ) from error
    ending.callback(proxy.server_close)
    threading.Thread(target=proxy.serve_forever, daemon=True, name="reverse proxy").start()
    ending.callback(proxy.shutdown)
    return proxy


def _end_with_the_stack(options: Options, parts: _Parts, ending: ExitStack) -> None:
    """Record the processes for `make stop`, and end them with the stack."""
    ours = {name: processes.identify(process.pid) for name, process in parts.items()}

    def end() -> None:
        for name, process in ours.items():
            process.end(_ENDS_WITHIN_SECONDS)
            parts[name].wait()
            processes.end_family(process.pid)

    ending.callback(end)
    processes.write(options.processes_file, [processes.this_process(), *ours.values()])


def _parameters(options: Options, template: dict[str, Any]) -> dict[str, str]:
    """Return the demo shop's values, overridden by the terminal's, then by the laptop's own."""
    return {
        "ShopDomain": demo.SHOP_DOMAIN,
        "ShopifyClientId": demo.SHOPIFY_CLIENT_ID,
        "TillProvider": options.till_provider,
        "AllowedOrigins": options.front_url,
        "LoginUrl": f"{options.front_url}/",
        **demo.PARAMETERS,
        **deployment.parameters_from(template, options.environ),
        "Stage": "local",
        "Architecture": deployment.machine_architecture(),
        "DeletionProtection": "off",
    }


def _local_environment(options: Options, fakes: Mapping[str, FakeProcess]) -> dict[str, str]:
    """Return variables of the stage `local`; settings reject them in any other."""
    addresses = {f"LOCAL_{name.upper()}_URL": one.url for name, one in fakes.items()}
    return {"LOCAL_CLOCK_FILE": str(options.clock_file), **addresses}


def _secrets(options: Options) -> str:
    return json.dumps(
        {
            "client_secret": demo.CLIENT_SECRET,
            "client_secret_previous": demo.CLIENT_SECRET_PREVIOUS,
            "my_page_secret": demo.MY_PAGE_SECRET,
            "till": demo.TILLS.get(options.till_provider, {}),
        }
    )


def _stack(
    options: Options, deployed: Deployment, aws_url: str, fakes: Mapping[str, FakeProcess]
) -> Stack:
    front_url = options.front_url
    urls = {name: fake.url for name, fake in fakes.items()}
    return Stack(
        front_url=front_url,
        api_url=f"{front_url}/api",
        function_urls={name: f"{front_url}/fn/{name}/" for name in deployed.function_url_ids},
        functions=deployed.functions,
        aws_endpoint_url=aws_url,
        aws_region=emulator.REGION,
        table_name=deployed.table_name,
        secrets_name=deployed.secrets_name,
        shop_domain=demo.SHOP_DOMAIN,
        shopify_client_id=demo.SHOPIFY_CLIENT_ID,
        shopify_client_secret=demo.CLIENT_SECRET,
        session_token_secret=demo.CLIENT_SECRET,
        my_page_secret=demo.MY_PAGE_SECRET,
        shopify_stand_in_url=urls.get("shopify"),
        till_stand_in_url=urls.get("till"),
        demo_customers=list(demo.CUSTOMERS),
        demo_staff=list(demo.STAFF),
        build_dir=str(options.build_directory),
        python=str(emulator.python()),
    )


def _seed(stack: Stack) -> list[str]:
    """Seed ledger and till; return why any of the demo customers' points were refused."""
    try:
        refused = list(seed.seed_ledger(stack.function_urls))
        if stack.till_stand_in_url is not None:
            seed.seed_till(stack.till_stand_in_url)
    except OSError as error:
        raise LocalProblem(f"The demo customers could not be seeded: {error}") from error
    return refused
