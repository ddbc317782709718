#!/bin/sh
# One part of Airflow to a container: api-server, scheduler, dag-processor or triggerer; `init` once.
set -eu

case "${1:-}" in
init)
  # The user and the password of Airflow's page come from the environment file.
  umask 077
  python - "$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE" <<'PYTHON'
import json, os, pathlib, sys
pathlib.Path(sys.argv[1]).write_text(json.dumps({"tessera": os.environ["TESSERA_PASSWORD"]}))
PYTHON
  airflow db migrate
  exec airflow pools set warehouse 1 "one writer at a time on the warehouse"
  ;;
healthy)
  # What a container runs is told by its first process.
  case "$(tr '\0' ' ' </proc/1/cmdline)" in
  *api-server*) exec python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/api/v2/monitor/health')" ;;
  *scheduler*) exec airflow jobs check --job-type SchedulerJob --local ;;
  *dag-processor*) exec airflow jobs check --job-type DagProcessorJob --local ;;
  *triggerer*) exec airflow jobs check --job-type TriggererJob --local ;;
  esac
  ;;
api-server | scheduler | dag-processor | triggerer)
  exec airflow "$@"
  ;;
*)
  exec "$@"
  ;;
esac
