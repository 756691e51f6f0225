# The first words with a machine: what it is like, and whether its folder is ready for an agent.
#
# Read by `sh -s` after lines that set, quoted: _vb_mark, what no start-up file prints by chance;
# _vb_folder, the host's folder, which may begin with `~/`; _vb_scripts, the scripts' version.
# Prints lines `NAME TEXT` between two marks; contact.ts reads them.

_vb_path=$PATH
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/opt/rocm/bin:/usr/lib/wsl/lib

_vb_say() {
  printf '%s %s\n' "$1" "$2"
}

# Prints each line of stdin after NAME.
_vb_lines() {
  while IFS= read -r _vb_line || [ -n "$_vb_line" ]; do _vb_say "$1" "$_vb_line"; done
}

# A driver that hangs must not keep us for ever.
_vb_patiently() {
  if command -v timeout >/dev/null 2>&1; then timeout 10 "$@"; else "$@"; fi </dev/null 2>/dev/null
}

# The limits that control groups set us; which file says what is known elsewhere (detect.ts).
_vb_limits() {
  while IFS=: read -r _vb_number _vb_controllers _vb_group; do
    _vb_say cgroup "$_vb_number:$_vb_controllers:$_vb_group"
    while :; do
      for _vb_file in "$_vb_group/cpu.max" "$_vb_group/memory.max" "/cpu$_vb_group/cpu.cfs_quota_us" \
        "/cpu$_vb_group/cpu.cfs_period_us" "/memory$_vb_group/memory.limit_in_bytes"; do
        _vb_file=/sys/fs/cgroup/${_vb_file#/}
        if [ -r "$_vb_file" ] && read -r _vb_line <"$_vb_file"; then _vb_say limit "$_vb_file $_vb_line"; fi
      done
      [ -n "${_vb_group%/}" ] || break
      _vb_group=${_vb_group%/*}
    done
  done </proc/self/cgroup
}

printf '\n%s\n' "$_vb_mark"
_vb_say path "$_vb_path"
_vb_say shell "${SHELL:-/bin/sh}"
_vb_say time "$(date +%s)"
_vb_say system "$(uname -sm)"
_vb_bash=$(command -v bash) && _vb_say bash "$_vb_bash"
[ -r /proc/self/stat ] || _vb_say noproc -
_vb_say cpus "$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null)"
if [ -r /proc/meminfo ]; then
  while read -r _vb_name _vb_size _vb_rest; do
    [ "$_vb_name" != MemTotal: ] || _vb_say memory "$((_vb_size * 1024))"
  done </proc/meminfo
else
  _vb_say memory "$(sysctl -n hw.memsize 2>/dev/null)"
fi
[ ! -r /proc/self/cgroup ] || _vb_limits 2>/dev/null
if command -v nvidia-smi >/dev/null 2>&1; then
  _vb_patiently nvidia-smi --query-gpu=index,name,memory.total --format=csv,noheader,nounits | _vb_lines nvidia
fi
if command -v rocm-smi >/dev/null 2>&1; then
  _vb_patiently rocm-smi --showproductname --showmeminfo vram --json | _vb_lines rocm
fi

case $_vb_folder in
'~/'*) _vb_folder=$HOME/${_vb_folder#'~/'} ;;
esac
_vb_say folder "$_vb_folder"
umask 077
if _vb_trouble=$(mkdir -p "$_vb_folder/env" "$_vb_folder/tasks" "$_vb_folder/calls" 2>&1 && printf '' 2>&1 >"$_vb_folder/probe"); then
  cd "$_vb_folder" && rm -f probe
  [ ! -e "$_vb_scripts/whole" ] || _vb_say scripts "$_vb_scripts"
  for _vb_file in tasks/*/*.run; do
    _vb_file=${_vb_file##*/}
    [ "$_vb_file" = '*.run' ] || _vb_say attempt "${_vb_file%.run}"
  done
else
  _vb_say trouble "$_vb_trouble"
fi
printf '%s end\n' "$_vb_mark"
