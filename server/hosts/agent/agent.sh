# The agent: one long-lived shell for each host, which starts attempts and tells of them.
#
# It runs as `SHELL -s` and reads its orders as shell script on stdin. The first one sets the
# variables below and sources this file; each later one is a single call of a function below with
# single-quoted words, inside braces so that one cut short by a dying server does nothing:
#
#   { _vb_start KEY STDIN DIRECTORY ENVIRONMENT PROGRAM COUNT NAME=VALUE… WORD…; }    see attempt.sh
#   { _vb_stop KEY MILLISECONDS; }     end the whole group: TERM, grace, KILL
#   { _vb_hang_up KEY; }               tell all of an attempt that its terminal is gone
#   { _vb_check KEY; }                 tell the attempt's state
#   { _vb_sweep KEY…; }                tell of those only that have come to nothing
#   { _vb_forget KEY…; }               remove all files of these attempts
#   { _vb_gpus; }                      look at who uses the GPUs; see gpus.sh
#   { _vb_beat; }                      the server is still there
#   { _vb_reply CALL LINE; }           hand a line to the shim of a call
#   { _vb_answer CALL LINE; }          hand it the last one, after which the call is over
#   { _vb_input KEY LINE; }            hand a line to the stdin of an attempt; see attempt.sh
#
# The shell's own parser decodes the words, so every byte but NUL passes. What it tells are lines:
#
#   ready MODE              orders are carried out from now on; a new agent has retired the old one
#   unfit                   there is no way to detach an attempt here; the agent ends
#   started KEY             the command runs
#   started KEY terminal    it runs in a terminal, which whoever has started it holds
#   ended KEY WRITTEN KIND CODE TEXT    the command has ended, or was not to be started any more
#     WRITTEN               to what it has written: none, stdout, stderr or both
#     KIND exit             it ran; CODE as the shell's $?
#     KIND directory        the directory TEXT cannot be entered
#     KIND program          the program TEXT cannot be executed: CODE 127 not found, 126 otherwise
#     KIND setup            the setup lines failed with CODE
#     KIND never            stopped before it started
#   stopped KEY WRITTEN KIND CODE TEXT    as `ended`, after a stop: nothing of the attempt is left
#   unable KEY              nothing could be written for this attempt, so its command was not run
#   lost KEY                it was started, its processes are gone, no end was recorded
#   absent KEY              nothing is known of it. The order to start it may still come to effect:
#                           start it again (one of the two takes effect) or stop it
#   call CALL               calls/CALL holds a request of the shim; CALL is KEY/NAME
#   gone CALL               it was told to end by a signal, and waits for its answer
#   answered CALL           it has got its last line, or is not there any more
#   gpus                    the file `gpus` says who uses the GPUs
#   took CALL STREAM OFFSET     it has passed on so many bytes of its stdout or stderr
#   deaf CALL STREAM        nobody reads what it passes on, or it is not there any more
#   took KEY stdin OFFSET   the attempt's stdin has been given so many bytes
#   deaf KEY stdin          nobody reads the attempt's stdin, or it has none
#
# Lines go through the FIFO `fifo`, where attempts, shims and the agent itself write, to the agent's
# stdout by way of a single `cat`: one writer, and each line is shorter than PIPE_BUF, so none is
# torn. A line may be lost with the agent and may come twice; the files are the truth.
#
# How W (see attempt.sh) is started: with `set -m` bash gives a background subshell a process group of
# its own without any terminal, and its children the default signals. dash and busybox ash refuse
# `set -m` without one and make background jobs ignore SIGINT for ever, so there W is a fresh shell
# under a setsid in the foreground that forks by itself: util-linux' with -f, any other by being
# run as the leader of a session already. Where the attempt is to run in a terminal, the server opens
# that, and W is a child of the shell that leads its session.
#
# The agent ends with its stdin, and where it has a lease, also when nothing has been heard of the server
# for that long: a connection may be lost without its host ever knowing. Attempts go on; but the kernel sends SIGHUP to a *stopped* one that
# bash's way leaves in an orphaned group.
#
# From the first order: _vb_root the host's folder, _vb_here the folder of this file, _vb_shell the command
# that runs a fresh shell, _vb_proc where procfs is, _vb_cookie what only our attempts carry, _vb_lease
# the lease in seconds, 0 for none.

umask 077
# What the server was started with is none of the attempts': a lock or a pipe held for ever.
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
. "$_vb_here/attempt.sh"

_vb_look_around

# ---- Processes --------------------------------------------------------------------------------

