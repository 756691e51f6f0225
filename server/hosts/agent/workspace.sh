# The files of runs on a host: contents by their hash, and a folder for each run that has tasks here.
#
# Run as `sh workspace.sh FOLDER OPERATION WORD…`; FOLDER is the host's. What lies in it:
#
#   contents/HASH          a content, whole; HASH.part one that is being sent, as far as that has come; HASH.resumed
#                          another name of it where more than one call has written to it
#   incoming.PID           contents that are being taken, and notes of who asks for many
#   runs/RUN/tree          the folder that tasks of the run work in
#   runs/RUN/index         what was in the tree when it was last looked at or written to: lines as below
#   runs/RUN/seen          what is in the tree, as the last `look` has found it
#   runs/RUN/putting       the process that has begun the last `put` there
#
# The operations. Names are relative to the tree, begin with `./` and end with NUL on stdin.
#
#   ask COUNT              stdin: so many lines HASH. Prints a line `HASH SIZE` for each content that is not here:
#                          SIZE is how much of it is, in bytes
#   put RUN HOW ZIP        stdin: a tar, compressed where ZIP is gzip, of contents as `in/HASH`; `links`, a tar of what
#                          is to be in the tree, as `stage/NAME`, files being hard links to `contents/HASH`; `large`,
#                          what else is to be there, as `HASH NAME`; `exec` and `gone`, names of files to be made
#                          executable and of what is to be removed; and last `whole`, without which it has been cut
#                          short. HOW is fresh where there is to be nothing else in the tree, else more
#   part HASH OFFSET SIZE ZIP    stdin: the bytes of a content from OFFSET on. SIZE is how many it has in all. It is
#                          whole when a `put` has named it
#   join HASH SIZE FILE CHANGES    makes the content HASH of FILE, which is relative to FOLDER, and the content CHANGES,
#                          which goes: blocks of 64 KiB in the order of stdin, whose lines FROM TO COUNT say that COUNT
#                          blocks from number FROM on of CHANGES have their place from number TO on
#   look RUN BUSY          prints what is in the tree and not in the index: lines `+ …`, and `- …` for what is in the
#                          index and not in the tree; then lines `HASH`, `denied` or `gone` for the files among the former, in order.
#                          Where BUSY is 1, other tasks go on meanwhile: what is open for writing is passed over, or
#                          what goes on changing, where nobody says what is open
#   get RUN                stdin: names of files. Prints what they hold, one after the other
#   rest RUN OFFSET        stdin: the name of a file. Prints what it holds from OFFSET on
#   blocks RUN NAME SIZE COUNT    prints the hashes of COUNT blocks of SIZE bytes, which is what the file NAME has
#   some RUN NAME SIZE FROM+COUNT…    prints of that file these blocks of SIZE bytes
#   accept RUN BUSY        what the last `look` has found becomes the index. Where BUSY is 1, other tasks go on
#                          meanwhile: what was changed just then could change again without a trace, and is left out
#   adopt OLD NEW          the folder of the run OLD becomes that of NEW, in place of any that is there
#   remove RUN…            removes these runs, and contents that no run has used for long
#
# A line says `KIND INODE SIZE CTIME MODE NAME`, KIND being f, l, d or another letter; after the name of a link come
# `//` and its target. Newlines in names and targets are bytes 1, and bytes 1 are bytes 2: a line has no more than
# that to tell them by, so what holds a byte 2 names nothing.
#
# Prints `ok` last where all went well. Nothing is ever seen half written: contents, files and trees are made under
# other names. What was in the tree and is replaced keeps its old inode, for whoever has it open.
#
# Small contents are copied into trees. A large one becomes the very file of the first tree that needs it, so that it is
# neither written nor kept twice: what a task writes there then is in the content as well. So the hash of a large
# content is looked at whenever it is used.

umask 077
LC_ALL=C
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
export LC_ALL PATH
_vb_root=$1
_vb_operation=$2
shift 2
_vb_self=$0

# Says why, such that it is known from what other programs, and start-up files, may have to say.
_vb_fail() {
  printf 'vbatch: %s\n' "$1" >&2
  exit 1
}

# ---- Hashes -----------------------------------------------------------------------------------

if command -v sha256sum >/dev/null 2>&1; then
  _vb_sum='sha256sum'
elif command -v shasum >/dev/null 2>&1; then
  _vb_sum='shasum -a 256'
