#!/usr/bin/env bash
# Tests of the script 'dev' at the root: what it refuses and with which words, and that a second run does no work twice.
#
#   bash tests/tidy/dev_test.sh SOURCE_DIR
#
# Works on a copy of the script in a temporary folder, where cmake, ctest and the package tools are small stand-ins that
# write down how they were called. Nothing is installed and nothing is compiled.
set -euo pipefail

source_dir=$(cd -- "${1:?usage: dev_test.sh SOURCE_DIR}" && pwd)
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
project=$folder/project
tools=$folder/tools
calls=$folder/calls
failures=0

fail() {
  failures=$((failures + 1))
  printf 'FAILED: %s: %s\n' "$case_name" "$1"
  sed 's/^/  stdout: /' "$folder/stdout"
  sed 's/^/  stderr: /' "$folder/stderr"
}

# begin NAME: a fresh copy, a Debian 12 with all packages, enough disk.
begin() {
  case_name=$1
  rm -rf -- "$project" "$calls"
  mkdir -p "$project/tests"
  cp -- "$source_dir/dev" "$project/dev"
  : >"$project/CMakePresets.json"
  : >"$calls"
  environment=(
    "PATH=$tools:$PATH"
    "DEMARCHE_OS_RELEASE=$folder/bookworm"
    "DEMARCHE_DPKG_QUERY=$tools/dpkg-all"
    "DEMARCHE_APT=$tools/apt-fails"
    "DEMARCHE_DISK_MB=1"
    "DEMARCHE_ANY_DISTRO="
    "DEMARCHE_JOBS=3"
    "TSAN_OPTIONS="
    "FAKE_CALLS=$calls"
  )
}

# run ARGUMENT...: calls the script from another directory; its environment is the case's.
run() {
  status=0
  (cd / && env "${environment[@]}" "$project/dev" "$@") >"$folder/stdout" 2>"$folder/stderr" </dev/null || status=$?
}

expect_status() { [[ $status == "$1" ]] || fail "exit status $status, expected $1"; }
expect_stderr() { grep -qF -- "$1" "$folder/stderr" || fail "standard error lacks '$1'"; }
expect_stdout() { [[ $(<"$folder/stdout") == "$1" ]] || fail "standard output is not '$1'"; }
expect_call() { grep -qF -- "$1" "$calls" || fail "no call of '$1' among: $(tr '\n' ';' <"$calls")"; }
expect_no_call() { ! grep -qF -- "$1" "$calls" || fail "a call of '$1' among: $(tr '\n' ';' <"$calls")"; }

# ---- stand-ins

mkdir -p "$tools"
make_tool() {
  cat >"$tools/$1"
  chmod +x "$tools/$1"
}
printf 'ID=debian\nVERSION_ID="12"\n' >"$folder/bookworm"
printf 'ID=fedora\nVERSION_ID=40\n' >"$folder/fedora"
printf 'ID=debian\nVERSION_ID="13"\n' >"$folder/trixie"

make_tool dpkg-all <<'END'
#!/bin/sh
shift 2
for package; do echo "$package installed"; done
END
make_tool dpkg-none <<'END'
#!/bin/sh
echo "dpkg-query: no packages found matching $3" >&2
exit 1
END
# Knows all but ccache, which was removed and left its settings.
make_tool dpkg-no-ccache <<'END'
#!/bin/sh
shift 2
for package; do
  if [ "$package" = ccache ]; then echo "$package config-files"; else echo "$package installed"; fi
