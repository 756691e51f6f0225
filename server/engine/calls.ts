import { isAbsolute, join } from 'node:path/posix';
import { PassThrough, type Readable } from 'node:stream';
import type { CallAnswer, HostCalls, LogStream, NestedCall } from '../hosts/host.ts';
import { scriptOf } from '../model/naming.ts';
import { type CommandLineCall, parseCommandLine, type SubmitCall } from '../protocol/commandLine.ts';
import { errorEntry, isErrorCode, VbatchError } from '../protocol/errors.ts';
import { endSentence, exitCodeOf } from '../protocol/exitCode.ts';
import type { LogChunk } from '../protocol/logs.ts';
import { scriptDefaults, scriptHeadBytes } from '../protocol/scriptDefaults.ts';
import { taskJson } from '../protocol/taskJson.ts';
import { type SubmitResult, submissionSchema } from '../protocol/tasks.ts';
import { parseKey } from './logs.ts';
import type { EngineService } from './service.ts';

/** Reads variables of the calling process, for `-e NAME`. */
type Lookup = (name: string) => string | undefined;

/**
 * Calls of vbatch and vrun from inside tasks. The host has kept the call on disk until it is
 * answered, so one that a crash left unanswered comes again, and its key makes it the same task.
 */
export class Calls {
  /** Submissions of one attempt are taken one after another, in the order in which they came (R33). */
  private readonly lines = new Map<string, Promise<unknown>>();

  constructor(
    private readonly engine: EngineService,
    private readonly version: string,
    private readonly log: (message: string) => void,
  ) {}

  take(host: HostCalls, call: NestedCall): void {
    const before = this.lines.get(call.attempt) ?? Promise.resolve();
    const submitted = before.then(() => this.submit(host, call));
    const line = submitted.catch(() => {});
    this.lines.set(call.attempt, line);
    void line.then(() => this.lines.get(call.attempt) === line && this.lines.delete(call.attempt));
    submitted
      .then((finish) => finish())
      .then((answer) => host.answer(call.key, answer))
      .catch((error: unknown) => host.answer(call.key, this.failure(call, error)));
  }

  /** Submits and returns what is left to do: waiting must not hold up the attempt's next call. */
  private async submit(host: HostCalls, call: NestedCall): Promise<() => Promise<CallAnswer>> {
    const parsed = await this.parse(host, call);
    if (parsed.kind !== 'submit') return async () => plainAnswer(call, parsed);
    if (parsed.tty)
      throw new VbatchError(
        'usage',
        "-t needs a person's terminal, and inside a task there is none to hand on",
      );
    const directory =
      parsed.directory === null ? call.directory : join('/', absolute(parsed.directory, call.directory));
    const checked = submissionSchema.safeParse({ ...parsed.submission, directory, key: call.key });
    if (!checked.success)
      throw new VbatchError('invalid', checked.error.issues[0]?.message ?? 'invalid submission');
    const { task, attempt } = parseKey(call.attempt);
    const submitter = { parent: task, attempt, environment: call.environment };
    const [result] = await this.engine.submit([checked.data], submitter, { dryRun: parsed.dryRun });
    return async () => this.finish(host, call, parsed, result);
  }

  private async parse(host: HostCalls, call: NestedCall): Promise<CommandLineCall> {
    const lookup: Lookup = (name) => call.variables.get(name);
    const context = { lookup, version: this.version };
    const first = parseCommandLine(call.program, call.args, context);
    if (first.kind !== 'submit') return first;
    const script = scriptOf(first.submission.command);
    if (script === null) return first;
    const file = absolute(script, absolute(first.directory ?? '.', call.directory));
    const head = await host.readHead(file, scriptHeadBytes);
    const defaults = head === null ? [] : scriptDefaults(head, script);
    return defaults.length === 0
      ? first
      : parseCommandLine(call.program, call.args, { ...context, defaults });
  }

