#!/bin/sh
# vbatch and vrun as a task finds them on its PATH: no interpreter to start and no port to open.
#
# A call is a file calls/ATTEMPT/NAME beside the agent. NAME is taken with O_EXCL and never given back
# while the attempt is known, so ATTEMPT/NAME names this call for ever. The file holds, each ended by
# NUL, the program's name, the working directory, the count of arguments and the arguments; then what
# `export -p` prints; then NUL, `END` and a newline, without which it is torn and nobody's call.
# One line to the agent's FIFO tells of it. Where no agent listens, the next one finds the file (R33).
#
# The answer is one line on NAME.reply: CODE =STDOUT =STDERR, both texts escaped for printf's %b.
# vrun and vbatch -f also get streams, NAME.out and NAME.err, which run from the server to a cat each. This shell
# keeps a write end of either until it has its answer: a server that dies and comes back goes on
# writing where it left off. It keeps no read end: where a cat has died (`vrun … | head -1`), the
# server sees that nobody reads.
#
# Names begin with _vb_ because any other may be a variable of the environment that is to be told.

_vb_program=${0##*/}

_vb_fail() {
  printf '%s: %s\n' "$_vb_program" "$1" >&2
  exit 1
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

# Whether the output of the task may be passed on: by vrun, and by vbatch -f. Who looks for -f among the
# words of the command as well errs towards two FIFOs too many.
_vb_follow=
case $_vb_program in
vrun) _vb_follow=1 ;;
*)
  for _vb_word; do
    case $_vb_word in
    --follow | -[!-]*f* | -f*) _vb_follow=1 ;;
    esac
  done
  ;;
esac

# Opened both ways first, because opening a FIFO one way waits for the other side.
if [ -n "$_vb_follow" ]; then
  mkfifo "$_vb_at.reply" "$_vb_at.out" "$_vb_at.err" || exit 1
  exec 4<>"$_vb_at.out" 5<>"$_vb_at.err"
  exec 6<"$_vb_at.out" 7<"$_vb_at.err" 8>"$_vb_at.out" 9>"$_vb_at.err"
  exec 4<&- 5<&-
  cat <&6 7<&- 8>&- 9>&- &
  cat <&7 >&2 6<&- 8>&- 9>&- &
  exec 6<&- 7<&-
else
  mkfifo "$_vb_at.reply" || exit 1
fi
exec 3<>"$_vb_at.reply"

{
  printf '%s\0' "$_vb_program" "$PWD" "$#" "$@" && export -p && printf '\0END\n'
} >|"$_vb_at" || _vb_fail "cannot write $_vb_at; is the disk full?"
printf 'call %s/%s\n' "$_vb_key" "$_vb_name" 1<>"$VBATCH_AGENT/fifo"

IFS=' ' read -r _vb_code _vb_stdout _vb_stderr <&3
if [ -n "$_vb_follow" ]; then
  exec 8>&- 9>&-
  wait
fi
printf %b "${_vb_stdout#=}"
printf %b "${_vb_stderr#=}" >&2
exit "$_vb_code"
