#!/usr/bin/env bash
# Stands in for npm, gh and our own long scripts in the project's workflows: writes down how it was called, and fails
# where ICR_LOGIN_FAILS says so.
call="$(basename "$0") $*"
printf '%s\n' "$call" >>"$ICR_LOGIN_CALLS"
[ "$call" != "${ICR_LOGIN_FAILS:-}" ]
