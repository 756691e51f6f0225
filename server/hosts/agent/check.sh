# A look at everything that matters on a machine, for `vctl host check`.
#
# Read by `sh -s` after lines that set, quoted: _vb_mark, what no start-up file prints by chance;
# _vb_folder, the host's folder, which may begin with `~/`; _vb_scripts, the scripts' version; _vb_sleeper,
# not empty where a process is to be left behind, to see whether it survives this connection.
# Prints lines `NAME TEXT` between two marks; checkMachine.ts reads them:
#
#   shell PATH              the login shell
#   sh PATH                 what /bin/sh is, links followed
#   bash PATH VERSION
#   detach MODE             how the agent will start attempts, as its `ready` says; none where it cannot
#   missing PROGRAM         a program that the agent needs
#   folder PATH             the host's folder, absolute
#   trouble TEXT            it cannot be written
#   disk TOTAL FREE         of the folder's file system, in kilobytes
#   inodes TOTAL FREE
#   scripts CURRENT OTHERS  whether this version's scripts are there, 1 or 0, and how many others
#   processes LIMIT NOW     how many the user may have, and has, or `unlimited`
#   kills yes|no            KillUserProcesses of logind
#   excluded WORDS          KillExcludeUsers
#   user NAME
#   sleeper PID             the process that was left behind; it ends by itself within a minute

PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
export PATH

_vb_say() {
  printf '%s %s\n' "$1" "$2"
}

# The total and the free column of df for the folder; some file systems count no inodes.
_vb_df() {
  df -P "$1" . 2>/dev/null | while read -r _vb_device _vb_total _vb_taken _vb_free _vb_rest; do
    case $_vb_total$_vb_free in
    *[!0-9]* | '') ;;
    *) printf '%s %s\n' "$_vb_total" "$_vb_free" ;;
    esac
  done
}

# Later files win, and what an administrator says wins over what the distribution does.
_vb_logind() {
  for _vb_file in /usr/lib/systemd/logind.conf /usr/lib/systemd/logind.conf.d/*.conf /etc/systemd/logind.conf \
    /etc/systemd/logind.conf.d/*.conf /run/systemd/logind.conf.d/*.conf; do
    [ ! -r "$_vb_file" ] || sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*//p" "$_vb_file"
  done 2>/dev/null | tail -n 1
}

# Starts a process as the agent starts attempts, and prints its number. The agent is a shell of the same kind.
_vb_leave() {
  _vb_sleep='echo $$; exec sleep 60 </dev/null >/dev/null 2>&1'
  case $_vb_mode in
  bash) "$_vb_bash" --norc -c "set -m; (sh -c '$_vb_sleep') &" ;;
  *) $_vb_mode sh -c "$_vb_sleep" ;;
  esac
}

_vb_check() {
  _vb_say shell "${SHELL:-/bin/sh}"
  _vb_say sh "$(readlink -f /bin/sh 2>/dev/null || echo /bin/sh)"
  _vb_mode=none
  if _vb_bash=$(command -v bash); then
    _vb_say bash "$_vb_bash $("$_vb_bash" -c 'echo $BASH_VERSION')"
    "$_vb_bash" --norc -c 'set -m' 2>/dev/null && _vb_mode=bash
  elif setsid -f sh -c : 2>/dev/null; then
    _vb_mode='setsid -f'
  elif setsid setsid sh -c : 2>/dev/null; then
    _vb_mode='setsid setsid'
  fi
  _vb_say detach "$_vb_mode"
  for _vb_program in cat find grep ls mkdir mkfifo rm sleep; do
    command -v "$_vb_program" >/dev/null 2>&1 || _vb_say missing "$_vb_program"
  done
  case $_vb_folder in
  '~/'*) _vb_folder=$HOME/${_vb_folder#'~/'} ;;
  esac
  _vb_say folder "$_vb_folder"
  umask 077
  if _vb_trouble=$(mkdir -p "$_vb_folder" 2>&1 && printf '' 2>&1 >"$_vb_folder/probe"); then
    cd "$_vb_folder" && rm -f probe
    _vb_say disk "$(_vb_df -k)"
    # Elsewhere than on Linux the columns are others.
    [ ! -d /proc/self ] || _vb_say inodes "$(_vb_df -i)"
    _vb_current=0
    _vb_count=0
    for _vb_name in *; do
      case $_vb_name in
      "$_vb_scripts") [ ! -e "$_vb_name/agent.sh" ] || _vb_current=1 ;;
      *[!0-9a-f]*) ;;
      ????????????) _vb_count=$((_vb_count + 1)) ;;
      esac
    done
    _vb_say scripts "$_vb_current $_vb_count"
  else
    _vb_say trouble "$_vb_trouble"
  fi
  # bash and others call it -u, dash and busybox ash -p.
  _vb_limit=$(ulimit -u 2>/dev/null || ulimit -p 2>/dev/null)
  _vb_say user "$(id -un 2>/dev/null)"
  _vb_say processes "${_vb_limit:-unlimited} $(ps -u "$(id -u)" -o pid= 2>/dev/null | grep -c .)"
  if [ -d /run/systemd/seats ] || [ -d /run/systemd/users ]; then
    _vb_say kills "$(_vb_logind KillUserProcesses)"
    _vb_say excluded "$(_vb_logind KillExcludeUsers)"
  fi
  [ -z "$_vb_sleeper" ] || [ "$_vb_mode" = none ] || _vb_say sleeper "$(_vb_leave 2>/dev/null)"
}

printf '\n%s\n' "$_vb_mark"
_vb_check
printf '%s end\n' "$_vb_mark"
