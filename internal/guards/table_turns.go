package main

var turnGuards = []guard{
	{"slow: others have their turn", "internal/wire/intake.go", `	e.takeTurn()
	i.since`, `	i.since`, wire, "^TestReadingTakesTurns"},
	{"intake: many take turns", "internal/wire/intake.go", `		e.readers.Piece(i.takeTurn)
`, ``, wire, "^TestWhoReadsMuch|^TestManyThatReadMuch"},
	{"intake: that have waited, too", "internal/wire/intake.go", `		c.engine.readers.Piece(i.takeTurn) // many have been woken
`, ``, wire, "^TestRoomIsLookedFor"},
	{"intake: the look for room comes after it", "internal/wire/intake.go", `c.engine.readers.Piece(i.takeTurn) // many have been woken
`, `c.engine.readers.Piece(i.takeTurn)
		return
`, wire, "^TestRoomIsLookedFor"},
	{"intake: few wait with something in hand", "internal/wire/intake.go", `if e.laden.Add(1) > mostLaden {`, `if e.laden.Add(1) < 0 {`, wire, "^TestFewWaitForATurn"},
	{"intake: a part of a message is something", "internal/wire/intake.go", ` || i.conn.parser.partial != nil`, ``, wire, "^TestFewWaitForATurn"},
	{"intake: a large buffer too", "internal/wire/intake.go", `i.large != nil || i.conn`, `i.conn`, wire, "^TestFewWaitForATurn"},
	{"intake: a turn before the buffer grows", "internal/wire/intake.go", `	i.tire()
	if i.much {
		i.grow()
	} else {
		i.shrink()
	}
`, `	if i.much {
		i.grow()
	} else {
		i.shrink()
	}
	i.tire()
`, wire, "^TestFewWaitForATurn"},
	{"intake: waits while the outboxes hold too much", "internal/wire/intake.go", `		i.outlastStrain()
`, ``, wire, "^TestReadingOutlastsStrain"},
	{"intake: for those of others too", "internal/wire/intake.go", `!forOthers && `, ``, wire, "^TestReadingOutlastsStrain"},
	{"intake: for its own", "internal/wire/intake.go", ` && !c.out.strains()`, ``, wire, "^TestReadingOutlastsStrain"},
	{"intake: until its own has moved", "internal/wire/intake.go", `moved, _ := c.out.watch()`, `moved := (chan struct{})(nil)`, wire, "^TestReadingOutlastsStrain"},
	{"intake: until there is room", "internal/wire/budget.go", `		b.ease()
`, ``, wire, "^TestReadingOutlastsStrain"},
	{"intake: until it closes", "internal/wire/intake.go", `		case <-c.Done():
			goesOn = false
`, ``, wire, "^TestCloseEndsTheWaiting"},
	{"intake: for others once", "internal/wire/intake.go", `eased == c.vain || `, ``, wire, "^TestStrainIsOutlastedOnce"},
	{"intake: little is not held up", "internal/wire/intake.go", `if i.full = n == len(i.space()); !i.full {`, `if i.full = true; !i.full {`, wire, "^TestLittleIsRead"},
	{"intake: seldom for others", "internal/wire/intake.go", `&& begun >= patient ||`, `&& begun >= 0*patient ||`, wire, "^TestStrainThatComes"},
	{"intake: again when it overflows", "internal/wire/intake.go", ` || b.overflows() && begun >= firm`, ` && firm >= 0`, wire, "^TestOverflowIs"},
	{"intake: whose rest is no shorter then", "internal/wire/intake.go", `max(c.patient, now+repose*(now-begun))`, `now+repose*(now-begun)`, wire, "^TestOverflowIs"},
	{"intake: whatever has moved meanwhile", "internal/wire/intake.go", `&& begun >= patient ||`, `&& begun >= max(patient, c.patient) ||`, wire, "^TestReadingOutlasts"},
	{"intake: no more than half of the time", "internal/wire/intake.go", `b.overflows() && begun >= firm`, `b.overflows() && firm >= 0`, wire, "^TestOverflowThatComes"},
	{"intake: while too much waits", "internal/wire/engine.go", `if e.outboxes.strained() {`, `if false {`, wire, "^TestWhoReadsMuch"},
	{"intake: and if that was waited out", "internal/wire/intake.go", `c.engine.strainedAt.Store(now)`, ``, wire, "^TestTheEndOfStrain"},
	{"intake: and for a second", "internal/wire/engine.go", `at != 0 && e.age()`, `at == 1 && e.age()`, wire, "^TestWhoReadsMuch"},
	{"intake: and while calls take long", "internal/wire/engine.go", ` || e.sendsSlowly()`, ``, wire, "^TestWhoReadsMuch"},
	{"intake: not in other times", "internal/wire/intake.go", `e.labours() && time`, `time`, wire, "^TestWhoReadsMuch"},
	{"intake: by a quarter", "internal/wire/budget.go", `+int64(b.most)/4 }`, ` }`, wire, "^TestOverflowIs"},
	{"intake: not with much in hand", "internal/wire/intake.go", `	if i.large == nil {
		i.outlast`, `	if true {
		i.outlast`, wire, "^TestWhatWasReadIsHandled"},
	{"intake: not for ever", "internal/wire/intake.go", `c.vain, goesOn = eased, false`, `goesOn = false`, wire, "^TestStrainIsOutlastedOnce"},
	{"intake: little at once meanwhile", "internal/wire/intake.go", `i.much = !e.outboxes.strained()`, `i.much = true`, wire, "^TestReadsAreShort"},
	{"intake: of records too", "internal/wire/transport.go", `				b.ration()
`, ``, wire, "^TestReadsAreShort"},
	{"intake: from the start", "internal/wire/intake.go", `large && !c.engine.labours()`, `large`, wire, "^TestWhoSentMuch"},
	{"end: others have their turn", "internal/wire/read.go", `		c.engine.letOthers()
`, ``, wire, "^TestEndingTakesTurns"},
	{"budget: others have their turn", "internal/wire/budget.go", `	c.engine.letOthers()
`, ``, wire, "^TestRelievingTakesTurns"},
	{"turn: the descriptor is kept for those that rest", "internal/turn/turn.go", `if !t.taken.Load() {`, `if !t.rests() {`, "./internal/turn", "^TestTurnsThatRest"},
	{"turn: behind all that is ready", "internal/turn/wait_unix.go", `runtime.Gosched() //`, `_ = runtime.Gosched //`, "./internal/turn", "^TestTake$"},
	{"turn: in a burst", "internal/turn/burst.go", `		take()
`, ``, "./internal/turn", "^TestBurst"},
	{"turn: those that come meanwhile wait too", "internal/turn/burst.go", `		take()
		now = age()
		b.last.Store(now)
		b.since.Store(now)
`, `		b.since.Store(now)
		take()
`, "./internal/turn", "^TestBurst"},
	{"turn: a burst ends with a pause", "internal/turn/burst.go", `case now-last >= int64(apart):`, `case last < 0:`, "./internal/turn", "^TestBurst"},
	{"send: others have their turn", "internal/wire/write.go", `c.yield() // the`, `_ = 0 // the`, wire, "^TestSendingTakesTurns"},
	{"send: and before much that was read", "internal/wire/intake.go", `case i.large == nil && e.sendsSlowly():`, `case false:`, wire, "^TestWhoReadsMuch"},
	{"send: and between messages that may be dropped", "internal/wire/write.go", `			c.yield()
`, `			_ = 0
`, wire, "^TestSendingTakesTurns"},
	{"send: neither slow nor fast stays as it is", "internal/wire/pace.go", `		p.last.Store(now)
	}
`, `	}
`, wire, "^TestSlowSendsGoOn"},
	{"send: it stays less until more would be fast", "internal/wire/pace.go", `took*time.Duration(4*piece)`, `took*time.Duration(2*piece)`, wire, "^TestSlowSendsBecomeSmaller"},
	{"send: who watches sees that a turn is no refusal", "internal/wire/load.go", `if !l.yielded.IsZero() {`, `if false {`, wire, "^TestATurnIsNoRefusal"},
	{"send: the budget sees that a turn is no refusal", "internal/wire/held.go", `if !l.yielded.IsZero() {`, `if false {`, wire, "^TestATurnIsNoRefusal"},
	{"send: a turn is no time of waiting", "internal/wire/writing.go", `l.progress, l.yielded = l.progress.Add(now.Sub(l.yielded)), time.Time{}`, `l.yielded = time.Time{}`, wire, "^TestATurnIsNoRefusal"},
	{"send: which is no progress", "internal/wire/writing.go", `l.progress, l.yielded = l.progress.Add(now.Sub(l.yielded)), time.Time{}`, `l.progress, l.yielded = now, time.Time{}`, wire, "^TestATurnIsNoProgress"},
	{"send: many that look take turns", "internal/wire/detached_write_linux.go", "\t\tc.beforeLook()\n", "", wire, "^TestWritersTake"},
	{"send: which are no refusal either", "internal/wire/pace.go", `c.engine.writers.Piece(c.takeTurn)`, `c.engine.writers.Piece(c.engine.takeTurn)`, wire, "^TestALookIsNoRefusal"},
	{"slow: many do not look at once", "internal/wire/detached_write_linux.go", `return d - rand.N(d/2)`, `return d - 0*rand.N(d/2)`, wire, "^TestLooksAreSpread"},
	{"send: slow calls are forgotten", "internal/wire/pace.go", `e.pace.halved.Store(0)`, `return true`, wire, "^TestSlowSendsAreForgotten"},
	{"send: less at once where it takes long", "internal/wire/pace.go", `case took >= longSend:`, `case false:`, wire, "^TestSlowSendsBecomeSmaller"},
}
