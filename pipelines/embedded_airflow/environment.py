"""How the embedded Airflow is set up: everything by environment, nothing of the user's own."""

from __future__ import annotations

import json
import os
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.home import Home
from pipelines.settings import Settings
from pipelines.sources import codes
from pipelines.sources.faults import SourceError

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"
PLUGINS = Path(__file__).parent / "plugins"
USER = "tessera"
POOL = "warehouse"
ACCOUNT = re.compile(r"[A-Za-z0-9._@-]+").fullmatch
"""What Airflow's list of users can hold: no comma and no colon."""


WORDS_OF_A_DECISION = ("rationale", "dissent", "action_1", "action_2", "action_3")
"""Fields of Airflow's form whose words its audit log, which outlives a run, is not to keep."""


@dataclass(frozen=True)
class Secrets:
    """What the parts of Airflow sign and encrypt with, made once for a home."""

    fernet_key: str
    jwt_secret: str
    session_key: str
    password: str

    @classmethod
    def new(cls) -> Secrets:
        """Make fresh secrets."""
        return cls(
            fernet_key=urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            jwt_secret=secrets.token_urlsafe(48),
            session_key=secrets.token_urlsafe(48),
            password=secrets.token_urlsafe(12),
        )

    @classmethod
    def of(cls, home: Home) -> Secrets:
        """Return the secrets of a home; make them at first use."""
        path = home.airflow / "secrets.json"
        if not path.exists():
            made = cls.new()
            write_private(passwords(home), json.dumps({USER: made.password}))
            write_private(path, json.dumps(asdict(made)))
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def passwords(home: Home) -> Path:
    """Return where Airflow reads who may sign in."""
    return home.airflow / "passwords.json"


def logs(home: Home) -> Path:
    """Return where Airflow's parts and tasks write their logs."""
    return home.airflow / "logs"


def working_folder(home: Home) -> Path:
    """Return the folder that all its processes work in, and by which they are known."""
    return home.airflow / ".parts"


def environment(home: Home, port: int) -> dict[str, str]:
    """Return the environment of every part of the embedded Airflow of a home."""
    secret = Secrets.of(home)
    airflow = {
        "CORE__DAGS_FOLDER": DAGS,
        "CORE__PLUGINS_FOLDER": PLUGINS,
        "CORE__LOAD_EXAMPLES": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": min(4, max(2, os.cpu_count() or 2)),
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "CORE__DEFAULT_TASK_RETRY_DELAY": 15,
        "CORE__SENSITIVE_VAR_CONN_NAMES": ",".join(WORDS_OF_A_DECISION),
        "CORE__FERNET_KEY": secret.fernet_key,
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join([f"{USER}:admin", *_people()]),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": passwords(home),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home.airflow / 'airflow.db'}?timeout=60",
        "DATABASE__LOAD_DEFAULT_CONNECTIONS": False,
        "API__HOST": "127.0.0.1",
        "API__PORT": port,
        "API__BASE_URL": f"http://127.0.0.1:{port}",
        "API__WORKERS": 1,
        "API__SECRET_KEY": secret.session_key,
        "API_AUTH__JWT_SECRET": secret.jwt_secret,
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.2,
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 30,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 60,
        "SCHEDULER__ENABLE_HEALTH_CHECK": False,
        "LOGGING__BASE_LOG_FOLDER": logs(home),
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": logs(home) / "dag_processor",
        "USAGE_DATA_COLLECTION__ENABLED": False,
    }
    own = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__")}
    return own | {
        "AIRFLOW_HOME": str(home.airflow),
        **{f"AIRFLOW__{key}": str(value) for key, value in airflow.items()},
        **_site(),
        "TESSERA_HOME": str(home.root),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        "NO_PROXY": ",".join(filter(None, ["127.0.0.1", os.environ.get("NO_PROXY")])),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def _people() -> list[str]:
    """Return the accounts of people who may release packs, as the site's code list names them.

    Airflow makes each a password at its start, and writes it into the file of passwords.
    """
    try:
        listed = codes.load(Settings())["airflow_user"]["airflow_user"].unique().sort()
    except SourceError:
        return []  # whatever reads a source says what is wrong with the lists
    return [f"{account}:user" for account in listed if account != USER and ACCOUNT(account)]


def _site() -> dict[str, str]:
    site = os.environ.get("TESSERA_SITE")
    return {"TESSERA_SITE": str(Path(site).resolve())} if site else {}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, also while it is being written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.touch(mode=0o600)
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