# Reads process PID: sets _vb_state, _vb_pgrp and _vb_birth, or fails where it is gone or a zombie.
_vb_process() {
  if [ -d "$_vb_proc/self" ]; then
    read -r _vb_line <"$_vb_proc/$1/stat" || return 1
    _vb_fields "$_vb_line"
  else
    _vb_pgrp=$(ps -o pgid= -p "$1") || return 1
    _vb_pgrp=$((_vb_pgrp))
    _vb_state=$(ps -o stat= -p "$1")
    _vb_birth=$(ps -o lstart= -p "$1")
  fi
  case $_vb_state in
  [ZX]*) return 1 ;;
  esac
} 2>/dev/null

# Takes what it needs from a line of /proc/PID/stat. The program's name, in parentheses, may hold
# anything: fields are counted from the last `)`. See proc_pid_stat(5).
_vb_fields() {
  set -- ${1##*) }
  _vb_state=$1
  _vb_pgrp=$3
  _vb_birth=${20}
}

# Reads the identity in FILE (.run, .stop, agent.run): sets _vb_pid, and _vb_alive where that very
# process lives. Fails where the identity is missing or torn.
_vb_identified() {
  _vb_alive=
  read -r _vb_of _vb_line 2>/dev/null <"$1" || return 1
  _vb_pid=${_vb_line%% *}
  # kill takes -1 for every process there is.
  case $_vb_pid in
  '' | 0 | 1 | *[!0-9]*) return 1 ;;
  esac
  if [ -d "$_vb_proc/self" ]; then
    _vb_fields "$_vb_line"
    _vb_born=$_vb_birth
  else
    _vb_born=${_vb_line#* }
  fi
  [ "$_vb_of" = "$_vb_boot" ] || return 0
  if _vb_process "$_vb_pid" && [ "$_vb_birth" = "$_vb_born" ]; then _vb_alive=1; fi
  return 0
}

# Whether the process group of the attempt identified last has a living member. A number is not given
# to a new process while a group bears it, so where W is gone but a group of its number is there
# and has no leader, it is W's.
_vb_grouped() {
  [ "$_vb_of" = "$_vb_boot" ] || return 1
  kill -0 "-$_vb_pid" 2>/dev/null || return 1
  if [ -d "$_vb_proc/self" ]; then
    if [ -z "$_vb_alive" ] && _vb_process "$_vb_pid"; then return 1; fi
    for _vb_stat in "$_vb_proc"/[0-9]*/stat; do
      read -r _vb_line 2>/dev/null <"$_vb_stat" || continue
      _vb_fields "$_vb_line"
      case $_vb_state in
      [ZX]*) ;;
      *) [ "$_vb_pgrp" != "$_vb_pid" ] || return 0 ;;
      esac
    done
  else
    ps -A -o pgid= -o stat= | while read -r _vb_pgrp _vb_state; do
      case "$_vb_pgrp $_vb_state" in
      "$_vb_pid "[!ZX]*) exit 3 ;;
      esac
    done
    [ $? -ne 3 ] || return 0
  fi
  return 1
}

# Prints the processes that carry the cookie of attempt KEY, in whatever group or session they are.
# No -F: with that, busybox grep sees nothing after the first NUL of a file.
_vb_strays() {
  grep -lsE -e "VBATCH_ATTEMPT_KEY=${1%.*}[.]${1#*.}@$_vb_cookie" "$_vb_proc"/[0-9]*/environ | while read -r _vb_file; do
    _vb_file=${_vb_file#"$_vb_proc"/}
    printf '%s\n' "${_vb_file%%/*}"
  done
}

# ---- Orders -----------------------------------------------------------------------------------

# With a second word it is the second look at an attempt whose claim was torn.
_vb_check() {
  _vb_files "$1"
  if [ -e "$_vb_at.stop" ]; then
    # The process that stops it tells the end. Where that has died, another takes over.
    if _vb_identified "$_vb_at.stop" && [ -n "$_vb_alive" ]; then return; fi
    { read -r _vb_line && read -r _vb_grace; } <"$_vb_at.stop" || _vb_grace=0
    _vb_stop "$1" "$_vb_grace"
  elif _vb_recorded; then
    if _vb_felled; then _vb_tell "lost $1"; else _vb_tell_end ended "$1"; fi
  elif [ ! -e "$_vb_at.run" ]; then
    _vb_tell "absent $1"
  elif ! _vb_identified "$_vb_at.run"; then
    if [ "$#" -lt 2 ]; then
      # W may be about to write it.
      (sleep 1 && _vb_check "$1" again) </dev/null >/dev/null 2>&1 &
    elif _vb_rule_out || ! _vb_identified "$_vb_at.run"; then
      _vb_tell "lost $1"
    else
      _vb_check "$1"
    fi
  elif [ -n "$_vb_alive" ] || _vb_grouped; then
    _vb_tell_started "$1"
  elif _vb_recorded; then
    _vb_tell_end ended "$1"
  else
    _vb_tell "lost $1"
  fi
}

# Whether the attempt whose end was recorded was ended with its machine: who shuts down sends these.
_vb_felled() {
  case $_vb_end in
  'exit 129 '* | 'exit 137 '* | 'exit 143 '*) _vb_identified "$_vb_at.run" && [ "$_vb_of" != "$_vb_boot" ] ;;
  *) return 1 ;;
  esac
}

