/** Which of the known words somebody probably meant. It lives in the model, which imports nothing else. */
export { closest, nearest } from '../model/nearest.ts';
