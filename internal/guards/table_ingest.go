package main

const ingest = "./hub"

var ingestGuards = []guard{
	{"ingest: rejections only with nil", "batch/batch.go", `p.refused = p.refused[:0]`, `_ = p.refused`, "./batch", "^TestReject$"},
	{"ingest: a hung store is not asked for each item", "batch/retry.go", `case l.b.ctx.Err() != nil || unavailable(err):`, `case l.b.ctx.Err() != nil:`, "./batch", "^TestUnavailableStore"},
	{"ingest: a store that is away is no poison", "batch/retry.go", `if t.parted && !t.letter && !unavailable(err) {`, `if t.parted && !t.letter {`, "./batch", "^TestUnavailableAmong"},
	{"ingest: poison is held", "batch/retry.go", `if l.b.cfg.OnPoison == Hold &&`, `if false &&`, "./batch", "^TestHold"},
	{"ingest: an ack covers a prefix", "hub/stream.go", `if r.first != settled+1 {`, `if false {`, ingest, "^TestSettlePrefix"},
	{"ingest: only what asked for it", "hub/streams.go", `(c.hub.cfg.AckAlways || c.Subprotocol() == AckProtocol)`, `true`, ingest, "^TestPlainClients"},
	{"ingest: one connection a stream", "hub/stream.go", `	if s.conn != c {
		return 0, false
	}`, ``, ingest, "^TestClaimOf"},
	{"ingest: the older one is settled first", "hub/stream.go", `		if moved == nil {
			return true
		}
		select {
		case <-moved:
		case <-c.wire.Done():
			return false
		case <-s.hub.draining:`, `		if moved == nil || true {
			return true
		}
		select {
		case <-moved:
		case <-c.wire.Done():
			return false
		case <-s.hub.draining:`, ingest, "^TestTakeover"},
	{"ingest: the older one is told", "hub/streams.go", `_ = before.Close(ws.StatusReplaced, "replaced by a newer connection")`, `_ = before`, ingest, "^TestTakeover"},
	{"ingest: the window", "hub/stream.go", `left(cfg.MaxUnsettled, unsettled)`, `left(0, unsettled)`, ingest, "^TestWindow"},
	{"ingest: the window in bytes", "hub/stream.go", `left(cfg.MaxUnsettledBytes, held)`, `left(0, held)`, ingest, "^TestWindow"},
	{"ingest: the budget", "hub/lane.go", `b.await(c.hub.draining, c.pushBudget)`, ``, ingest, "^TestBudget$"},
	{"ingest: what fills does not hold the budget", "hub/lane.go", `if age := c.hub.cfg.Batch.MaxAge; age < 0 || age > soon {`, `if false {`, ingest, "^TestBudgetIsNot"},
	{"ingest: what is acknowledged is not dropped", "hub/check.go", `case c.Batch.DropOldest && c.Ack != AckNone:`, `case false:`, ingest, "^TestConfigThatCannotWork"},
	{"ingest: what is dropped is given back", "hub/batch.go", `h.budget.give(int64(bytes + overhead*messages))`, `_ = bytes`, ingest, "^TestDropOldest"},
	{"ingest: a nack is no loss", "hub/settle.go", `h.count.givenBack.Add(1)`, ``, ingest, "^TestReport"},
	{"ingest: what a closed batch refuses is counted", "hub/lane.go", `c.hub.count.lost.Add(uint64(len(g.payloads) - added))`, `_ = added`, ingest, "^TestShutdownAbandons"},
	{"ingest: a full window is no delay", "hub/lane.go", `c.pushLane() // a client`, `// a client`, ingest, "^TestAWindowIsNoDelay"},
	{"ingest: half a window is acknowledged", "hub/stream.go", `return messages >= s.hub.share.messages ||`, `return messages >= ackEvery ||`, ingest, "^TestAWindowIsNoDelay"},
	{"ingest: the budget refuses", "hub/budget.go", `return b.most > 0 && b.used.Load() >= b.most-b.most/5`, `return false`, ingest, "^TestBudget"},
	{"ingest: the last ack goes before the close", "internal/wire/outbox.go", `	l.control = append(l.control, farewell...)
`, ``, ingest, "^TestAckBeforeClose"},
	{"ingest: what was given up is not acknowledged", "hub/settle.go", ` || r != nil && r.Cause == batch.GivenUp && h.Draining()`, ``, ingest, "^TestShutdownAcknowledges"},
	{"ingest: a nack is told again", "hub/streams.go", `s.told, s.again = len(s.nacks), len(s.nacks)`, `s.nacks = s.nacks[:0]`, ingest, "^TestNackIsToldAgain"},
	{"ingest: a nack is told until the client sends", "hub/stream.go", `if s.again > 0 {`, `if false {`, ingest, "^TestNackIsToldAgain"},
	{"ingest: the position is read", "hub/streams.go", `if c.hub.cfg.Ack != AckResume || !s.kept {`, `if true {`, ingest, "^TestResume"},
}
