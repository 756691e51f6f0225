/** Whose window a run belongs to. Pure. */
import { isAbsolute, relative, sep } from 'node:path';
import type { TaskView } from '../../server/protocol/tasks.ts';

/** Whether a run was submitted in one of the folders, or works with the files of one. */
export function belongsTo(
  folders: readonly string[],
  { cwd, workspace }: Pick<TaskView, 'cwd' | 'workspace'>,
): boolean {
  return folders.some(
    (folder) => isWithin(cwd, folder) || (workspace !== null && isWithin(workspace, folder)),
  );
}

/** Whether a path is a folder or in it. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
