# One attempt: the wrapper W around one execution of a task's command.
#
# W is a subshell of the agent (bash, whose `set -m` gives it a process group of its own), a fresh shell
# started by setsid, or one in a terminal; see "How W is started" in agent.sh. It leads the attempt's
# process group, runs the command as its only child, in the foreground, and outlives the agent and
# the server: what it leaves in files is the truth, what it tells through the FIFO only a hint.
#
# Forks are what an attempt costs. The path of a command that runs and ends takes two (W and the
# command) and one exec; everything else on it is a builtin. Only failures may fork more.
#
# Files of an attempt, under tasks/BUCKET/KEY (BUCKET is the task's number / 1000):
#   .run   line 1: this life of the machine and /proc/PID/stat of W, as W read it; after the last NUL: `export -p` of
#          the environment with which the command started, the baseline for nested calls (R34)
#   .out   stdout. Creating it (O_EXCL) is the commit: whoever creates it decides whether the
#          command runs. W does so last; an agent that must rule a start out does so first.
#   .err   stderr
#   .exit  one line `KIND CODE TEXT`, complete if it ends in a newline
#   .in    where the attempt has a stdin: the FIFO of what is to be typed, one line each
#            FROM TO =TEXT   the bytes from one offset to the other, escaped for printf's %b
#            . . .           the end, wherever that is
#          Bytes that do not begin where the last ones ended are only answered with where that is.
#   .pipe  what leads from there to the command
#   .tty   there where the attempt runs in a terminal, which is its stdin, stdout and stderr: .out is
#          empty then, and the server keeps what is shown
#   .stop  while a stop is under way: identity of who does it, as in .run; then the grace in
#          milliseconds. W does not tell the end then, because that is not yet the end of all
#
# At most once (R32): W first creates .run with O_EXCL and puts its identity there, then commits by
# creating .out with O_EXCL. A second start of the same key fails at the first, a start that an
# agent has ruled out at the second. Nothing but a committed W runs the command.
#
# Every variable is named _vb_… because an environment may hold any other name, and none is
# exported. W never reads an environment itself: its child does, just before the command.

# Where the files of attempt KEY begin: sets _vb_at.
_vb_files() {
  _vb_bucket=$((${1%%.*} / 1000))
  _vb_at=$_vb_root/tasks/$_vb_bucket/$1
}

# Hands one line to whoever listens. O_RDWR never blocks for want of a reader, and a line shorter
# than PIPE_BUF is never mixed with another.
_vb_tell() {
  printf '%s\n' "$1" 1<>"$_vb_root/fifo"
}

# Tells that attempt KEY, whose files _vb_at names, runs.
_vb_tell_started() {
  if [ -e "$_vb_at.tty" ]; then _vb_tell "started $1 terminal"; else _vb_tell "started $1"; fi
}

# Tells the end in _vb_end of the attempt whose files _vb_at names: `ended` or `stopped`, and KEY.
_vb_tell_end() {
  _vb_written=none
  if [ -s "$_vb_at.out" ]; then
    _vb_written=stdout
    [ ! -s "$_vb_at.err" ] || _vb_written=both
  elif [ -s "$_vb_at.err" ]; then
    _vb_written=stderr
  fi
  _vb_tell "$1 $2 $_vb_written $_vb_end"
}

# Records how the attempt ended: KIND CODE TEXT. Text that a single short line cannot carry is left out.
_vb_record() {
  case $3 in
  *"$_vb_newline"*) set -- "$1" "$2" '' ;;
  esac
  [ "${#3}" -le 300 ] || set -- "$1" "$2" ''
  printf '%s %s %s\n' "$1" "$2" "$3" >|"$_vb_at.exit"
}
_vb_newline='
'

_vb_patience() {
  [ -p "$_vb_root/fifo" ] || exit
  sleep 1
}

# Reads a complete record into _vb_end, or fails.
_vb_recorded() {
  read -r _vb_end 2>/dev/null <"$_vb_at.exit"
}