else
  _vb_sum=
fi

# Chooses what finds the hashes of so many bytes. openssl takes longer to start, and then is several times as fast as
# a sha256sum that does without the processor's help.
_vb_choose() {
  if [ "$1" -gt 16000000 ] || [ -z "$_vb_sum" ]; then
    case $(openssl dgst -sha256 -r </dev/null 2>/dev/null) in
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\ *) _vb_sum='openssl dgst -sha256 -r' ;;
    esac
  fi
}

# Whether the file FILE holds what HASH says.
_vb_holds() {
  _vb_choose "$(($(wc -c <"$1")))"
  [ -z "$_vb_sum" ] || {
    _vb_line=$($_vb_sum <"$1" 2>/dev/null) && [ "${_vb_line%% *}" = "$2" ]
  }
}

# ---- Looking ----------------------------------------------------------------------------------

# Prints a record for each of the files given, for systems whose find prints none.
_vb_records() {
  if _vb_stats=$(stat -c '%F/%i/%s/%z/%a' "$@" 2>/dev/null || stat -f '%HT/%i/%z/%Fc/%Lp' "$@" 2>/dev/null); then
    printf '%s\n' "$_vb_stats" | for _vb_name; do
      IFS=/ read -r _vb_kind _vb_inode _vb_size _vb_changed _vb_mode || break
      case $_vb_kind in
      [Rr]egular*) _vb_kind=f ;;
      [Ss]ymbolic*)
        _vb_kind=l
        _vb_name=$_vb_name//$(readlink "$_vb_name")
        ;;
      [Dd]irectory)
        printf 'd 0 0 0 0 %s\0' "$_vb_name"
        continue
        ;;
      *) _vb_kind=o ;;
      esac
      _vb_day=${_vb_changed%% *}
      _vb_clock=${_vb_changed#* }
      printf '%s %s %s %s %s %s\0' "$_vb_kind" "$_vb_inode" "$_vb_size" "$_vb_day,${_vb_clock%% *}" "$_vb_mode" "$_vb_name"
    done
  elif [ "$#" -gt 1 ]; then
    # One of them is gone.
    for _vb_one; do _vb_records "$_vb_one"; done
  fi
}

# Prints a record for each file that find finds with these words.
_vb_find() {
  if find . -prune -printf '' 2>/dev/null; then
    find "$@" \( -type d -printf 'd 0 0 0 0 %p\0' -o -type l -printf 'l %i %s %C@ %m %p//%l\0' -o \
      -printf '%y %i %s %C@ %m %p\0' \)
  else
    find "$@" -exec sh "$_vb_self" "$_vb_root" records {} +
  fi
}

# From records to lines, in order.
_vb_lines() {
  tr '\n\000\001' '\001\n\002' | sed 's/^\([^ ]* [^ ]* [^ ]* [^ ]* [^ ]* \)\.\//\1/' | sort
}

# From lines to the names of the files among them.
_vb_names() {
  sed -n 's/^f [^ ]* [^ ]* [^ ]* [^ ]* /.\//p' | tr '\n\001' '\000\n'
}

# Prints those lines of stdin whose name is in none of the file FILE.
_vb_unnamed() {
  awk 'function name(line) {
    sub(/^[^ ]* [^ ]* [^ ]* [^ ]* [^ ]* /, "", line)
    sub(/\/\/.*/, "", line)
    return line
  }
  first { there[name($0)] = 1; next }
  !(name($0) in there)' first=1 "$1" first=0 -
}

# Prints a line for each file below the present folder that a process has open for writing.
_vb_open() {
  ls -l /proc/[0-9]*/fd 2>/dev/null |
    awk -v "here=$(pwd -P)/" '/^l.w/ && (at = index($0, " -> " here)) { print "f 0 0 0 0 " substr($0, at + 4 + length(here)) }'
}

# Where nobody says what is open: prints the lines of ../fresh whose files are others a second later. That is not
# waited for where nothing has changed just now.
_vb_restless() {
  awk -v "since=$(($(cat ../looked) - 2))" '$1 == "f" && ($4 !~ /^[0-9.]+$/ || $4 >= since) { found = 1 }
    END { exit !found }' ../fresh || return
  sleep 1
  _vb_names <../fresh | xargs -0 sh "$_vb_self" "$_vb_root" find | _vb_lines >../later
  comm -23 ../fresh ../later | grep '^f '
}