done
END
make_tool apt-fails <<'END'
#!/bin/sh
echo "apt $*" >>"$FAKE_CALLS"
echo "Temporary failure resolving 'deb.debian.org'"
exit 100
END
make_tool apt-works <<'END'
#!/bin/sh
echo "apt $*" >>"$FAKE_CALLS"
END
make_tool apt-disk-full <<'END'
#!/bin/sh
echo "E: You don't have enough free space in /var/cache/apt/archives/."
exit 100
END
# Configures and builds: makes a build.ninja, and programs that say their arguments.
make_tool cmake <<'END'
#!/bin/sh
echo "cmake $*" >>"$FAKE_CALLS"
if [ "$1" = --build ]; then
  for step in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo "[$step/20] compiling $step.cc"; done
  if [ -n "${FAKE_BUILD_FAILS:-}" ]; then echo "FAILED: engine/store.cc.o"; exit 1; fi
  mkdir -p "build/$3/cli" "build/$3/bench"
  printf '#!/bin/sh\necho "demarche $*"\nexit 7\n' >"build/$3/cli/demarche"
  cp "build/$3/cli/demarche" "build/$3/bench/demarche_bench"
  chmod +x "build/$3/cli/demarche" "build/$3/bench/demarche_bench"
  printf '#!/bin/sh\necho "ratios $*"\nexit 5\n' >"build/$3/bench/demarche_ratios"
  chmod +x "build/$3/bench/demarche_ratios"
  if [ -n "${FAKE_BENCH_PASSES:-}" ]; then printf '#!/bin/sh\necho passed\n' >"build/$3/bench/demarche_bench"; fi
else
  if [ -n "${FAKE_CONFIGURE_FAILS:-}" ]; then echo "CMake Error: no RocksDB"; exit 1; fi
  mkdir -p "build/$2" && touch "build/$2/build.ninja"
fi
END
make_tool ctest <<'END'
#!/bin/sh
echo "ctest $*" >>"$FAKE_CALLS"
echo "suppressions $TSAN_OPTIONS" >>"$FAKE_CALLS"
echo "100% tests passed"
exit 8
END

# ---- verbs

begin "an unknown verb lists the verbs"
run mend
expect_status 2
expect_stderr "unknown verb 'mend'; known verbs:"
for verb in demo test build bench format lint asan tsan clang fuzz clean help; do expect_stderr "  $verb "; done
expect_stdout ""

begin "no verb lists the verbs"
run
expect_status 0
grep -q '^  demo ' "$folder/stdout" || fail "standard output does not list the verbs"

begin "a verb without arguments refuses some"
run clean everything
expect_status 2
expect_stderr "'clean' takes no arguments, found 'everything'"

# ---- refusals

begin "another distribution is refused"
environment+=("DEMARCHE_OS_RELEASE=$folder/fedora")
run demo
expect_status 1
expect_stderr "this system is 'fedora 40', and ./dev is made for Debian 12 (bookworm)"
expect_stderr "librocksdb-dev"
expect_stderr "DEMARCHE_ANY_DISTRO=1"
expect_no_call cmake

begin "another Debian is refused"
environment+=("DEMARCHE_OS_RELEASE=$folder/trixie")
run test
expect_status 1
expect_stderr "this system is 'debian 13'"
expect_stderr "libxml2-utils"

begin "a system without a name is refused"
environment+=("DEMARCHE_OS_RELEASE=$folder/absent")
run build
expect_status 1
expect_stderr "this system is 'unknown'"

begin "another distribution may be tried, without its packages being touched"
environment+=("DEMARCHE_OS_RELEASE=$folder/fedora" DEMARCHE_ANY_DISTRO=1 "DEMARCHE_DPKG_QUERY=$tools/dpkg-none")
run build
expect_status 0
expect_no_call apt
expect_call "cmake --build --preset release"

begin "too little disk is refused before anything is done"
environment+=(DEMARCHE_DISK_MB=999999999)
run demo
expect_status 1
expect_stderr "too little disk in '$project/build': 999999999 MB needed, "
expect_stderr "free some, then run the same command again"
expect_no_call cmake

begin "no network"
environment+=("DEMARCHE_DPKG_QUERY=$tools/dpkg-none")
run demo
expect_status 1
expect_stderr "Temporary failure resolving"
expect_stderr "dev: could not install g++ cmake ninja-build"
expect_stderr "check the network, then run the same command again"
expect_no_call "cmake --"
grep -q resolving "$project/build/dev-apt.log" || fail "build/dev-apt.log lacks apt's words"

begin "no room for packages"
environment+=("DEMARCHE_DPKG_QUERY=$tools/dpkg-none" "DEMARCHE_APT=$tools/apt-disk-full")
run demo
expect_status 1
expect_stderr "the disk is full; free some, then run the same command again"

