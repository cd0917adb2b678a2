# aws WORD… is the aws CLI: a start of the program $AWS or, when aws.py runs the
# script, a call of the same code in a process that has it loaded.
AWS=${AWS:-aws}
aws() {
  if [ -z "${AWS_CALL:-}" ]; then command "$AWS" "$@"; return; fi
  local ask answer code
  read -r ask answer <<< "$AWS_CALL"
  printf '%s\0' $(($# + 1)) "$BASHPID" "$@" >&"$ask"
  read -r code <&"$answer"
  return "$code"
}
