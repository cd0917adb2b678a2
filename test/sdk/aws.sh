# aws WORD… is the aws CLI: a start of the program $AWS or, when aws.py runs the
# script, a call of the same code in a process that has it loaded: one at a time,
# without input, and without what the script exported.
AWS=${AWS:-aws}
aws() {
  if [ -z "${AWS_CALL:-}" ]; then command "$AWS" "$@"; return; fi
  local ask answer code out
  read -r ask answer <<< "$AWS_CALL"
  exec {out}>&1 # while printf writes, 1 is the pipe
  printf '%s\0' $(($# + 2)) "$BASHPID" "$out" "$@" >&"$ask"
  read -r code <&"$answer"
  exec {out}>&-
  return "$code"
}
