package main

// flood is one way to be hostile.
type flood struct {
	name   string
	what   string   // with the rate of the attacker
	args   []string // of the server
	files  uint64   // that the server may have open; 0: as many as the system allows
	lasts  int      // how many durations the first time; 0: one
	expect string   // what the attacker has to see; empty: nothing is due within the time
	attack func(a *attacker)
}

// floods are all there are, in the order in which they run. Connections that stay come at 400 a second.
func floods() []flood {
	return []flood{
		{
			name: "huge lengths", expect: "1009", attack: hugeLengths,
			what: "600 connections/s, each declares 2^62, 2^31 or 65,537 bytes and is then held open",
		},
		{
			name: "empty fragments", expect: "1008", attack: func(a *attacker) { fragments(a, nil) },
			what: "400,000 empty fragments/s on 32 connections: half without an end, half as messages of 1,001",
		},
		{
			name: "byte fragments", expect: "1008", attack: func(a *attacker) { fragments(a, []byte("x")) },
			what: "the same with one byte in each",
		},
		{
			name: "endless messages", expect: "held", attack: endlessMessages,
			what: "1,000 connections, each holds 65,535 bytes of a message that never ends",
		},
		{
			name: "ping flood", expect: "1008", attack: pingFlood,
			what: "100,000 pings/s of 125 bytes on 64 connections, which come back when they are cut",
		},
		{
			name: "unread pongs", attack: unreadPongs,
			what: "1,000 connections that never read, 20 pings/s of 125 bytes each",
		},
		{
			name: "unread echoes", lasts: 3, expect: "cut", attack: unreadEchoes,
			what: "1,000 connections that never read, 1,000 messages/s of 60 KiB in all; who is cut comes back",
		},
		{
			name: "slow writers", attack: slowWriters,
			what: "1,000 connections, each one byte a second of a frame of 60,000",
		},
		{
			name: "slow handshakes", lasts: 2, expect: "cut", attack: slowHandshakes,
			what: "1,000 handshakes, one byte every 100 ms; the read timeout of 5 s is to cut them",
		},
		{
			name: "vanishing", attack: vanishing,
			what: "2,000 handshakes/s whose client has gone before the answer",
		},
		{
			name: "reconnects", expect: "echo", attack: reconnects,
			what: "2,000 connections/s, each sends a message, reads the echo and resets",
		},
		{
			name: "spoofed keys", lasts: 8, expect: "HTTP 403", attack: spoofedKeys,
			what: "25,000 handshakes/s on 16 connections, each with an X-Forwarded-For of its own; a million in 40 s",
		},
		{
			name: "bombs", expect: "1009", args: []string{"-compress"}, attack: bombs,
			what: "300 connections/s, each sends 10 KiB that are 10 MiB when inflated, and is then held open",
		},
		{
			name: "small bombs", args: []string{"-compress"}, attack: smallBombs,
			what: "500 messages/s of 60 KiB out of 90 bytes, on 50 connections, their echoes read",
		},
		{
			name: "bomb rows", args: []string{"-compress"}, attack: bombRows,
			what: "as many of them as the server takes, 100 in a write, on 50 connections",
		},
		{
			name: "deaf rooms", lasts: 2, attack: deafRooms,
			what: "20 broadcasts/s of 8 KiB to 500 connections that never read",
		},
		{
			name: "descriptors", files: 300, expect: "held", attack: descriptors,
			what: "1,000 connections to a server that may have 300 descriptors, 200 of them the polite clients'",
		},
	}
}