# Makes sure that no W commits this attempt, or fails because one has.
_vb_rule_out() {
  (set -C && printf '' >"$_vb_at.out") 2>/dev/null
}

_vb_sweep() {
  for _vb_key; do
    _vb_files "$_vb_key"
    if _vb_identified "$_vb_at.run" && [ -n "$_vb_alive" ]; then continue; fi
    _vb_check "$_vb_key"
  done
}

_vb_forget() {
  (
    for _vb_key; do
      _vb_files "$_vb_key"
      shift
      set -- "$@" "$_vb_at".* "$_vb_root/calls/$_vb_key"
    done
    exec rm -rf "$@"
  ) </dev/null >/dev/null 2>&1 &
}

_vb_stop() {
  (_vb_stopping "$1" "$2") </dev/null >/dev/null 2>&1 &
}

_vb_stopping() {
  _vb_files "$1"
  [ -d "$_vb_root/tasks/$_vb_bucket" ] || mkdir -p "$_vb_root/tasks/$_vb_bucket"
  _vb_self
  printf '%s %s\n%s\n' "$_vb_boot" "$_vb_identity" "$2" >|"$_vb_at.stop"
  if ! _vb_recorded && _vb_rule_out; then _vb_record never 125 ''; fi
  _vb_pid=
  if _vb_identified "$_vb_at.run"; then
    _vb_waited=0
    _vb_signal TERM "$1"
    # A shell at a terminal ends by nothing less.
    [ ! -e "$_vb_at.tty" ] || _vb_signal_strays HUP "$1"
    _vb_signal CONT "$1"
    _vb_pause=20
    while _vb_left "$1"; do
      _vb_sleep
      if [ "$_vb_waited" -ge "$2" ]; then _vb_signal KILL "$1"; fi
    done
  fi
  # A group that was killed has taken W along.
  _vb_recorded || until _vb_record exit 137 ''; do _vb_patience; done
  _vb_recorded
  rm -f "$_vb_at.stop"
  _vb_tell_end stopped "$1"
}

_vb_hang_up() {
  (
    _vb_files "$1"
    if _vb_identified "$_vb_at.run"; then
      _vb_signal HUP "$1"
      _vb_signal CONT "$1"
    fi
  ) </dev/null >/dev/null 2>&1 &
}

_vb_left() {
  _vb_identified "$_vb_at.run"
  _vb_grouped || [ -n "$(_vb_strays "$1")" ]
}

_vb_signal() {
  if _vb_grouped; then kill "-$1" "-$_vb_pid" 2>/dev/null; fi
  _vb_signal_strays "$1" "$2"
}

_vb_signal_strays() {
  for _vb_stray in $(_vb_strays "$2"); do kill "-$1" "$_vb_stray" 2>/dev/null; done
}

# Pauses ever longer, from 20 ms to half a second; whole seconds where sleep takes no fractions.
_vb_sleep() {
  if sleep "0.$(printf '%03d' "$_vb_pause")" 2>/dev/null; then
    _vb_waited=$((_vb_waited + _vb_pause))
    _vb_pause=$((_vb_pause * 3 / 2))
    [ "$_vb_pause" -le 500 ] || _vb_pause=500
  else
    sleep 1
    _vb_waited=$((_vb_waited + 1000))
  fi
}

# Gives the FIFO FILE a line, or fails. O_RDWR never blocks for want of a reader, and whoever sends
# waits for a sign of the line before, so none blocks for want of room.
_vb_hand() {
  [ -p "$1" ] && printf '%s\n' "$2" 1<>"$1"
}

_vb_reply() {
  _vb_hand "$_vb_root/calls/$1.reply" "$2" || _vb_tell "deaf $1 ${2%% *}"
}

# The name stays taken for as long as the attempt is known; empty, it is no call any more.
_vb_answer() {
  if _vb_hand "$_vb_root/calls/$1.reply" "$2"; then printf '' >|"$_vb_root/calls/$1"; fi
  _vb_tell "answered $1"
}

