# Who uses the GPUs. A subshell of the agent sources this, in the background: a driver may hang.
#
# Leaves lines in the file `gpus`, and tells `gpus` when they are there. gpuUse.ts reads them:
#
#   nvidia TEXT        nvidia-smi of a GPU: index, uuid, MiB used, MiB in all, whether it drives a screen
#   nvidia-app TEXT    nvidia-smi of a process: the GPU's uuid, its number, MiB
#   rocm TEXT          rocm-smi of memory and processes, JSON
#   rocm-pid TEXT      rocm-smi of the GPUs that each process uses
#   attempt PID KEY    a process that was named above belongs to an attempt of this folder
#   owner PID USER     it does not, and is USER's
#   self USER          as whom we run
#   end
#
# Nothing is said of a process that is not to be seen from here, or is about to end.

PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/opt/rocm/bin:/usr/lib/wsl/lib

_vb_patiently() {
  if command -v timeout >/dev/null; then timeout 10 "$@"; else "$@"; fi
}

# Prints each line of stdin after NAME.
_vb_lines() {
  while IFS= read -r _vb_line || [ -n "$_vb_line" ]; do printf '%s %s\n' "$1" "$_vb_line"; done
}

_vb_ask_drivers() {
  if command -v nvidia-smi >/dev/null; then
    _vb_patiently nvidia-smi --query-gpu=index,uuid,memory.used,memory.total,display_active \
      --format=csv,noheader,nounits | _vb_lines nvidia
    _vb_patiently nvidia-smi --query-compute-apps=gpu_uuid,pid,used_memory \
      --format=csv,noheader,nounits | _vb_lines nvidia-app
  fi
  if command -v rocm-smi >/dev/null; then
    _vb_patiently rocm-smi --showmeminfo vram --showpids --json | _vb_lines rocm
    _vb_patiently rocm-smi --showpidgpus | _vb_lines rocm-pid
  fi
}

# Prints the processes of lines `nvidia-app UUID, PID, …` and `rocm-pid PID PID …`.
_vb_named() {
  while read -r _vb_name _vb_first _vb_pid _vb_rest; do
    case $_vb_name in
    nvidia-app | rocm-pid) ;;
    *) continue ;;
    esac
    _vb_pid=${_vb_pid%,}
    case $_vb_pid in
    '' | *[!0-9]*) ;;
    *) printf '%s\n' "$_vb_pid" ;;
    esac
  done
}

# Reads the environment of process PID: sets _vb_key where it belongs to an attempt. Fails where it is
# about to end, or is part of the driver.
_vb_look_at() {
  _vb_key='' _vb_seen=''
  read -r _vb_line <"$_vb_proc/$1/comm" || return 1
  # With MPS all tasks share one process, whoever started that.
  case $_vb_line in
  nvidia-cuda-mps*) return 1 ;;
  esac
  # A shell leaves the NULs out.
  if while IFS= read -r _vb_line || [ -n "$_vb_line" ]; do
    _vb_seen=1
    case $_vb_line in
    *VBATCH_ATTEMPT_KEY=*"@$_vb_cookie"*)
      _vb_line=${_vb_line%%"@$_vb_cookie"*}
      _vb_key=${_vb_line##*VBATCH_ATTEMPT_KEY=}
      break
      ;;
    esac
  done <"$_vb_proc/$1/environ"; then
    # What ends has no environment any more.
    [ -n "$_vb_seen" ] || return 1
  fi
}

_vb_whose() {
  _vb_others=
  for _vb_pid; do
    _vb_look_at "$_vb_pid" || continue
    if [ -n "$_vb_key" ]; then
      printf 'attempt %s %s\n' "$_vb_pid" "$_vb_key"
    else
      _vb_others="$_vb_others $_vb_proc/$_vb_pid"
    fi
  done
  [ -n "$_vb_others" ] || return 0
  ls -ld "$_vb_proc/$$" $_vb_others | while read -r _vb_mode _vb_links _vb_owner _vb_rest; do
    _vb_pid=${_vb_rest##*/}
    if [ "$_vb_pid" = "$$" ]; then
      printf 'self %s\n' "$_vb_owner"
    else
      printf 'owner %s %s\n' "$_vb_pid" "$_vb_owner"
    fi
  done
}

_vb_said=$(_vb_ask_drivers)
_vb_said=$_vb_said$_vb_newline$(_vb_whose $(printf '%s\n' "$_vb_said" | _vb_named))
printf '%s\nend\n' "$_vb_said" >|"$_vb_root/gpus"
_vb_tell gpus
