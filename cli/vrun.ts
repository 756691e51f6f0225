import { main } from './program.ts';

void main('vrun');
