#!/bin/sh
# Prints the environment that a login shell has made, between two lines that start-up files cannot
# have printed by chance: MARK.
#
# The kernel's copy of the environment is taken where there is one: it holds names that no shell
# variable can have, such as exported bash functions.
if [ -r "/proc/$$/environ" ]; then
  printf '\n%s environ %s\n' "$1" "$(umask)"
  cat "/proc/$$/environ"
else
  printf '\n%s export %s\n' "$1" "$(umask)"
  export -p
fi
printf '\n%s\n' "$1"
