/** The scripts that `cfs completion SHELL` prints. They ask `cfs __complete` at each key: nothing in them goes stale. */

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const BASH = `# Completion of cfs for bash. Load it with:  source <(cfs completion bash)
# or for all users:  cfs completion bash > /etc/bash_completion.d/cfs
_cfs_complete() {
  local line first
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ -z $first ]]; then
      first=1
      case $line in
        :files | :directories)
          local word=\${COMP_WORDS[COMP_CWORD]} kind=-f
          [[ $line == :directories ]] && kind=-d
          [[ $word == = ]] && word=
          compopt -o filenames 2>/dev/null
          while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen $kind -- "$word")
          return
          ;;
        :nospace)
          compopt -o nospace 2>/dev/null
          continue
          ;;
      esac
    fi
    COMPREPLY+=("$line")
  done < <("\${COMP_WORDS[0]}" __complete bash "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -F _cfs_complete cfs
`;

const ZSH = `#compdef cfs
# Completion of cfs for zsh. Load it with:  source <(cfs completion zsh)
# or put it where zsh looks for functions:  cfs completion zsh > "\${fpath[1]}/_cfs"
_cfs() {
  local -a lines values descriptions space
  local line
  lines=("\${(@f)$("\${(Q)words[1]}" __complete zsh "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  case $lines[1] in
    :files) _files; return ;;
    :directories) _files -/; return ;;
    :nospace) space=(-S ''); shift lines ;;
  esac
  for line in $lines; do
    [[ -z $line ]] && continue
    values+=("\${line%%$'\\t'*}")
    if [[ $line == *$'\\t'* ]]; then
      descriptions+=("\${line%%$'\\t'*}  -- \${line#*$'\\t'}")
    else
      descriptions+=("$line")
    fi
  done
  (( $#values )) || return 1
  compadd -l -d descriptions $space -a values
}
if [[ $funcstack[1] == _cfs ]]; then
  _cfs "$@"
else
  compdef _cfs cfs
fi
`;

const FISH = `# Completion of cfs for fish. Load it with:  cfs completion fish | source
# or for good:  cfs completion fish > ~/.config/fish/completions/cfs.fish
function __cfs_complete
    set -l lines (cfs __complete fish (commandline -cp) 2>/dev/null)
    switch "$lines[1]"
        case :files
            __fish_complete_path (commandline -ct)
        case :directories
            __fish_complete_directories (commandline -ct)
        case :nospace
            printf '%s\\n' $lines[2..-1]
        case '*'
            printf '%s\\n' $lines
    end
end
complete -c cfs -f -a '(__cfs_complete)'
`;

export const COMPLETION_SCRIPTS: Record<Shell, string> = { bash: BASH, zsh: ZSH, fish: FISH };
