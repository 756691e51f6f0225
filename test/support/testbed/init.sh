#!/bin/sh
# The first process of a host. While it waits for sshd it also buries what lost its parent. It needs no traps: a
# first process gets no signals that it has not asked for.
"$(command -v sshd)" -D -e -f /etc/bed/sshd_config
echo "sshd ended with $?, and the host with it"