# Prints a line for each file: its hash, `denied` where it cannot be read, `gone` where it is not there any more.
_vb_hashes() {
  for _vb_file; do
    if _vb_line=$($_vb_sum <"$_vb_file" 2>/dev/null); then
      printf '%s\n' "${_vb_line%% *}"
    elif [ -e "$_vb_file" ]; then
      printf 'denied\n'
    else
      printf 'gone\n'
    fi
  done 2>/dev/null
}

_vb_look() {
  cd "runs/$1/tree" || exit 1
  date +%s >../looked
  _vb_find . ! -path . | _vb_lines >../seen || exit 1
  [ -e ../index ] || : >../index
  comm -13 ../index ../seen >../fresh && comm -23 ../index ../seen >../stale || exit 1
  : >../open
  if [ "$2" = 1 ] && [ -s ../fresh ]; then
    if [ -d /proc/self/fd ]; then _vb_open >../open; else _vb_restless >../open; fi
    _vb_unnamed ../open <../fresh >../rest
    mv -f ../rest ../fresh
    _vb_unnamed ../open <../stale >../rest
    mv -f ../rest ../stale
  fi
  sed 's/^/+ /' ../fresh
  _vb_choose "$(awk '$1 == "f" { bytes += $3 } END { printf "%d", bytes }' ../fresh)"
  [ ! -s ../stale ] || _vb_unnamed ../seen <../stale | sed 's/^/- /'
  if [ -n "$_vb_sum" ] && grep -q '^f ' ../fresh; then
    _vb_names <../fresh | xargs -0 $_vb_sum 2>/dev/null | sed -n 's/^\\//; s/^\([0-9a-f]\{64\}\) .*/\1/p' >../sums
    if [ "$(wc -l <../sums)" -ne "$(grep -c '^f ' ../fresh)" ]; then
      _vb_names <../fresh | xargs -0 sh "$_vb_self" "$_vb_root" hashes >../sums
    fi
    cat ../sums
  fi
}

_vb_blocks() {
  cd "runs/$1/tree" || exit 1
  _vb_choose "$3"
  _vb_number=0
  while [ "$_vb_number" -lt "$4" ]; do
    _vb_line=$(dd if="$2" bs="$3" skip="$_vb_number" count=1 2>/dev/null | $_vb_sum) || exit 1
    printf '%s\n' "${_vb_line%% *}"
    _vb_number=$((_vb_number + 1))
  done
}

_vb_some() {
  cd "runs/$1/tree" || exit 1
  _vb_name=$2
  _vb_size=$3
  shift 3
  for _vb_part; do
    dd if="$_vb_name" bs="$_vb_size" skip="${_vb_part%+*}" count="${_vb_part#*+}" 2>/dev/null || exit 1
  done
}

_vb_accept() {
  cd "runs/$1" || exit 1
  if [ "$2" = 1 ]; then
    {
      _vb_unnamed open <seen | awk -v "since=$(($(cat looked) - 2))" '$1 != "f" || $4 + 0 < since'
      # What is being written counts as it was.
      sed 's/^[^ ]* [^ ]* [^ ]* [^ ]* [^ ]* //' open >names
      awk 'first { there[$0] = 1; next } {
        name = $0
        sub(/^[^ ]* [^ ]* [^ ]* [^ ]* [^ ]* /, "", name)
      }
      name in there' first=1 names first=0 index
    } | sort -u >index.new
  else
    cp seen index.new
  fi && mv -f index.new index || exit 1
}

# ---- Writing ----------------------------------------------------------------------------------

# As many contents as to ask for which it takes less to list all that are here than to look for each.
_vb_many=1000

_vb_ask() {
  _vb_in=
  if [ "$1" -ge "$_vb_many" ]; then
    _vb_in=incoming.$$
    rm -rf "$_vb_in"
    mkdir "$_vb_in" && : >"$_vb_in/begun" && find contents ! -type d >"$_vb_in/here" || exit 1
    # Of what has come in part it has to be looked how much that is.
    awk -v "begun=$_vb_in/begun" 'isHere { here[$0]; next }
      ("contents/" $0 ".part") in here { print >begun; next }
      !(("contents/" $0) in here) { print $0, 0 }' isHere=1 "$_vb_in/here" isHere=0 - && exec <"$_vb_in/begun" || exit 1
  fi
  # A shell that reads lines from a pipe reads byte by byte.
  xargs sh "$_vb_self" "$_vb_root" lacking || exit 1
  [ -z "$_vb_in" ] || rm -rf "$_vb_in"
}

