#!/bin/sh
# Makes a fresh machine one that was a farm before goplot: disks in fstab, plots in the root of one, NTFS,
# mergerfs, one NVMe drive that is used for more than plots.
set -eu
# Neither has its driver in every kernel; both work through FUSE.
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq --no-install-recommends install ntfs-3g mergerfs >/dev/null

mkdir -p /farm/1/disk1 /farm/2/pool /mnt/pool /mnt/nvme
cat >>/etc/fstab <<'END'
UUID=6d0c0024-0000-4000-8000-000000000001 /farm/1/disk1 ext4 noatime,nofail 0 0
UUID=6d0c0024-0000-4000-8000-000000000002 /mnt/pool ext4 noatime,nofail 0 0
UUID=6d0c0024-0000-4000-8000-000000000003 /mnt/nvme ext4 noatime,nofail 0 0
/mnt/poo* /farm/2/pool mergerfs noauto,allow_other,minfreespace=1M,x-systemd.requires-mounts-for=/mnt/pool,x-systemd.wanted-by=multi-user.target 0 0
END
mkntfs --quick --quiet --force --label disk2 /dev/vdc
systemctl daemon-reload
mount /farm/1/disk1
mount /mnt/pool
mount /mnt/nvme
mount /farm/2/pool
mkdir /mnt/nvme/plot_temp
echo x >/farm/1/disk1/plot-k18-2020-01-01-00-00-"$(printf '11%.0s' $(seq 32))".plot

# Neither Chia's program nor its keys are needed here; the plotter is a command template.
mkdir -p /opt/chia/plotting/bin
cat >/opt/chia/plotting/bin/chia <<'END'
#!/bin/sh
mkdir -p "$CHIA_ROOT/config" && touch "$CHIA_ROOT/config/config.yaml"
END
chmod 755 /opt/chia/plotting/bin/chia
mkdir /mnt/nvme/old

# Monitoring: a Prometheus of the owner's answers at its port, and node_exporter has a configuration.
mkdir -p /etc/prometheus
echo 'scrape_configs: [{job_name: mine}]' >/etc/prometheus/prometheus.yml
echo 'ARGS="--collector.systemd"' >/etc/default/prometheus-node-exporter
cat >/etc/systemd/system/mine.service <<'END'
[Service]
ExecStart=/usr/bin/python3 -m http.server 9090
END
systemctl daemon-reload
systemctl enable --now --quiet mine

cat >/opt/shell-plotter <<'END'
#!/bin/sh
# Makes what goplot verifies of a k18 plot: its header and its size.
id=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
echo x >"$2/second.tmp" && ls "$2"
python3 - "$1/plot-k18-2026-11-22-17-53-$id.plot" "$id" <<'END_OF_PYTHON'
import sys
with open(sys.argv[1], "wb") as file:
    file.write(b"Proof of Space Plot" + bytes.fromhex(sys.argv[2]) + bytes([18]))
    file.truncate(3889102)
END_OF_PYTHON
END
chmod 755 /opt/shell-plotter
