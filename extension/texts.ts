/** Words of a person's language, and times as people of a place write them. */

/** Where texts come from: `vscode.l10n`, or English in tests. */
export interface Texts {
  t(message: string, ...values: (string | number)[]): string;
}

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** The time of day, or the date of what is not of today. */
export function momentText(time: number, now: number): string {
  const isToday = new Date(time).toDateString() === new Date(now).toDateString();
  return (isToday ? timeOfDay : dayOfYear).format(time);
}
