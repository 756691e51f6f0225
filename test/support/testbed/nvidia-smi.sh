#!/bin/sh
# The tool of a driver that is not there, as far as it is asked:
#
#   nvidia-smi --query-gpu=FIELD,… --format=csv,noheader,nounits
#   nvidia-smi --query-compute-apps=FIELD,… --format=csv,noheader,nounits
#
# /etc/bed/gpus has a line `index|uuid|name|MiB` for each GPU. /etc/bed/gpu-users, which tests write, has a line
# `uuid, pid, MiB` for each process that uses one.
query='' fields='' format=''
for argument; do
  case $argument in
    --query-gpu=*) query=gpus fields=${argument#*=} ;;
    --query-compute-apps=*) query=users fields=${argument#*=} ;;
    --format=*) format=${argument#*=} ;;
    *) query='' && break ;;
  esac
done
if [ -z "$query" ] || [ "$format" != csv,noheader,nounits ]; then
  echo "Invalid combination of input arguments. (This nvidia-smi belongs to a test bed, and knows no: $*)"
  exit 6
fi

invalid() {
  echo "Field \"$1\" is not a valid field to query."
  exit 2
}

# The MiB that all users of one GPU have together, as $used.
add_up() {
  used=0
  while IFS=', ' read -r user _ mib; do
    if [ "$user" = "$1" ]; then used=$((used + mib)); fi
  done </etc/bed/gpu-users
}

gpu_value() {
  case $1 in
    index) value=$index ;;
    uuid | gpu_uuid) value=$uuid ;;
    name | gpu_name) value=$name ;;
    memory.total) value=$total ;;
    memory.used) value=$used ;;
    memory.free) value=$((total - used)) ;;
    display_active) value=Disabled ;;
    utilization.gpu) value=$((used > 0 ? 97 : 0)) ;;
    *) invalid "$1" ;;
  esac
}

user_value() {
  case $1 in
    gpu_uuid) value=$uuid ;;
    pid) value=$pid ;;
    process_name) value=python ;;
    used_memory | used_gpu_memory) value=$mib ;;
    *) invalid "$1" ;;
  esac
}

# One line of the answer: what the function $1 finds for each field.
answer() {
  line=''
  for field in $fields; do
    "$1" "$field"
    line="$line, $value"
  done
  echo "${line#, }"
}

fields=$(echo "$fields" | sed 's/,/ /g')
if [ "$query" = gpus ]; then
  while IFS='|' read -r index uuid name total; do
    add_up "$uuid"
    answer gpu_value
  done </etc/bed/gpus
else
  while IFS=', ' read -r uuid pid mib; do
    answer user_value
  done </etc/bed/gpu-users
fi
