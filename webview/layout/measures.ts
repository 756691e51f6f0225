/** Sizes of what surrounds and fills a box, in units of the picture: pixels at zoom 1. */
export const headHeight = 34;
export const padding = 14;
export const cell = { width: 132, height: 24, gap: 4 } as const;