_vb_input() {
  _vb_files "$1"
  _vb_hand "$_vb_at.in" "$2" || _vb_tell "deaf $1 stdin"
}

# In the background, because a driver may hang.
_vb_gpus() {
  # Lets go of the look before.
  jobs >/dev/null 2>&1
  (. "$_vb_here/gpus.sh") </dev/null >/dev/null 2>&1 &
}

_vb_beat() {
  printf '' >|"$_vb_root/beat"
}

# ---- Start ------------------------------------------------------------------------------------

# Ends the agent that was here before, if it is still here, and waits until it is gone: its orders
# must not take effect after this one has told what there is.
_vb_retire() {
  if _vb_identified "$_vb_root/guard.run" && [ -n "$_vb_alive" ]; then kill -TERM "$_vb_pid" 2>/dev/null; fi
  for _vb_file in "$_vb_root"/agent.run "$_vb_root"/cat.run; do
    while _vb_identified "$_vb_file" && [ -n "$_vb_alive" ]; do
      kill -KILL "$_vb_pid" 2>/dev/null
      sleep 0.01 2>/dev/null || sleep 1
    done
  done
}

# Ends the agent once its lease is over.
_vb_guard() {
  trap 'kill "$_vb_nap"; exit' TERM
  while :; do
    sleep "$_vb_lease" &
    _vb_nap=$!
    wait "$_vb_nap"
    [ -e "$_vb_root/beat" ] || break
    rm -f "$_vb_root/beat"
  done
  if _vb_identified "$_vb_root/agent.run" && [ "$_vb_pid" = "$$" ]; then kill -KILL "$_vb_cat" "$$"; fi
}

_vb_note() {
  read -r _vb_line 2>/dev/null <"$_vb_proc/$2/stat" || _vb_line="$2 $(ps -o lstart= -p "$2")"
  printf '%s %s\n' "$_vb_boot" "$_vb_line" >|"$_vb_root/$1.run"
}

_vb_quit() {
  exec 2>/dev/null
  [ -z "$_vb_guarded" ] || kill "$_vb_guarded"
  kill "$_vb_cat"
  wait "$_vb_cat"
}

# The ways to start W, the cheapest first.
_vb_starts=0
if [ -n "${BASH_VERSION-}" ] && set -m; then
  _vb_mode=bash
  _vb_start() {
    # Without this the table of jobs, and the zombies, would grow.
    _vb_starts=$((_vb_starts + 1))
    [ $((_vb_starts % 16)) -ne 0 ] || jobs >/dev/null 2>&1
    (_vb_attempt "$@") </dev/null 2>/dev/null &
  }
else
  _vb_mode=
  if setsid -f $_vb_shell -c : 2>/dev/null; then
    _vb_mode='setsid -f'
  elif setsid setsid $_vb_shell -c : 2>/dev/null; then
    _vb_mode='setsid setsid'
  fi
  _vb_start() {
    $_vb_mode $_vb_shell "$_vb_here/attempt.sh" "$_vb_root" "$_vb_proc" "$_vb_boot" "$_vb_exec" "$@" \
      </dev/null 2>/dev/null
  }
fi
if [ -z "$_vb_mode" ]; then
  printf 'unfit\n'
  exit 1
fi

_vb_retire
[ -p "$_vb_root/fifo" ] || {
  rm -f "$_vb_root/fifo"
  mkfifo "$_vb_root/fifo"
}
# Opened here, not in the child: what is written before anybody holds the FIFO is lost.
exec 3<>"$_vb_root/fifo"
cat <&3 3<&- 2>/dev/null &
_vb_cat=$!
exec 3<&-
trap _vb_quit EXIT
# Nothing but cat holds the agent's stdout.
exec >/dev/null
_vb_self 2>/dev/null
printf '%s %s\n' "$_vb_boot" "$_vb_identity" >|"$_vb_root/agent.run"
_vb_note cat "$_vb_cat"
_vb_guarded=
if [ "$_vb_lease" -gt 0 ]; then
  _vb_beat
  _vb_guard </dev/null >/dev/null 2>&1 &
  _vb_guarded=$!
  _vb_note guard "$_vb_guarded"
fi

_vb_tell "ready $_vb_mode"

# Calls that were made while nobody listened, oldest first (R33). One that is answered is empty.
if cd "$_vb_root/calls" 2>/dev/null; then
  find . -type f ! -name '*.*' -size +0c -exec ls -tr {} + | while read -r _vb_file; do
    _vb_tell "call ${_vb_file#./}"
    [ ! -e "$_vb_file.gone" ] || _vb_tell "gone ${_vb_file#./}"
  done
  cd /
fi
