# Removes what a host's folder holds and nothing needs any more.
#
# Read by `sh -s` after lines that set, quoted: _vb_mark, what no start-up file prints by chance;
# _vb_folder, the host's folder, which may begin with `~/`; _vb_scripts, the scripts' version, which stays;
# _vb_attempts, keys of attempts to remove; _vb_others, folders of other servers to remove, both separated
# by blanks; _vb_look, what is left of what is to be told: nothing, attempts, or all.
# Prints lines `NAME TEXT` between two marks; prune.ts reads them:
#
#   freed KIND KILOBYTES    something was removed: an attempt, version, environment or folder
#   left KEY                there are files of this attempt
#   other NAME KILOBYTES BUSY SECONDS    a folder of another server: BUSY is 1 where something of it
#                           runs, else 0; SECONDS since the epoch of its last use, or empty

PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
export PATH

# Removes a file or folder, and tells of it: KIND PATH…
_vb_free() {
  _vb_kind=$1
  shift
  _vb_sum=0
  for _vb_size in $(du -sk "$@" 2>/dev/null | cut -f 1); do _vb_sum=$((_vb_sum + _vb_size)); done
  rm -rf "$@" 2>/dev/null && printf 'freed %s %s\n' "$_vb_kind" "$_vb_sum"
}

# Whether something was last changed a day ago or longer.
_vb_old() {
  [ -n "$(find "$1" -prune -mtime +0 2>/dev/null)" ]
}

# Whether an attempt that has not ended has the version on its PATH. Its .run holds its environment.
_vb_in_use() {
  for _vb_file in tasks/*/*.run; do
    if [ ! -e "${_vb_file%.run}.exit" ] && grep -qsE "/$1/bin" "$_vb_file"; then return 0; fi
  done
  return 1
}

# Whether something of another server runs: an attempt, or its agent.
_vb_busy() {
  if [ -d /proc/self ]; then
    ! grep -qsE "VBATCH_ATTEMPT_KEY=[0-9.]+@${1##*/}" /proc/[0-9]*/environ || return 0
  else
    for _vb_file in "$1"/tasks/*/*.run; do
      if [ -e "$_vb_file" ] && [ ! -e "${_vb_file%.run}.exit" ]; then return 0; fi
    done
  fi
  read -r _vb_boot _vb_pid _vb_rest 2>/dev/null <"$1/agent.run" || return 1
  if read -r _vb_now 2>/dev/null </proc/sys/kernel/random/boot_id; then
    case $_vb_boot in
    "$_vb_now"*) ;;
    *) return 1 ;;
    esac
  fi
  kill -0 "$_vb_pid" 2>/dev/null
}

# When it was last used, in seconds since the epoch.
_vb_used() {
  for _vb_file in "$1/beat" "$1/agent.run" "$1"; do
    [ -e "$_vb_file" ] || continue
    date -r "$_vb_file" +%s 2>/dev/null || stat -f %m "$_vb_file" 2>/dev/null
    return
  done
}

_vb_prune() {
  for _vb_name in *; do
    case $_vb_name in
    "$_vb_scripts" | *[!0-9a-f]*) continue ;;
    ????????????) ;;
    *) continue ;;
    esac
    if _vb_old "$_vb_name" && ! _vb_in_use "$_vb_name"; then _vb_free version "$_vb_name"; fi
  done
  # Each server writes the environments it needs anew, so old ones are needed by no attempt to come.
  for _vb_name in env/*; do
    if [ -f "$_vb_name" ] && _vb_old "$_vb_name"; then _vb_free environment "$_vb_name"; fi
  done
  for _vb_key in $_vb_attempts; do
    _vb_free attempt tasks/$((${_vb_key%%.*} / 1000))/"$_vb_key".* calls/"$_vb_key"
  done
  [ "$_vb_look" != nothing ] || return 0
  _vb_last=
  for _vb_name in tasks/*/* calls/*; do
    _vb_key=${_vb_name##*/}
    case $_vb_key in
    [0-9]*.[0-9]*) ;;
    *) continue ;;
    esac
    case $_vb_name in
    tasks/*) _vb_key=${_vb_key%.*} ;;
    esac
    [ "$_vb_key" = "$_vb_last" ] || printf 'left %s\n' "$_vb_key"
    _vb_last=$_vb_key
  done
  [ "$_vb_look" = all ] || return 0
  for _vb_name in ../*; do
    _vb_other=${_vb_name#../}
    case $_vb_other in
    "${_vb_folder##*/}" | *[!0-9a-f]*) continue ;;
    ????????????????????????) ;;
    *) continue ;;
    esac
    _vb_state=0
    if _vb_busy "$_vb_name"; then _vb_state=1; fi
    case " $_vb_others " in
    *" $_vb_other "*) if [ "$_vb_state" = 0 ] && _vb_free folder "$_vb_name"; then continue; fi ;;
    esac
    printf 'other %s %s %s %s\n' "$_vb_other" "$(du -sk "$_vb_name" 2>/dev/null | cut -f 1)" "$_vb_state" \
      "$(_vb_used "$_vb_name")"
  done
}

case $_vb_folder in
'~/'*) _vb_folder=$HOME/${_vb_folder#'~/'} ;;
esac
printf '\n%s\n' "$_vb_mark"
if cd "$_vb_folder" 2>/dev/null; then _vb_prune; fi
printf '%s end\n' "$_vb_mark"
