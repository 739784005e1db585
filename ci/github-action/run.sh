#!/usr/bin/env bash
# Run permcheck as the inputs of the action say: bash run.sh PERMCHECK. Ends with its exit code.
set -uo pipefail
program=$1

case $COMMAND in
  validate | lint | test) ;;
  *) echo "::error::command must be validate, lint or test" && exit 2 ;;
esac
case ${OUTPUT##*.} in
  sarif) kind=sarif ;;
  xml) kind=junit ;;
  md) kind=markdown ;;
  *) kind=json ;;
esac

if [[ -n ${AGAINST:-} && $COMMAND != lint ]]; then
  echo "::error::against is for lint" && exit 2
fi

arguments=()
[[ -n ${AGAINST:-} ]] && arguments+=("--against=$AGAINST")
while IFS= read -r line; do [[ -n $line ]] && arguments+=("$line"); done <<<"$OPTIONS"
arguments+=(--)
while IFS= read -r line; do [[ -n $line ]] && arguments+=("$line"); done <<<"$PATHS"

# Expected decisions have no annotations: their report is text, and names in it must not be taken for commands.
[[ $COMMAND == test && $FORMAT == github ]] && FORMAT=text
guard=$RANDOM$RANDOM$RANDOM
[[ $FORMAT == github ]] || echo "::stop-commands::$guard"
"$program" "$COMMAND" --format "$FORMAT" "${arguments[@]}"
code=$?
[[ $FORMAT == github ]] || echo "::$guard::"
[[ -n $OUTPUT ]] && "$program" "$COMMAND" --format "$kind" "${arguments[@]}" >"$OUTPUT"
echo "code=$code" >>"${GITHUB_OUTPUT:-/dev/null}"
exit "$code"
