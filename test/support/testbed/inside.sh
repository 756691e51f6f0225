#!/bin/bash
# inside.sh NAME PLAN: starts one host. The keeper runs it as the first process of the host's namespaces, in the
# folder that holds the host's disk, a tmpfs, as NAME. It builds the file system, tells its process id on
# descriptor 3, and becomes the host's init.
#
# Of this machine a host sees /usr and /etc (and /bin, /lib… where they are folders of their own), each under an
# overlay, and the folders of PLAN/shares; everything else is its own. PLAN/files is laid over all that at the first boot, PLAN/without names
# tools that the host lacks, one a line, and where there is a PLAN/busybox it has only busybox.
set -eu
name=$1 plan=$2
# /proc is still this machine's, and so is the process id that it tells.
read -r outer_pid _ </proc/self/stat
hostname "$name"
cd "$name"
system='usr etc bin sbin lib lib32 lib64 libx32'
tools='usr/local/sbin usr/local/bin usr/sbin usr/bin sbin bin'

lay_out() {
  mkdir -p root/{root,home,tmp,proc,sys,dev,run,mnt,usr,var/tmp,var/log,var/empty}
  chmod 1777 root/var/tmp
  for folder in $system; do
    if [ -L "/$folder" ]; then cp -P "/$folder" root/; fi
    mkdir -p "up/$folder" "work/$folder"
  done
}

# Folders with nothing but busybox, under all its names, and sshd; libraries and sftp-server are in /usr/lib.
lay_out_busybox() {
  local busybox sshd
  busybox=$(readlink -f "$(command -v busybox)")
  sshd=$(readlink -f "$(command -v sshd)")
  for folder in $tools; do mkdir -p "bare/$folder"; done
  cp "$sshd" "bare$sshd"
  cp "$busybox" "bare$busybox"
  for folder in usr/bin bin; do busybox --install -s "bare/$folder"; done
}

mount_system() {
  mount --bind root root
  for folder in $system; do
    if [ -d "/$folder" ] && [ ! -L "/$folder" ]; then
      mkdir -p "root/$folder"
      mount -t overlay "$name" -o "lowerdir=/$folder,upperdir=up/$folder,workdir=work/$folder" "root/$folder"
    fi
  done
  if [ -e "$plan/busybox" ]; then
    for folder in $tools; do
      if [ -d "root/$folder" ] && [ ! -L "root/$folder" ]; then mount --bind "bare/$folder" "root/$folder"; fi
    done
  fi
}

mount_devices() {
  mount -t proc proc root/proc
  mount --rbind /sys root/sys
  mount -t tmpfs -o mode=1777 tmp root/tmp
  mount -t tmpfs -o mode=755 run root/run
  mount -t tmpfs -o mode=755 dev root/dev
  mkdir root/run/sshd root/dev/pts root/dev/shm
  for device in null zero full random urandom tty; do
    touch "root/dev/$device"
    mount --bind "/dev/$device" "root/dev/$device"
  done
  mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts root/dev/pts
  mount -t tmpfs -o mode=1777 shm root/dev/shm
  ln -s pts/ptmx root/dev/ptmx
  ln -s /proc/self/fd root/dev/fd
  for stream in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${stream%:*}" "root/dev/${stream#*:}"; done
}

mount_shares() {
  while IFS=$'\t' read -r here there; do
    mkdir -p "root$there"
    mount --bind "$here" "root$there"
  done <"$plan/shares"
}

# In the host's own root, so that no absolute link there leads to this machine's tools.
take_away() {
  local paths=()
  for folder in $tools; do
    for tool in nvidia-smi $(cat "$plan/without"); do paths+=("/$folder/$tool"); done
  done
  chroot root rm -f "${paths[@]}"
}

if [ ! -e made ]; then
  lay_out
  if [ -e "$plan/busybox" ]; then lay_out_busybox; fi
fi
mount_system
mount_devices
mount_shares
if [ ! -e made ]; then
  take_away
  find "$plan/files" -type d -exec chmod 755 {} +
  cp -a "$plan/files/." root/
  chmod 700 root/root
  # The host may lack umount, which is needed once at every boot.
  cp "$(command -v umount)" root/etc/bed/umount
  touch made
fi
cd root
pivot_root . mnt
cd /
/etc/bed/umount -l /mnt
echo "$outer_pid" >&3
exec 3>&- /bin/sh /etc/bed/init
