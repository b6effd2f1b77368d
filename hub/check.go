package hub

import (
	"fmt"
	"math"
	"time"
)

// check panics when no hub can work with c.
func (c Config) check() {
	modes := 0
	for _, set := range []bool{c.OnMessage != nil, c.OnBatch != nil, c.OnConn != nil} {
		if set {
			modes++
		}
	}
	other := modes > 0 && c.OnBatch == nil // without any, the function OnBatch may be called
	switch {
	case modes > 1:
		panic("hub: Config has more than one handler: set only one of OnMessage, OnBatch and OnConn, or make two hubs")
	case c.Ack < AckNone || c.Ack > AckResume:
		panic("hub: Config.Ack must be hub.AckNone, hub.AckBatch or hub.AckResume")
	case c.Ack != AckNone && other:
		panic("hub: Config.Ack needs OnBatch: what is acknowledged is what that has returned nil for")
	case c.Ack == AckResume && c.Position == nil:
		panic("hub: AckResume needs Config.Position, which says where the stored messages of a stream end")
	case c.Batch.DropOldest && c.Ack != AckNone:
		panic("hub: Config.Batch.DropOldest needs AckNone: what a client waits to be told of may not be dropped")
	case c.DeadLetter != nil && other:
		panic("hub: Config.DeadLetter needs OnBatch")
	case !validLookup(c.StreamLookup):
		panic("hub: Config.StreamLookup must be param:NAME, query:NAME or header:NAME")
	case c.OverRate < Notify || c.OverRate > CloseOver:
		panic("hub: Config.OverRate must be hub.Notify, hub.Pause or hub.CloseOver")
	case c.BatchPer != Shared && c.BatchPer != PerConn:
		panic("hub: Config.BatchPer must be hub.Shared or hub.PerConn")
	case c.ShutdownStatus != 0 && !c.ShutdownStatus.Sendable():
		panic("hub: Config.ShutdownStatus must be a status that may be sent, as ws.StatusServerShutdown")
	case c.Ack == AckNone && (c.AckAlways || c.StreamClaim != "" || c.StreamLookup != ""):
		panic("hub: Config.AckAlways, StreamClaim and StreamLookup need Config.Ack: without it nobody is told anything")
	case c.Ack != AckResume && c.Position != nil:
		panic("hub: Config.Position needs Config.Ack: hub.AckResume, because nothing else asks where a stream ends")
	}
	c.checkRates()
	c.checkTimes()
	checkCodecs(c.Codecs)
	c.Compression.withDefaults().check()
}

// checkRates panics when a rate says nothing.
func (c Config) checkRates() {
	for _, r := range []struct {
		name string
		rate float64
	}{
		{"Rate", c.Rate}, {"RateBytes", c.RateBytes}, {"RatePerSubject", c.RatePerSubject}, {"RatePerIP", c.RatePerIP},
	} {
		if math.IsNaN(r.rate) || math.IsInf(r.rate, 0) {
			panic(fmt.Sprintf("hub: Config.%s is %v: make it a finite number, or negative for no limit", r.name, r.rate))
		}
	}
	switch {
	case c.RateRule.Max > 0 && c.RateRule.Period <= 0:
		panic("hub: Config.RateRule needs a Period, as in ratelimit.Rule{Max: 10, Period: time.Minute}")
	case c.RateRule.Max == 0 && c.RateRule.Period != 0:
		panic("hub: Config.RateRule needs a Max, as in ratelimit.Rule{Max: 10, Period: time.Minute}")
	}
}

// checkTimes panics when a time is one that nobody means: a number of seconds without its unit is nanoseconds.
func (c Config) checkTimes() {
	for _, t := range []struct {
		name string
		is   time.Duration
	}{
		{"RateRule.Period", c.RateRule.Period}, {"MaxMessageAge", c.MaxMessageAge}, {"WriteDeadline", c.WriteDeadline},
		{"CloseTimeout", c.CloseTimeout}, {"PingInterval", c.PingInterval}, {"PongTimeout", c.PongTimeout},
		{"IdleTimeout", c.IdleTimeout}, {"MaxLifetime", c.MaxLifetime}, {"DrainTimeout", c.DrainTimeout},
	} {
		if t.is > 0 && t.is < time.Millisecond {
			panic(fmt.Sprintf("hub: Config.%s is %v: write its unit, as in %d*time.Second", t.name, t.is, t.is))
		}
	}
}