# Runs in W: KEY STDIN DIRECTORY ENVIRONMENT PROGRAM COUNT NAME=VALUE… WORD…
# STDIN is `empty`, `open`, or `terminal` where W itself was started in one. ENVIRONMENT is a file to source. The COUNT assignments come on top of it.
# WORD… is executed; PROGRAM is the one of them to look for beforehand.
_vb_attempt() {
  _vb_key=$1
  _vb_files "$1"
  [ -d "$_vb_root/tasks/$_vb_bucket" ] || mkdir -p "$_vb_root/tasks/$_vb_bucket"
  _vb_stdin=$2
  if [ "$_vb_stdin" = open ]; then
    # Made and held before anybody can take this attempt for one that runs and type into it: what is
    # written to a FIFO that nobody holds is lost.
    mkfifo "$_vb_at.in" "$_vb_at.pipe"
    if [ -p "$_vb_at.in" ] && [ -p "$_vb_at.pipe" ]; then exec 4<>"$_vb_at.in"; else _vb_stdin=empty; fi
  fi
  [ "$_vb_stdin" != terminal ] || printf '' >"$_vb_at.tty"
  [ "$_vb_stdin" = terminal ] || _vb_self
  set -C
  _vb_mine=
  # The group's body runs only if the redirection has created the file.
  { _vb_mine=1 && printf '%s %s\n' "$_vb_boot" "$_vb_identity"; } >"$_vb_at.run" || {
    [ -z "$_vb_mine" ] && [ -e "$_vb_at.run" ] || _vb_tell "unable $_vb_key"
    exit
  }
  printf '' >"$_vb_at.out" || {
    [ -e "$_vb_at.out" ] || _vb_tell "unable $_vb_key"
    exit
  }
  set +C
  # Caught, not ignored, so that the command starts with the defaults: a signal to the whole group
  # ends the command but not W, which has the end still to record.
  trap : HUP INT QUIT PIPE ALRM TERM USR1 USR2
  _vb_tell_started "$_vb_key"
  shift 2
  # Appending, so that a command that truncates /dev/stdout leaves no hole. W's own stdin and stderr
  # are /dev/null: a shell's notice that its child was killed is none of the task's output.
  if [ "$_vb_stdin" = open ]; then
    # As long as W holds .in its reader waits for more, so that one ends with W, whatever ends W. The
    # braces keep dash from saving what is closed for it, as it does for a function. A signal to the whole
    # group is for the command, which may read on; it starts when .pipe has been opened from both sides.
    {
      trap '' HUP INT QUIT PIPE ALRM TERM USR1 USR2
      { _vb_type; } <"$_vb_at.in" >"$_vb_at.pipe"
    } 4<&- &
    _vb_typist=$!
    (_vb_command "$@") <"$_vb_at.pipe" >>"$_vb_at.out" 4<&-
    _vb_code=$?
    # How much the command was given is told before its end is.
    exec 4<&-
    wait "$_vb_typist"
    rm -f "$_vb_at.in" "$_vb_at.pipe"
  elif [ "$_vb_stdin" = terminal ]; then
    (_vb_command "$@")
    _vb_code=$?
  else
    (_vb_command "$@") >>"$_vb_at.out"
    _vb_code=$?
  fi
  if [ "$_vb_code" -gt 0 ] && [ "$_vb_code" -le 128 ] && [ "$_vb_stdin" != terminal ] &&
    [ ! -e "$_vb_at.err" ] && [ ! -e "$_vb_at.exit" ]; then
    # It could not even create its stderr.
    _vb_tell "unable $_vb_key"
    exit
  fi
  # The child has recorded an end itself where the command did not get to run.
  _vb_recorded || {
    _vb_end="exit $_vb_code "
    # A full disk makes this fail. The end is known only here, so W stays until it is written, unless
    # the whole folder has been removed.
    until printf '%s\n' "$_vb_end" >|"$_vb_at.exit"; do _vb_patience; done
  }
  # These may be the signals of a machine that is shut down, which is no end of the command's own. In a
  # moment this process and the agent will be gone too, and the next agent sees what it was.
  case $_vb_end in
  'exit 129 '* | 'exit 137 '* | 'exit 143 '*) [ -e "$_vb_at.stop" ] || sleep 0.5 2>/dev/null || sleep 1 ;;
  esac
  [ -e "$_vb_at.stop" ] || _vb_tell_end ended "$_vb_key"
}

# Runs in a fresh shell that leads a terminal's session: as _vb_attempt, with `terminal` for STDIN. W is a
# subshell of it and in its group, whose identity .run has. When the terminal is hung up the kernel sends
# SIGHUP to this leader alone, and to what is in the foreground when that has ended: so it does end.
_vb_terminal() {
  exec 2>/dev/null
  _vb_look_around
  _vb_self
  trap : INT QUIT PIPE ALRM TERM USR1 USR2
  (_vb_attempt "$@")
  exit
}

