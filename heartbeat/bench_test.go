package heartbeat_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/heartbeat"
)

// counted is alive, and counts its pings.
type counted struct{ pings *atomic.Int64 }

func (c counted) Ping(time.Time) { c.pings.Add(1) }
func (counted) Heard() time.Time { return time.Now() }
func (counted) Expire()          {}

func BenchmarkAddRemove(b *testing.B) {
	m := heartbeat.New(heartbeat.Config{})
	defer m.Close()
	p := newPeer()
	b.ReportAllocs()
	for b.Loop() {
		m.Remove(m.Add(p))
	}
}

func BenchmarkAddRemoveParallel(b *testing.B) {
	m := heartbeat.New(heartbeat.Config{})
	defer m.Close()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		p := newPeer()
		for pb.Next() {
			m.Remove(m.Add(p))
		}
	})
}

// BenchmarkTurn pings 10,000 peers, each of which was asked for its answer to the last ping.
func BenchmarkTurn(b *testing.B) {
	const peers = 10_000
	m := heartbeat.New(heartbeat.Config{Interval: time.Hour, Timeout: time.Hour})
	defer m.Close()
	var pings atomic.Int64
	for range peers {
		m.Add(counted{&pings})
	}
	b.ReportAllocs()
	for b.Loop() {
		m.Skip(time.Hour + time.Minute)
	}
	if n := pings.Load(); n != int64(b.N)*peers {
		b.Errorf("%d pings in %d turns", n, b.N)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(pings.Load()), "ns/peer")
}

// BenchmarkMemory reports what a peer costs beside itself.
func BenchmarkMemory(b *testing.B) {
	const peers = 100_000
	for b.Loop() {
		p := newPeer()
		entries := make([]*heartbeat.Entry, peers)
		before := heap()
		m := heartbeat.New(heartbeat.Config{})
		for i := range entries {
			entries[i] = m.Add(p)
		}
		b.ReportMetric(float64(heap()-before)/peers, "B/peer")
		runtime.KeepAlive(entries)
		m.Close()
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
