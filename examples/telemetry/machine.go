package main

import (
	"context"
	"log/slog"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/net"
)

// machine measures the computer that the program runs on. One goroutine at a time may use it.
type machine struct {
	gauges []gauge
	failed map[string]bool // what has been logged as not to be had here
	log    *slog.Logger
}

// A gauge measures one or more metrics at once.
type gauge struct {
	name string
	read func(context.Context) (map[string]float64, error)
}

func newMachine(log *slog.Logger) *machine {
	var network, storage rates
	return &machine{
		gauges: []gauge{
			{"cpu", readCPU},
			{"memory", readMemory},
			{"load", readLoad},
			{"disk", readDisk},
			{"network", func(ctx context.Context) (map[string]float64, error) { return network.of(readNetwork(ctx)) }},
			{"storage", func(ctx context.Context) (map[string]float64, error) { return storage.of(readStorage(ctx)) }},
		},
		failed: make(map[string]bool),
		log:    log,
	}
}

// sample measures everything now. What this machine cannot tell is left out, and logged once.
func (m *machine) sample(ctx context.Context) []sample {
	var samples []sample
	for _, g := range m.gauges {
		values, err := g.read(ctx)
		if err != nil && !m.failed[g.name] && ctx.Err() == nil {
			m.log.Warn("agent: not measured here", "what", g.name, "error", err)
			m.failed[g.name] = true
		}
		now := time.Now().UTC()
		for metric, value := range values {
			if !math.IsNaN(value) && !math.IsInf(value, 0) {
				samples = append(samples, sample{metric, value, now})
			}
		}
	}
	return samples
}

// readCPU measures the share of all processors' time since the last call in percent.
func readCPU(ctx context.Context) (map[string]float64, error) {
	percent, err := cpu.PercentWithContext(ctx, 0, false)
	if err != nil || len(percent) == 0 {
		return nil, err
	}
	return map[string]float64{"cpu": percent[0]}, nil
}

func readMemory(ctx context.Context) (map[string]float64, error) {
	memory, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]float64{"memory": memory.UsedPercent}, nil
}

func readLoad(ctx context.Context) (map[string]float64, error) {
	average, err := load.AvgWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]float64{"load": average.Load1}, nil
}

// readDisk measures how full the disk of the working directory is.
func readDisk(ctx context.Context) (map[string]float64, error) {
	here, err := filepath.Abs(".")
	if err != nil {
		return nil, err
	}
	usage, err := disk.UsageWithContext(ctx, here)
	if err != nil {
		return nil, err
	}
	return map[string]float64{"disk": usage.UsedPercent}, nil
}

func readNetwork(ctx context.Context) (map[string]uint64, error) {
	interfaces, err := net.IOCountersWithContext(ctx, true)
	total := map[string]uint64{}
	for _, i := range interfaces {
		if i.Name == "lo" || i.Name == "lo0" || strings.HasPrefix(i.Name, "Loopback") {
			continue
		}
		total["net_in"] += i.BytesRecv
		total["net_out"] += i.BytesSent
	}
	return total, err
}

func readStorage(ctx context.Context) (map[string]uint64, error) {
	disks, err := disk.IOCountersWithContext(ctx)
	total := map[string]uint64{}
	for name, d := range disks {
		if isPart(name, disks) {
			continue
		}
		total["disk_read"] += d.ReadBytes
		total["disk_write"] += d.WriteBytes
	}
	return total, err
}

// isPart reports whether what passes through it is counted elsewhere: a partition (sda1 of sda), or a device that is
// a file or a mapping of another one.
func isPart(name string, disks map[string]disk.IOCountersStat) bool {
	for _, prefix := range []string{"loop", "ram", "zram", "dm-", "md"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	for other := range disks {
		if other != name && strings.HasPrefix(name, other) {
			return true
		}
	}
	return false
}

// rates turns counters that only grow into figures a second. The zero value is ready to use.
type rates struct {
	at   time.Time
	last map[string]uint64
}

// of returns how much each counter grew a second since the last call; at the first call, or when the counters
// started again from 0, nothing.
func (r *rates) of(counters map[string]uint64, err error) (map[string]float64, error) {
	now := time.Now()
	seconds, last := now.Sub(r.at).Seconds(), r.last
	r.at, r.last = now, counters
	perSecond := make(map[string]float64)
	for name, count := range counters {
		if before, ok := last[name]; ok && count >= before && seconds > 0 {
			perSecond[name] = float64(count-before) / seconds
		}
	}
	return perSecond, err
}