# Writes what comes from .in on stdin to stdout, until the end comes or nobody reads.
_vb_type() {
  _vb_typed=0
  while IFS=' ' read -r _vb_from _vb_to _vb_text; do
    [ "$_vb_text" != . ] || break
    if [ "$_vb_from" -eq "$_vb_typed" ]; then
      printf %b "${_vb_text#=}" || break
      _vb_typed=$_vb_to
    fi
    _vb_tell "took $_vb_key stdin $_vb_typed"
  done
  rm -f "$_vb_at.in"
  _vb_tell "deaf $_vb_key stdin"
}

# Sets _vb_identity to the line /proc/PID/stat of this very process, subshell or not.
_vb_self() {
  if read -r _vb_identity <"$_vb_proc/self/stat"; then return; fi
  _vb_identity=$(exec sh -c 'echo $PPID')
  _vb_identity="$_vb_identity $(ps -o lstart= -p "$_vb_identity")"
}

# Sets what is the same for all attempts of a machine: _vb_boot names this life of it, _vb_exec executes a
# command. A container that starts again has the kernel's boot id as before, but another first process.
_vb_look_around() {
  _vb_boot=-
  if [ -r "$_vb_proc/sys/kernel/random/boot_id" ]; then
    read -r _vb_boot <"$_vb_proc/sys/kernel/random/boot_id"
    if read -r _vb_line <"$_vb_proc/1/stat"; then
      set -- ${_vb_line##*) }
      _vb_boot=$_vb_boot.${20}
    fi 2>/dev/null
  fi
  _vb_exec=exec
  if (exec -- sh -c :) 2>/dev/null; then _vb_exec='exec --'; fi
}

# The command's process: DIRECTORY ENVIRONMENT PROGRAM COUNT NAME=VALUE… WORD…
_vb_command() {
  cd "$1" || {
    _vb_record directory 126 "$1"
    exit 126
  }
  # Still with W's stderr: setting LC_ALL makes bash complain of a locale that is not installed.
  . "$2" || exit
  if [ "$_vb_stdin" = terminal ]; then exec 2>&1; else exec 2>>"$_vb_at.err" || exit; fi
  _vb_program=$3
  _vb_count=$4
  shift 4
  while [ "$_vb_count" -gt 0 ]; do
    export "$1"
    shift
    _vb_count=$((_vb_count - 1))
  done
  _vb_ready "$_vb_program"
  $_vb_exec "$@"
}

# The last step before the command: PROGRAM can be executed, and the environment is what it gets.
_vb_ready() {
  _vb_find "$1"
  { printf '\0' && export -p; } >>"$_vb_at.run"
  # The TERM of a stop may have come when only W was there to get it.
  [ ! -e "$_vb_at.stop" ] || exit 143
}

# Ends this process with a record where PROGRAM cannot be executed. Looking it up beforehand tells
# such an end from a command that itself exits with 126 or 127.
_vb_find() {
  case $1 in
  */*)
    if [ ! -e "$1" ]; then _vb_missing 127 "$1" 'command not found'; fi
    if [ -d "$1" ]; then _vb_missing 126 "$1" 'is a directory, not a command'; fi
    if [ ! -x "$1" ]; then _vb_missing 126 "$1" 'is not executable'; fi
    return
    ;;
  esac
  _vb_seen=
  set -f
  IFS=:
  for _vb_folder in $PATH; do
    _vb_file=${_vb_folder:-.}/$1
    if [ -f "$_vb_file" ]; then
      if [ -x "$_vb_file" ]; then
        IFS=" 	$_vb_newline"
        set +f
        return
      fi
      _vb_seen=$_vb_file
    fi
  done
  if [ -n "$_vb_seen" ]; then _vb_missing 126 "$_vb_seen" 'is not executable'; fi
  _vb_missing 127 "$1" 'command not found'
}

_vb_missing() {
  printf 'vbatch: %s: %s\n' "$2" "$3" >&2
  _vb_record program "$1" "$2"
  exit "$1"
}

# A fresh shell that runs this file with arguments is a W: ROOT PROC BOOT EXEC, then as _vb_attempt.
if [ "$#" -gt 0 ]; then
  umask 077
  _vb_root=$1 _vb_proc=$2 _vb_boot=$3 _vb_exec=$4
  shift 4
  _vb_attempt "$@"
fi
