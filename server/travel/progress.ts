/** How far files have come. */
export interface Progress {
  files: number;
  allFiles: number;
  bytes: number;
  allBytes: number;
}

/** Counts what has come, and tells each time. */
export class Count {
  private readonly progress: Progress;

  constructor(
    contents: readonly { size: number }[],
    private readonly tell: (progress: Progress) => void,
  ) {
    const allBytes = contents.reduce((sum, { size }) => sum + size, 0);
    this.progress = { files: 0, allFiles: contents.length, bytes: 0, allBytes };
    this.add(0, 0);
  }

  /** So much has come. It may be less than nothing, where something has to come again. */
  add(bytes: number, files: number): void {
    this.progress.bytes += bytes;
    this.progress.files += files;
    this.tell({ ...this.progress });
  }

  /** So many bytes need not come. */
  spare(bytes: number): void {
    this.progress.allBytes -= bytes;
    this.add(0, 0);
  }
}
