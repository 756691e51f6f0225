/**
 * The scripts that `vctl completion` prints. They know nothing themselves: `vctl __complete SHELL
 * WORD…` prints a line `TEXT<tab>DESCRIPTION` for each candidate, and last what the shell is to
 * complete by itself: `:none`, `:files`, `:directories`, or `:command N`, a command from word N on.
 */
import type { Candidate, Completion } from './complete.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The answer to `__complete` in the form that the scripts read. */
export function completionLines({ candidates, delegate }: Completion): string {
  const lines = candidates.map(({ text, description }) => `${oneLine(text)}\t${oneLine(description)}`);
  const last =
    delegate === null
      ? ':none'
      : typeof delegate === 'string'
        ? `:${delegate}`
        : `:command ${delegate.command}`;
  return `${[...lines, last].join('\n')}\n`;
}

function oneLine(text: string): string {
  return text.replace(/[\t\r\n]+/g, ' ');
}

/**
 * bash makes words of their own of `=`, so that `--pool=x` arrives as three; what it wants back is
 * the part after the `=` alone. These are the words as they were written, and the way back.
 */
export function joinedAtEquals(words: readonly string[]): {
  words: string[];
  /** The candidates and the delegate in terms of the words as bash has them. */
  split: (completion: Completion) => Completion;
} {
  const joined: { text: string; start: number }[] = [];
  let last = '';
  for (const [start, word] of words.entries()) {
    const before = joined.at(-1);
    const glued = before?.text.startsWith('--') && (word === '=' || last === '=');
    if (before !== undefined && glued && (word !== '=' || !before.text.includes('='))) before.text += word;
    else joined.push({ text: word, start });
    last = word;
  }
  const current = joined.at(-1)?.text ?? '';
  const cut = /^--[^=]+=/.exec(current)?.[0].length ?? 0;
  return {
    words: joined.map(({ text }) => text),
    split: ({ candidates, delegate }) => ({
      candidates: candidates.map(
        ({ text, description }): Candidate => ({ text: text.slice(cut), description }),
      ),
      delegate:
        delegate !== null && typeof delegate === 'object'
          ? { command: joined[delegate.command]?.start ?? words.length - 1 }
          : delegate,
    }),
  };
}

const bash = `# Completions of vbatch, vrun and vctl for bash. In ~/.bashrc:
#   eval "$(vctl completion bash)"
_vbatch_complete() {
  local candidate description quoted directive=:none
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate description; do
    case $candidate in
      :*) directive=$candidate ;;
      *) printf -v quoted %q "$candidate"; COMPREPLY+=("$quoted") ;;
    esac
  done < <(vctl __complete bash "\${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
  case $directive in
    :files) compopt -o default ;;
    :directories) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "\${COMP_WORDS[COMP_CWORD]}") ;;
    ':command '*)
      if declare -F _command_offset >/dev/null; then
        _command_offset "\${directive#:command }"
      elif [ "\${directive#:command }" -eq "$COMP_CWORD" ]; then
        compopt -o filenames; mapfile -t COMPREPLY < <(compgen -c -f -- "\${COMP_WORDS[COMP_CWORD]}" | sort -u)
      else
        compopt -o default
      fi ;;
  esac
}
complete -F _vbatch_complete vbatch vrun vctl
`;

const zsh = `#compdef vbatch vrun vctl
# Completions of vbatch, vrun and vctl for zsh. In ~/.zshrc, after compinit:
#   eval "$(vctl completion zsh)"
_vbatch_complete() {
  local line directive=:none
  local -a candidates
  while IFS= read -r line; do
    case $line in
      :*) directive=$line ;;
      *) candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <(vctl __complete zsh "\${(@Q)words[1,CURRENT]}" 2>/dev/null)
  (( $#candidates )) && _describe -V value candidates
  case $directive in
    :files) _files ;;
    :directories) _files -/ ;;
    ':command '*)
      local skip=\${directive#:command }
      shift $skip words
      (( CURRENT -= skip ))
      _normal ;;
  esac
}
compdef _vbatch_complete vbatch vrun vctl
`;

const fish = `# Completions of vbatch, vrun and vctl for fish. In ~/.config/fish/config.fish:
#   vctl completion fish | source
function __vbatch_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    for line in (vctl __complete fish $before "$current" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$current"
            case ':directories'
                __fish_complete_directories "$current"
            case ':command *'
                set -l first (math (string replace ':command ' '' -- $line) + 1)
                set -l words (string escape -- $before)[$first..-1]
                test $first -gt (count $before); and set words
                complete -C (string join ' ' -- $words "$current")
            case ':*'
            case '*'
                echo $line
        end
    end
end
for program in vbatch vrun vctl
    complete -c $program -f -a '(__vbatch_complete)'
end
`;

/** The script for a shell. */
export function completionScript(shell: Shell): string {
  return { bash, zsh, fish }[shell];
}