# Prints a line for each of the contents given that is not here.
_vb_lacking() {
  for _vb_hash; do
    _vb_size=0
    [ ! -f "contents/$_vb_hash.part" ] || _vb_size=$({ wc -c <"contents/$_vb_hash.part"; } 2>/dev/null)
    # Last, for what was a part a moment ago may be whole by now.
    [ -f "contents/$_vb_hash" ] || printf '%s %s\n' "$_vb_hash" "$((_vb_size))"
  done
}

_vb_unzip() {
  if [ "$1" = gzip ]; then gzip -dc; else cat; fi
}

_vb_part() {
  _vb_file=contents/$1
  [ ! -f "$_vb_file" ] || return 0
  _vb_size=0
  [ ! -f "$_vb_file.part" ] || _vb_size=$({ wc -c <"$_vb_file.part"; } 2>/dev/null)
  # More than there is of it has never been sent.
  if [ "$((_vb_size))" -gt "$3" ]; then rm -f "$_vb_file.part" && _vb_size=0 || exit 1; fi
  [ "$((_vb_size))" -eq "$2" ] || _vb_fail 'it is being sent already'
  # Were it moved to its place just now, writing would make an empty one.
  [ "$2" -lt "$3" ] || return 0
  # A call whose connection is lost may yet write what was on its way.
  rm -f "$_vb_file.resumed"
  if [ "$2" -eq 0 ]; then rm -f "$_vb_file.part"; else ln "$_vb_file.part" "$_vb_file.resumed"; fi || exit 1
  # It says itself why it could not, such as that the disk is full.
  _vb_unzip "$4" >>"$_vb_file.part" || exit 1
  [ "$(wc -c <"$_vb_file.part")" -ge "$3" ] || _vb_fail 'what was sent has not come whole'
}

_vb_join() {
  if [ -f "contents/$1" ]; then
    rm -f "contents/$4.part" "contents/$4.resumed"
    return 0
  fi
  _vb_file=contents/$1.new.$$
  # It shares its blocks with what it is made of where the file system can do that.
  cp "$3" "$_vb_file" || exit 1
  while read -r _vb_from _vb_to _vb_count; do
    dd if="contents/$4.part" of="$_vb_file" bs=65536 skip="$_vb_from" seek="$_vb_to" count="$_vb_count" conv=notrunc 2>/dev/null ||
      exit 1
  done
  # As long as it is to be, where it was longer.
  dd of="$_vb_file" bs=1 seek="$2" count=0 2>/dev/null </dev/null || exit 1
  rm -f "contents/$4.part" "contents/$4.resumed"
  if _vb_holds "$_vb_file" "$1"; then
    mv -f "$_vb_file" "contents/$1" || exit 1
  else
    rm -f "$_vb_file"
    _vb_fail 'what was sent has not come as it was'
  fi
}

