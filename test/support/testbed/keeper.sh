#!/bin/bash
# keeper.sh FOLDER FREEZERS: keeps the hosts of one bed. Testbed starts it as root, in a mount namespace of its
# own. It answers that it is ready, then reads orders on stdin, one a line, and answers each with a line:
#
#   order                       answer
#   (start)                     done SLOT              the network is 198.19.SLOT.0/24, .1 is this machine
#   add NAME NUMBER SIZE        done                   a host with an empty disk, at 198.19.SLOT.NUMBER
#   boot NAME                   done PID               its first process, as this machine sees it
#   crash NAME                  done                   all its processes are gone, its disk stays
#   link NAME up|down           done
#   freeze NAME, thaw NAME      done
#   (what fails)                failed WHY
#
# FOLDER/hosts/NAME holds what inside.sh wants to know, and console.log.
#
# When stdin ends, because the bed is taken down or because the tests died, all of it goes. Whatever happens to
# the keeper itself, the kernel does the same, but for FOLDER: mounts, network namespaces and links hang on this
# process alone, and the processes of hosts are killed when it dies.
set -u -m
umask 022
folder=$1 freezers=$2
tools=${BASH_SOURCE[0]%/*}
slot='' freezer=''
declare -A number pid job link

# 198.19.0.0/16 is set aside for benchmarks of networks (RFC 2544), so nothing real is hidden. The link's name is
# the claim: two beds cannot both make it. The far end of a permanent neighbour is not asked for by ARP, so that
# a dead link swallows packets, as it does far away, and is not reported as "no route to host".
claim() {
  local try
  for try in {1..254}; do
    [ -z "$(ip -4 route show root "198.19.$try.0/24")" ] || continue
    ip link add "vbed$try" type veth peer name uplink netns ./switch 2>/dev/null || continue
    # Only now is it ours, to set up and to take down.
    slot=$try
    ip link set "vbed$slot" address "$(mac 1)" up && ip address add "198.19.$slot.1/24" dev "vbed$slot"
    return
  done
  echo "no network 198.19.N.0/24 is free" >&2
  return 1
}

mac() { printf '02:76:62:00:%02x:%02x' "$slot" "$1"; }

# The first way to freeze a host that works here. The control groups are mounted where only the keeper sees them.
choose_freezer() {
  local works=''
  mkdir groups || return
  for freezer in $freezers; do
    case $freezer in
      cgroup2) mount -t cgroup2 none groups 2>/dev/null ;;
      cgroup1) mount -t cgroup -o freezer none groups 2>/dev/null ;;
      signals) return ;;
    esac || continue
    mkdir -p "groups/vbed$slot" && (echo 0 >"groups/vbed$slot/cgroup.procs") 2>/dev/null &&
      { [ -e "groups/vbed$slot/cgroup.freeze" ] || [ -e "groups/vbed$slot/freezer.state" ]; } && works=yes
    rmdir "groups/vbed$slot"
    [ -z "$works" ] || return 0
    umount groups
  done
  echo "none of these ways to freeze a host works here: $freezers" >&2
  return 1
}

group() { echo "groups/vbed$slot-$1"; }

raise() {
  mkdir "$folder/bed" && mount -t tmpfs -o mode=755 bed "$folder/bed" && cd "$folder/bed" &&
    : >switch && unshare --net=switch true && claim && choose_freezer || return
  nsenter --net=switch ip -batch - <<END
link add bridge type bridge
link set bridge up
link set uplink master bridge up
END
  answer=$slot
}

add() {
  number[$1]=$2 link[$1]=up
  mkdir "$1" && mount -t tmpfs -o "mode=755,size=$3" "$1" "$1" && : >"$1.net" || return
  [ "$freezer" = signals ] || mkdir -p "$(group "$1")"
}

# Every boot has a new network namespace: as after a power cut, nothing knows of connections from before it.
connect() {
  nsenter --net=switch ip link delete "$1" 2>/dev/null
  umount "$1.net" 2>/dev/null
  local address=198.19.$slot.${number[$1]} mac
  mac=$(mac "${number[$1]}")
  unshare "--net=$1.net" true &&
    nsenter --net=switch ip -batch - <<END &&
link add $1 type veth peer name eth0 address $mac netns ./$1.net
link set $1 master bridge ${link[$1]}
END
    nsenter "--net=$1.net" ip -batch - <<END &&
link set lo up
address add $address/24 dev eth0
link set eth0 up
neighbour replace 198.19.$slot.1 lladdr $(mac 1) dev eth0 nud permanent
END
    ip neighbour replace "$address" lladdr "$mac" dev "vbed$slot" nud permanent
}

boot() {
  ! alive "$1" || { echo "it is running" >&2; return 1; }
  connect "$1" && mkfifo "$1.ready" || return
  (
    [ "$freezer" = signals ] || echo 0 >"$(group "$1")/cgroup.procs" || exit
    exec setpriv --pdeathsig KILL nsenter "--net=$1.net" \
      unshare --mount --propagation private --pid --fork --kill-child --uts --ipc \
      bash "$tools/inside.sh" "$1" "$folder/hosts/$1"
  ) 3>"$1.ready" </dev/null >>"$folder/hosts/$1/console.log" 2>&1 &
  job[$1]=$!
  # inside.sh writes its process id when all is in place. When it ends without, this reads the end of the pipe.
  read -r answer <"$1.ready"
  rm "$1.ready"
  if [ "$answer" ]; then
    pid[$1]=$answer
  else
    wait "${job[$1]}"
    tail -n 1 "$folder/hosts/$1/console.log" >&2
    return 1
  fi
}

# Process ids are used again: it is the host's first process only if it lives in the host's network.
alive() { [ "${pid[$1]-}" ] && [ "/proc/${pid[$1]}/ns/net" -ef "$1.net" ]; }

crash() {
  # With its first process all others of the namespace go. One that is frozen by cgroup1 dies only when thawed.
  if alive "$1"; then kill -KILL "${pid[$1]}" && thaw "$1"; fi
  [ -z "${job[$1]-}" ] || wait "${job[$1]}" 2>/dev/null
  unset "pid[$1]" "job[$1]"
}

link() {
  link[$1]=$2
  nsenter --net=switch ip link set "$1" "$2"
}

narrow() {
  local network
  for network in "--net=switch $1" "--net=$1.net eth0"; do
    nsenter "${network% *}" tc qdisc replace dev "${network#* }" root tbf rate "$2" burst 128kb latency 500ms || return
  done
}

freeze() {
  alive "$1" || { echo "it is not running" >&2; return 1; }
  local group tries=1000
  group=$(group "$1")
  until freezes "$1" "$group"; do
    ((tries--)) || { echo "it does not freeze" >&2; return 1; }
    sleep 0.002
  done
}

# One try. cgroup1 has to be told again when it met a process that is being made.
freezes() { # NAME GROUP
  case $freezer in
    cgroup2) echo 1 >"$2/cgroup.freeze" && grep -q '^frozen 1' "$2/cgroup.events" ;;
    cgroup1) echo FROZEN >"$2/freezer.state" && grep -q FROZEN "$2/freezer.state" ;;
    signals) signal_all STOP "$1" ;;
  esac
}

thaw() {
  case $freezer in
    cgroup2) echo 0 >"$(group "$1")/cgroup.freeze" ;;
    cgroup1) echo THAWED >"$(group "$1")/freezer.state" ;;
    signals) signal_all CONT "$1" ;;
  esac
}

# Goes round until there is no new process: those that were not stopped yet may have started more.
signal_all() {
  local process found=yes
  local -A signalled=()
  while [ "$found" ]; do
    found=''
    for process in /proc/[0-9]*; do
      [ "$process/ns/pid" -ef "/proc/${pid[$2]-}/ns/pid" ] && [ -z "${signalled[$process]-}" ] || continue
      kill "-$1" "${process#/proc/}" 2>/dev/null
      signalled[$process]=yes found=yes
    done
  done
  true
}

lower() {
  trap '' EXIT HUP INT TERM
  for name in "${!number[@]}"; do crash "$name"; done
  [ -z "$slot" ] || ip link delete "vbed$slot"
  for name in "${!number[@]}"; do rmdir "$(group "$name")"; done
  cd /
  umount -R "$folder/bed" || umount -R -l "$folder/bed"
  rm -rf --one-file-system "$folder"
} 2>/dev/null

carry_out() {
  answer=''
  if "$@" 2>"$folder/problem"; then
    echo "done $answer"
  else
    echo "failed $1 ${2-}: $(tr '\n' ' ' <"$folder/problem")"
  fi
}

trap lower EXIT
trap exit HUP INT TERM
carry_out raise
while read -r order name argument; do
  case $order in
    add) carry_out add "$name" ${argument} ;;
    boot | crash | link | narrow | freeze | thaw) carry_out "$order" "$name" "$argument" ;;
    *) echo "failed $order: no such order" ;;
  esac
done