begin "neither root nor sudo"
mkdir -p "$folder/few"
for tool in env bash readlink dirname mkdir df awk; do ln -sf "$(command -v "$tool")" "$folder/few/$tool"; done
printf '#!%s\necho 1000\n' "$(command -v sh)" >"$folder/few/id"
chmod +x "$folder/few/id"
environment+=("PATH=$folder/few" "DEMARCHE_DPKG_QUERY=$tools/dpkg-no-ccache" "DEMARCHE_APT=")
run demo
expect_status 1
expect_stderr "ask an administrator to run 'apt-get update && apt-get install -y --no-install-recommends ccache'"

begin "configuring fails"
environment+=(FAKE_CONFIGURE_FAILS=1)
run test
expect_status 1
expect_stderr "CMake Error: no RocksDB"
expect_stderr "could not configure build/dev: the first 'CMake Error' in build/dev-configure-dev.log says why"
expect_no_call "cmake --build"

begin "building fails"
environment+=(FAKE_BUILD_FAILS=1)
run test
expect_status 1
expect_stderr "FAILED: engine/store.cc.o"
expect_stderr "could not build build/dev: "
expect_no_call ctest

# ---- work

begin "demo: stages on standard error, the demonstration's output and exit status its own"
run demo --quick
expect_status 7
expect_stdout "demarche demo --quick"
expect_stderr "==> 1/4 packages: all installed"
expect_stderr "==> 2/4 configure (build/release)"
expect_stderr "==> 3/4 build (build/release, 3 at a time)"
expect_stderr "==> 4/4 demo"
expect_call "cmake --preset release"
expect_call "cmake --build --preset release -j 3 --target demarche"
expect_no_call apt
lines=$(grep -c compiling "$folder/stderr")
((lines < 12)) || fail "$lines lines of progress for 20 steps"

case_name="demo again: configured once"
: >"$calls"
run demo
expect_status 7
expect_stderr "==> 2/4 configure (build/release): done before"
expect_no_call "cmake --preset"

case_name="demo after the presets changed: configured again"
touch -d '+1 minute' "$project/CMakePresets.json"
: >"$calls"
run demo
expect_call "cmake --preset release"

begin "only what is missing is installed, and configuring follows"
environment+=("DEMARCHE_DPKG_QUERY=$tools/dpkg-no-ccache" "DEMARCHE_APT=$tools/apt-works")
run build
run build
expect_status 0
expect_stderr "==> 1/3 packages (1 to install"
expect_call "update"
expect_call "install -y --no-install-recommends ccache"
[[ $(grep -c 'cmake --preset' "$calls") == 2 ]] || fail "not configured after each of two installations"

begin "test: ctest's summary is the last output, its exit status is kept, its arguments are passed"
run test -R codec
expect_status 8
expect_stdout "100% tests passed"
expect_call "ctest --preset dev --output-on-failure -j2 -R codec"
expect_call "cmake --build --preset dev -j 3 --target all"

begin "bench: its own program and arguments"
run bench --list
expect_status 7
expect_stdout "demarche --list"
expect_call "--target demarche_bench"

begin "bench: a failure ends it before the ratios"
run bench
expect_status 7
expect_stdout "demarche "

begin "bench: without arguments the ratios at size S follow"
environment+=(FAKE_BENCH_PASSES=1)
run bench
expect_status 5
expect_stdout "passed
ratios --folder build/bench --commit - --size S"

begin "bench ratios: alone, with their arguments and without the package of the benchmarks"
run bench ratios --size tiny
expect_status 5
expect_stdout "ratios --folder build/bench --commit - --size tiny"
expect_call "--target demarche_ratios"

for preset in asan tsan clang; do
  begin "$preset: its own preset"
  run "$preset"
  expect_status 8
  expect_call "ctest --preset $preset "
  expect_no_call "tsan.supp"
done

begin "tsan: suppressions, if there are some"
: >"$project/tests/tsan.supp"
run tsan
expect_call "suppressions='$project/tests/tsan.supp'"

begin "clean removes build/"
run build
run clean
expect_status 0
[[ ! -e $project/build ]] || fail "build/ is still there"

if ((failures > 0)); then
  echo "$failures failed"
  exit 1
fi
echo "all passed"
