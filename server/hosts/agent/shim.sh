#!/bin/sh
# vbatch and vrun as a task finds them on its PATH: no interpreter to start and no port to open.
#
# A call is a file calls/ATTEMPT/NAME beside the agent. NAME is taken with O_EXCL and never given back
# while the attempt is known, so ATTEMPT/NAME names this call for ever. The file holds, each ended by
# NUL, the program's name, the working directory, the count of arguments and the arguments; then what
# `export -p` prints; then NUL, `END` and a newline, without which it is torn and nobody's call.
# One line to the agent's FIFO tells of it. Where no agent listens, the next one finds the file (R33).
#
# What comes back are lines on the FIFO NAME.reply:
#
#   stdout FROM TO    the file NAME.stdout.FROM holds bytes FROM to TO of stdout: pass them on
#   stderr FROM TO    the same for stderr
#   CODE =STDOUT =STDERR    the last line: print both texts, escaped for printf's %b, and exit
#
# How far each stream has been passed on is told after each piece, so the server hands over one piece
# at a time, as fast as they are read. A piece that does not begin where this shell has come to is
# only answered with where that is: so a server that takes over goes on at the right byte. Where
# nobody reads (`vrun … | head -1`), that is told too.
#
# A vrun that is told to end by HUP, INT or TERM says so, and goes on: its task is cancelled, and the
# answer comes when that has ended. The file NAME.gone says it to an agent that does not listen yet.
#
# Names begin with _vb_ because any other may be a variable of the environment that is to be told.

_vb_program=${0##*/}

_vb_fail() {
  printf '%s: %s\n' "$_vb_program" "$1" >&2
  exit 1
}

_vb_tell() {
  printf '%s\n' "$1" 1<>"$VBATCH_AGENT/fifo"
}

if [ ! -p "${VBATCH_AGENT-}/fifo" ] || [ -z "${VBATCH_ATTEMPT_KEY-}" ]; then
  _vb_fail 'this is the form for use inside a task, and this shell is in none: its variables VBATCH_AGENT and VBATCH_ATTEMPT_KEY name no running host.'
fi
_vb_key=${VBATCH_ATTEMPT_KEY%%@*}
_vb_calls=$VBATCH_AGENT/calls/$_vb_key

umask 077
[ -d "$_vb_calls" ] || mkdir -p "$_vb_calls" || exit 1
set -C
_vb_try=0
until _vb_name=$$-$_vb_try && _vb_at=$_vb_calls/$_vb_name && { printf '' >"$_vb_at"; } 2>/dev/null; do
  [ -e "$_vb_at" ] || _vb_fail "cannot write in $_vb_calls; is the disk full?"
  _vb_try=$((_vb_try + 1))
done
set +C

mkfifo "$_vb_at.reply" || exit 1
# Opened both ways, because opening a FIFO one way waits for the other side.
exec 3<>"$_vb_at.reply"

{
  printf '%s\0' "$_vb_program" "$PWD" "$#" "$@" && export -p && printf '\0END\n'
} >|"$_vb_at" || _vb_fail "cannot write $_vb_at; is the disk full?"

_vb_leave() {
  trap '' HUP INT TERM
  printf '' >"$_vb_at.gone"
  _vb_tell "gone $_vb_key/$_vb_name"
}
[ "$_vb_program" != vrun ] || trap _vb_leave HUP INT TERM
_vb_tell "call $_vb_key/$_vb_name"

_vb_stdout=0
_vb_stderr=0
while :; do
  # Some shells leave off reading at a signal.
  IFS=' ' read -r _vb_code _vb_from _vb_to <&3 || continue
  case $_vb_code in
  stdout)
    if [ "$_vb_from" -ne "$_vb_stdout" ] || cat "$_vb_at.stdout.$_vb_from" 3<&-; then
      [ "$_vb_from" -ne "$_vb_stdout" ] || _vb_stdout=$_vb_to
      _vb_tell "took $_vb_key/$_vb_name stdout $_vb_stdout"
    else
      _vb_tell "deaf $_vb_key/$_vb_name stdout"
    fi
    ;;
  stderr)
    if [ "$_vb_from" -ne "$_vb_stderr" ] || cat "$_vb_at.stderr.$_vb_from" >&2 3<&-; then
      [ "$_vb_from" -ne "$_vb_stderr" ] || _vb_stderr=$_vb_to
      _vb_tell "took $_vb_key/$_vb_name stderr $_vb_stderr"
    else
      _vb_tell "deaf $_vb_key/$_vb_name stderr"
    fi
    ;;
  *) break ;;
  esac
done
printf %b "${_vb_from#=}"
printf %b "${_vb_to#=}" >&2
exit "$_vb_code"