# Ends a `put` that cannot be carried out.
_vb_give_up() {
  exec 2>&9
  _vb_trouble=$(grep '^vbatch: ' "$_vb_in/trouble" | head -n 1)
  _vb_trouble=${_vb_trouble#vbatch: }
  _vb_trouble=${_vb_trouble:-$(head -n 3 "$_vb_in/trouble")}
  rm -rf "$_vb_in"
  _vb_fail "${_vb_trouble:-what was sent has not come whole}"
}

_vb_put() {
  _vb_run=$_vb_root/runs/$1
  mkdir -p "$_vb_run" || exit 1
  [ "$2" = fresh ] || [ -d "$_vb_run/tree" ] || _vb_fail 'its folder is gone'
  # What was left by one that was ended.
  for _vb_file in incoming.*; do
    if [ -d "$_vb_file" ] && ! kill -0 "${_vb_file#incoming.}" 2>/dev/null; then rm -rf "$_vb_file"; fi
  done
  _vb_in=$_vb_root/incoming.$$
  rm -rf "$_vb_in"
  mkdir "$_vb_in" "$_vb_in/in" "$_vb_in/stage" && ln -s ../contents "$_vb_in/contents" || exit 1
  exec 9>&2 2>"$_vb_in/trouble"
  umask 022
  cd "$_vb_in" || _vb_give_up
  _vb_unzip "$3" | tar -xof -
  # What has come whole stays, also where the rest has not.
  if [ -n "$_vb_sum" ]; then
    (cd in && find . -type f -exec $_vb_sum {} +) |
      awk '{ sub(/^.*\.\//, "", $2) } $1 != $2 { print "in/" $2 }' | xargs rm -f
  elif [ ! -e whole ]; then
    _vb_give_up
  fi
  find in -type f -exec sh -c 'touch "$@" && mv -f "$@" contents/' sh {} + || _vb_give_up
  [ -e whole ] || _vb_give_up
  if [ -e links ]; then _vb_arrange "$2"; fi
  cd "$_vb_root" && rm -rf "$_vb_in"
}

# Whether the file FILE has so many names: FILE COUNT
_vb_named() {
  [ -n "$(find "$1" -prune -links "$2" 2>/dev/null)" ]
}

_vb_inode() {
  ls -id "$1" 2>/dev/null | awk '{ print $1; exit }'
}

# Makes the file FILE of a large content, if that is here: FILE CONTENT
_vb_take() {
  # What one call has sent, and nobody else has taken, is the file itself. Whatever was the file of a folder once is
  # copied: something may still have it open.
  if [ -n "$_vb_sum" ] && [ ! -f "$2" ] && _vb_named "$2.part" 1 && ln "$2.part" "$1" 2>/dev/null &&
    _vb_named "$1" 2; then
    _vb_source=$2.part
    _vb_number=$(_vb_inode "$1")
    return 0
  fi
  rm -f "$1"
  # What is a part may be whole a moment later.
  for _vb_source in "$2" "$2.part" "$2"; do
    [ ! -f "$_vb_source" ] || break
  done
  _vb_number=$(_vb_inode "$_vb_source")
  [ ! -r "$_vb_source" ] || cp "$_vb_source" "$1" || [ ! -r "$_vb_source" ] || exit 1
  [ -f "$1" ] || return
  _vb_keep "$_vb_source"
}

# Has what was needed stay: FILE-OR-FOLDER…
_vb_keep() {
  find "$@" -type f -mtime +7 -exec touch {} + 2>/dev/null
  return 0
}

# Has large contents in the present folder: `HASH NAME`…
_vb_large() {
  _vb_damaged=
  for _vb_file; do
    _vb_hash=${_vb_file%% *}
    _vb_file=${_vb_file#* }
    _vb_content=$_vb_root/contents/$_vb_hash
    case $_vb_file in ./*/*) mkdir -p "${_vb_file%/*}" || exit 1 ;; esac
    if _vb_take "$_vb_file" "$_vb_content" && _vb_holds "$_vb_file" "$_vb_hash"; then
      chmod 644 "$_vb_file" || exit 1
      # Without hashes, what a task writes into its file would not be noticed.
      [ -n "$_vb_sum" ] || _vb_file=$_vb_source
      [ -f "$_vb_content" ] || ln "$_vb_file" "$_vb_content" 2>/dev/null || [ -f "$_vb_content" ] || exit 1
      rm -f "$_vb_content.part" "$_vb_content.resumed"
    else
      # Unless the whole has been given up, so that there is no file.
      [ -d . ] && [ -d ../own ] || exit 1
      _vb_damaged=1
      # Another one may have come meanwhile.
      for _vb_source in "$_vb_content" "$_vb_content.part" "$_vb_content.resumed"; do
        [ "$(_vb_inode "$_vb_source")" != "$_vb_number" ] || rm -f "$_vb_source"
      done
    fi
  done
  [ -z "$_vb_damaged" ] || _vb_fail 'what was sent has not come as it was'
}

# Makes what is to be in the tree, and has it there.
_vb_arrange() {
  mkdir own && printf '%s\n' "$$" >"$_vb_run/putting" || _vb_give_up
  # They are hashed while the others are copied.
  (cd own && xargs -0 sh "$_vb_self" "$_vb_root" large) <large >/dev/null 9>&- &
  tar -xof links || _vb_give_up
  _vb_keep stage
  # Copies: a task may write into its files, but not into contents.
  cp -RP stage tree && rm -rf stage || _vb_give_up
  wait "$!" || _vb_give_up
  if [ -s large ]; then
    (cd own && find . -type d -exec sh "$_vb_self" "$_vb_root" folders "$_vb_in/tree" {} +) || _vb_give_up
  fi
  cd tree || _vb_give_up
  [ ! -s ../exec ] || xargs -0 chmod +x <../exec || _vb_give_up
  # One whose connection is lost goes on, but must not replace what has been made in its stead.
  [ "$(cat "$_vb_run/putting")" = "$$" ] || _vb_give_up
  if [ "$1" = fresh ]; then
    rm -rf "$_vb_run/tree" && mv "$_vb_in/tree" "$_vb_run/tree" && cd "$_vb_run/tree" || _vb_give_up
    _vb_find . ! -path . | _vb_lines >../index || _vb_give_up
  else
    _vb_merge || _vb_give_up
  fi
}

# Moves what was made into the tree, in which tasks may run.
_vb_merge() {
  if [ -s ../gone ]; then
    cd "$_vb_run/tree" || return
    xargs -0 rm -f <"$_vb_in/gone" 2>/dev/null
    xargs -0 rmdir <"$_vb_in/gone" 2>/dev/null
    cd "$_vb_in/tree" || return
  fi
  find . ! -path . -print0 >../names || return
  find . -type d -exec sh "$_vb_self" "$_vb_root" folders "$_vb_run/tree" {} + || return
  cd "$_vb_run/tree" || return
  : >../placed
  if [ -s "$_vb_in/names" ]; then
    xargs -0 sh "$_vb_self" "$_vb_root" find <"$_vb_in/names" | _vb_lines >../placed || return
  fi
  { tr '\n\000\001' '\001\n\002' <"$_vb_in/gone" | sed 's/^.\//- 0 0 0 0 /' && cat ../placed; } >../known
  { _vb_unnamed ../known <../index && cat ../placed; } | sort >../index.new && mv -f ../index.new ../index
}

# Moves what is in these folders to where it belongs below TREE: TREE FOLDER…
_vb_folders() {
  _vb_tree=$1
  shift
  for _vb_folder; do
    _vb_to=$_vb_tree/${_vb_folder#./}
    # Nothing is written through a link.
    if [ -h "$_vb_to" ] || [ -f "$_vb_to" ]; then rm -f "$_vb_to"; fi
    [ -d "$_vb_to" ] || mkdir "$_vb_to" || return
    find "$_vb_folder" -mindepth 1 -maxdepth 1 ! -type d -exec sh "$_vb_self" "$_vb_root" move "$_vb_to" {} + ||
      return
  done
}

# Moves files into a folder: TO FILE…
_vb_move() {
  _vb_to=$1
  shift
  for _vb_file; do
    _vb_file=$_vb_to/${_vb_file##*/}
    [ ! -d "$_vb_file" ] || [ -h "$_vb_file" ] || rm -rf "$_vb_file" || return
  done
  mv -f "$@" "$_vb_to/"
}

# ---- Operations -------------------------------------------------------------------------------

case $_vb_operation in
records)
  _vb_records "$@"
  exit
  ;;