  private async finish(
    host: HostCalls,
    call: NestedCall,
    parsed: SubmitCall,
    result: SubmitResult | undefined,
  ): Promise<CallAnswer> {
    if (result === undefined) throw new VbatchError('internal', 'the submission had no result');
    if ('error' in result) {
      const code = isErrorCode(result.error.code) ? result.error.code : 'internal';
      throw new VbatchError(code, result.error.message);
    }
    const notes = parsed.quiet ? '' : result.notes.map((note) => `${call.program}: ${note}\n`).join('');
    if (parsed.dryRun)
      return { exitCode: 0, stdout: '', stderr: `${notes}${call.program}: would submit ${result.id}\n` };
    if (!parsed.wait) return { exitCode: 0, stdout: await this.shown(parsed, result.id), stderr: notes };
    return await this.waitFor(host, call, parsed, result.id, notes);
  }

  private async shown(parsed: SubmitCall, id: string): Promise<string> {
    return parsed.json ? `${JSON.stringify(taskJson(await this.engine.find(id)), null, 2)}\n` : `${id}\n`;
  }

  private async waitFor(
    host: HostCalls,
    call: NestedCall,
    parsed: SubmitCall,
    id: string,
    notes: string,
  ): Promise<CallAnswer> {
    const fed = parsed.follow
      ? [this.feed(host, call, id, 'stdout'), this.feed(host, call, id, 'stderr')]
      : [];
    if (call.program === 'vrun') this.cancelWith(call, id);
    const view = await this.engine.whenDone(id, new AbortController().signal);
    await Promise.all(fed);
    const sentence = parsed.quiet ? null : endSentence(view);
    return {
      exitCode: exitCodeOf(view),
      stdout: parsed.follow ? '' : `${id}\n`,
      stderr: sentence === null ? notes : `${notes}${call.program}: ${sentence}\n`,
    };
  }

  /** A task belongs to its vrun, and is cancelled with it. */
  private cancelWith({ key, gone }: NestedCall, id: string): void {
    const cancel = () => {
      this.engine.cancel(id).catch((error: unknown) => this.log(`call ${key} is gone: ${String(error)}`));
    };
    if (gone.aborted) cancel();
    else gone.addEventListener('abort', cancel, { once: true });
  }

  private async feed(host: HostCalls, call: NestedCall, id: string, stream: LogStream): Promise<void> {
    try {
      await this.handOver(host, call, id, stream);
    } catch (error) {
      // The call goes on: that its task ends, and how, matters more than what it prints.
      this.log(`${stream} of ${id} was not shown to call ${call.key}: ${String(error)}`);
    }
  }

  private async handOver(host: HostCalls, call: NestedCall, id: string, stream: LogStream): Promise<void> {
    const log: Readable = await this.engine.log(id, { stream, follow: true });
    const bytes = new PassThrough();
    log.on('data', (chunk: LogChunk) => {
      if (!bytes.write(chunk.data)) {
        log.pause();
        bytes.once('drain', () => log.resume());
      }
    });
    log.once('end', () => bytes.end());
    log.once('error', (error) => bytes.destroy(error));
    bytes.once('close', () => log.destroy());
    await host.feed(call.key, stream, bytes);
  }

  private failure(call: NestedCall, error: unknown): CallAnswer {
    if (error instanceof VbatchError) {
      return {
        exitCode: errorEntry(error.code).exitCode,
        stdout: '',
        stderr: `${call.program}: ${error.message}\n`,
      };
    }
    this.log(
      `call ${call.key} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return {
      exitCode: 1,
      stdout: '',
      stderr: `${call.program}: an internal error; see \`vctl server log\`\n`,
    };
  }
}

function plainAnswer(call: NestedCall, parsed: Exclude<CommandLineCall, SubmitCall>): CallAnswer {
  if (parsed.kind === 'usage')
    return { exitCode: 2, stdout: '', stderr: `${call.program}: ${parsed.message}\n` };
  return { exitCode: 0, stdout: parsed.text, stderr: '' };
}

function absolute(path: string, base: string): string {
  return isAbsolute(path) ? path : join(base, path);
}
