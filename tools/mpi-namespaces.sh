#!/usr/bin/env bash
# Two "machines" on one: network namespaces joined by a virtual cable, one rank in each, Open MPI over TCP between them. Compares the log of losses
# with a run in one process. Needs root, iproute2 and Open MPI, and the built command.
#   tools/mpi-namespaces.sh RECIPE [further arguments of distill]
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: $0 RECIPE [arguments of distill]" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
program="$root/src/OnnxDistill.Cli/bin/Release/net10.0/OnnxDistill.Cli.dll"
[ -f "$program" ] || { echo "$program is not there: dotnet build -c Release" >&2; exit 2; }
for needed in ip mpirun unshare; do command -v "$needed" >/dev/null || { echo "$needed is not installed" >&2; exit 2; }; done
work=$(mktemp -d)
first=oxd-$$-0 second=oxd-$$-1
cleanup() {
    ip netns del "$first" 2>/dev/null || true
    ip netns del "$second" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

ip netns add "$first"
ip netns add "$second"
ip link add "oxv$$" netns "$first" type veth peer name "oxw$$" netns "$second"
ip -n "$first" addr add 10.77.0.1/24 dev "oxv$$"
ip -n "$second" addr add 10.77.0.2/24 dev "oxw$$"
for space in "$first" "$second"; do ip -n "$space" link set lo up; done
ip -n "$first" link set "oxv$$" up
ip -n "$second" link set "oxw$$" up

# What mpirun calls in place of ssh: HOST COMMAND...; another host name keeps Open MPI from taking both for one machine.
cat > "$work/agent" <<AGENT
#!/usr/bin/env bash
shift
exec ip netns exec "$second" unshare --uts bash -c 'hostname second; eval "\$1"' agent "\$*"
AGENT
chmod +x "$work/agent"

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# One thread a rank: both machines are this one.
dotnet "$program" distill "$@" -o "$work/one" --set training.threads=1 > "$work/one.txt"
ip netns exec "$first" mpirun -n 2 --host 10.77.0.1,10.77.0.2 --bind-to none --mca plm_rsh_agent "$work/agent" \
    --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 \
    dotnet "$program" distill "$@" -o "$work/two" --set training.threads=1 > "$work/two.txt"
echo "bytes through the cable: $(ip netns exec "$first" cat "/sys/class/net/oxv$$/statistics/tx_bytes") out, $(ip netns exec "$first" cat "/sys/class/net/oxv$$/statistics/rx_bytes") in"

# All columns but the last, which is the speed.
awk -F, -v OFS=, 'FNR == 1 { next }
    NR == FNR { for (i = 1; i < NF; i++) one[FNR, i] = $i; next }
    { rows++; for (i = 1; i < NF; i++) { d = $i - one[FNR, i]; if (d < 0) d = -d; s = one[FNR, i] < 0 ? -one[FNR, i] : one[FNR, i]; if (s > 0 && d / s > worst) worst = d / s } }
    END { printf "%d rows, largest relative difference %.2e\n", rows, worst; exit !(rows > 0 && worst < 1e-4) }' "$work/one/log.csv" "$work/two/log.csv"
