#!/bin/sh
# Copies the primary, the first time, and starts a standby of it. A standby that was promoted starts as what it is.
# Usage: follow-primary.sh PRIMARY NAME COMMAND...
set -eu
primary=$1
name=$2
shift 2

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # Written into the standby's settings with the rest.
  export PGPASSWORD="$POSTGRES_PASSWORD"
  until pg_basebackup -D "$PGDATA" -R -X stream -c fast -d "host=$primary user=$POSTGRES_USER application_name=$name"; do
    find "$PGDATA" -mindepth 1 -delete
    sleep 1
  done
  unset PGPASSWORD
  chmod 0700 "$PGDATA"
  # The image's own start takes the files for its user.
fi
exec "$@"
