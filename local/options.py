"""Options of a run, read from the environment that make passes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local import demo
from local.problems import LocalProblem

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

_PORT_MAX = 65_500
_OFF = frozenset({"", "0", "no", "false", "off"})


@dataclass(frozen=True, slots=True)
class Options:
    """One run of the stack.

    `port` is the reverse proxy's; the other parts take the free ports above it. `directory` has the
    state, the logs and stack.json. `fresh` deletes the state first. With `warm_up` no first
    request waits for a cold start; without it the stack is there sooner. `environ` may set template
    parameters (HoldSeconds as HOLD_SECONDS).
    """

    port: int
    detach: bool
    fresh: bool
    warm_up: bool
    directory: Path
    build_directory: Path
    environ: Mapping[str, str]

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read PORT, DETACH, FRESH, WARM_UP and the two directories. Raises LocalProblem."""
        return cls(
            port=_port(environ.get("PORT", "8080")),
            detach=environ.get("DETACH", "").lower() not in _OFF,
            fresh=environ.get("FRESH", "").lower() not in _OFF,
            warm_up=environ.get("WARM_UP", "yes").lower() not in _OFF,
            directory=ROOT / environ.get("LOCAL_DIRECTORY", ".local"),
            build_directory=ROOT / environ.get("BUILD_DIRECTORY", ".aws-sam/build"),
            environ=environ,
        )

    @property
    def state_directory(self) -> Path:
        """State that outlives a clean stop: the emulator's and the clock."""
        return self.directory / "state"

    @property
    def clock_file(self) -> Path:
        """The file of the functions' clock; see local/clock.py."""
        return self.state_directory / "clock.json"

    @property
    def cache_directory(self) -> Path:
        """A cache of zip files and expanded templates; may be deleted at any time."""
        return self.directory / "artifacts"

    @property
    def shops(self) -> list[str]:
        """The shops that the stack serves, the main one first; SHOP_DOMAIN names others."""
        return (self.environ.get("SHOP_DOMAIN") or demo.SHOP_DOMAIN).split(",")

    @property
    def till_provider(self) -> str:
        """The provider of the till whose fake is started; `none` starts none."""
        return self.environ.get("TILL_PROVIDER") or "smaregi"

    @property
    def front_url(self) -> str:
        """The URL of the reverse proxy, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def stack_file(self) -> Path:
        """stack.json, which describes the running stack to tools and tests."""
        return self.directory / "stack.json"

    @property
    def processes_file(self) -> Path:
        """The processes of the running stack."""
        return self.directory / "processes.json"

    def log(self, part: str) -> Path:
        """The log file of a part of the stack."""
        return self.directory / f"{part}.log"


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1024 <= int(text) <= _PORT_MAX:
        raise LocalProblem(f"PORT is {text!r}; give a number from 1024 to {_PORT_MAX}.")
    return int(text)