find)
  _vb_find "$@" -prune
  exit
  ;;
hashes)
  _vb_hashes "$@"
  exit
  ;;
lacking)
  _vb_lacking "$@"
  exit
  ;;
large)
  umask 022
  _vb_large "$@"
  exit
  ;;
folders)
  umask 022
  _vb_folders "$@"
  exit
  ;;
move)
  _vb_move "$@"
  exit
  ;;
esac

mkdir -p "$_vb_root/contents" "$_vb_root/runs" && cd "$_vb_root" || exit 1
case $_vb_operation in
ask) _vb_ask "$@" ;;
put) _vb_put "$@" ;;
part) _vb_part "$@" ;;
join) _vb_join "$@" ;;
look) _vb_look "$@" ;;
get) cd "runs/$1/tree" && exec xargs -0 cat ;;
blocks) _vb_blocks "$@" ;;
some) _vb_some "$@" ;;
rest) cd "runs/$1/tree" && exec xargs -0 tail -c "+$(($2 + 1))" ;;
accept) _vb_accept "$@" ;;
# What is there of NEW is left of a `put` that was cut short: no task has it.
adopt) [ -d "runs/$1" ] && rm -rf "runs/$2" && mv "runs/$1" "runs/$2" ;;
remove)
  for _vb_run; do rm -rf "runs/$_vb_run"; done
  find contents -mtime +30 ! -type d -exec rm -f {} +
  ;;
esac || exit
printf 'ok\n'
