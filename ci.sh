#!/usr/bin/env bash
# Runs everything that must hold before a change lands: format, lints, tests, documentation, examples, the main job.
# Works from a clean clone; needs Rust and a C compiler, and installs the rest. Honours CARGO_TARGET_DIR.
set -euo pipefail
cd "$(dirname "$0")"

# Pipelines of its own, so that it can see at the end whether one was left behind.
PODWIRE_SHM_DIR=$(mktemp -d /dev/shm/podwire-ci.XXXXXX)
export PODWIRE_SHM_DIR
trap 'rm -rf "$PODWIRE_SHM_DIR"' EXIT

# Nothing is built twice here: incremental builds would only cost disk.
export CARGO_INCREMENTAL=0

step() { printf '\n== %s (after %s s)\n' "$1" "$SECONDS"; }

step "tools"
for component in rustfmt clippy; do
  cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component"
done
# Hosts of tests are network namespaces; their certificates are made by openssl.
{ command -v ip && command -v openssl; } >/dev/null || { apt-get update && apt-get install -y iproute2 openssl; } || true
command -v cc >/dev/null || { apt-get update && apt-get install -y gcc libc6-dev; }
command -v make >/dev/null || { apt-get update && apt-get install -y make; }
cargo --version

# One set of features for the workspace, so that everything is built once; UCX from source, which takes two minutes.
features=podwire/distributed,podwire/ucx,podwire/cuda,podwire/conformance,podwire-fragment/conformance

step "format"
cargo fmt --all --check
cargo fmt --manifest-path fuzz/Cargo.toml --check
cargo fmt --manifest-path tests/loom/Cargo.toml --all --check
for manifest in benches/Cargo.toml benches/*/Cargo.toml; do cargo fmt --manifest-path "$manifest" --check; done

step "unsafe code"
scripts/unsafe

step "lints"
cargo clippy --workspace --all-targets --features $features --locked -- -D warnings
cargo clippy -p podwire-codec-core --all-targets --all-features --locked -- -D warnings

step "what it is built upon"
scripts/dependencies

step "without the standard library, and with few features"
cargo check -p podwire-codec-core --no-default-features --locked
cargo check -p podwire --no-default-features --locked
cargo check -p podwire --no-default-features --features derive --locked
cargo check -p podwire --features fragment --locked
# Without UCX; what this checks of others is what was linted.
cargo clippy --workspace --exclude podwire-codec-core --features ${features/podwire\/ucx,/} --locked -- -D warnings

step "tests"
cargo test --workspace --exclude podwire-codec-core --features $features --locked
cargo test -p podwire-codec-core --all-features --locked

step "every hostile case has a test that runs"
lists=$(mktemp -d)
cargo test --workspace --exclude podwire-codec-core --features $features --locked --lib --bins --tests -- --list >"$lists/workspace"
cargo test -p podwire-codec-core --all-features --locked --lib --tests -- --list >"$lists/core"
scripts/hostile-cases "$lists/workspace" "$lists/core"
rm -r "$lists"

step "hostile input for every codec"
scripts/hostile --inputs 100000 --seed 1

step "the default depth on a small stack, optimised"
cargo test --release -p podwire-codec-core --test hostile_depth --test schemas --locked

step "registrations, however they are linked"
scripts/linker

step "crash points"
cargo test -p podwire-fastio --features crash-points --locked

step "a storm of kills"
scripts/storm --kills 300 --seed 1

step "a storm of kills over an application of several processes"
scripts/storm-fragments --kills 20 --seed 1

step "documentation"
RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --features $features --locked

step "examples"
# The tests built them; to build them for themselves would be another set of features.
for example in derive coordinate dispatch custom_endpoint tensor ping_distributed custom_transport gpu_threshold; do
  "${CARGO_TARGET_DIR:-target}/debug/examples/$example"
done
"${CARGO_TARGET_DIR:-target}/debug/examples/custom_transport" --suite
"${CARGO_TARGET_DIR:-target}/debug/examples/sensor_fusion" --config examples/data/sensor_fusion.toml
cargo run --quiet --locked -p zstd-endpoint

step "the main job"
cargo run --release --locked --example volume_pipeline

step "the benchmark of codecs builds, and its round trips hold"
scripts/bench --check

step "the benchmarks of device memory and of Fast I/O compile"
# The others build Zenoh or UCX once more.
for bench in device fastio; do cargo check --locked --manifest-path "benches/$bench/Cargo.toml"; done

step "Python"
scripts/python

step "no more instructions than before"
scripts/instructions

step "every order of what is lock-free"
scripts/loom

step "inputs that nobody thought of"
# Where it is there already: to install it and to build all under AddressSanitizer takes longer than it runs.
if command -v cargo-fuzz >/dev/null; then FUZZ_SEED=1 scripts/fuzz 120; else echo "skipped: cargo-fuzz"; fi

step "nothing is left behind"
left=$(find "$PODWIRE_SHM_DIR" -mindepth 2)
[ -z "$left" ] || { printf 'left in shared memory:\n%s\n' "$left"; exit 1; }
changed=$(git status --porcelain 2>/dev/null || true)
[ -z "$changed" ] || printf 'note: the tree has changes:\n%s\n' "$changed"

printf '\nall passed after %s s\n' "$SECONDS"
