/** Variables that describe one machine and mean nothing, or harm, on another (R34). */
import type { EnvironmentChange } from './task.ts';

const names = new Set(
  `PATH HOME USER LOGNAME SHELL HOSTNAME HOST HOSTTYPE MACHTYPE OSTYPE MAIL TMPDIR TMP TEMP TZDIR
   LD_LIBRARY_PATH LD_PRELOAD DYLD_LIBRARY_PATH LIBRARY_PATH CPATH MANPATH INFOPATH PKG_CONFIG_PATH
   CUDA_HOME CUDA_PATH CUDA_ROOT ROCM_PATH JAVA_HOME PYTHONHOME VIRTUAL_ENV VIRTUAL_ENV_PROMPT MODULEPATH
   LOADEDMODULES _LMFILES_ DISPLAY WAYLAND_DISPLAY XAUTHORITY WINDOWID TERM_PROGRAM TERM_PROGRAM_VERSION
   STY TMUX TMUX_PANE SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS KRB5CCNAME
   Path PATHEXT PSModulePath APPDATA LOCALAPPDATA USERPROFILE USERDOMAIN USERNAME COMPUTERNAME`.split(/\s+/),
);

const prefixes = [
  'SSH_',
  'SLURM_',
  'PBS_',
  'LSB_',
  'SGE_',
  'XDG_',
  'DBUS_',
  'GPG_',
  'CONDA_',
  'VSCODE_',
  'WSL',
];

/** Whether a variable describes the machine that it is set on. */
export function describesMachine(name: string): boolean {
  return names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}

/** What of a change to the environment holds on another machine as well. */
export function acrossMachines({ set, unset }: EnvironmentChange): EnvironmentChange {
  return {
    set: Object.fromEntries(Object.entries(set).filter(([name]) => !describesMachine(name))),
    unset: unset.filter((name) => !describesMachine(name)),
  };
}
