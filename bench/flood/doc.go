// Command flood shows what hostile peers do to a server and to its other clients. For each flood it starts
// bench/server, connects polite clients that send at a low, steady rate and time the echoes, and measures them and the
// server's memory without the flood and then under it, nine times in turn or, where that decides nothing, up to 27. It
// prints both beside what is allowed: 64 MiB more memory, and a p99 that is twice as long. Then it connects, in every
// way a connection can end, 100,000 times each, and compares the goroutines, descriptors and heap of the server with
// those before.
//
//	go run ./bench/flood                     everything: about half an hour
//	go run ./bench/flood -floods ping -connects 0
//	go run ./bench/flood -server-cores 2 -connects 0
//	go run ./bench/flood -list
//
// # What is measured
//
// The server has the limits that wsx has by default, and one processor of its own. The polite clients and the attacker
// are processes of their own on the next one. Where the command may (as root, that is), the server and the polite
// clients get a real-time priority, so that other work on the machine does not count as the server's delay; the
// attacker has nice 19 in any case. It is throttled, to a rate that -list tells and that a single core can take, since
// a flood of what costs CPU and breaks no limit is the business of whoever admits the peers. What it has reached is in
// the table.
//
// A round trip counts from the moment before the writing to the moment when the kernel has the echo for the client
// (SO_TIMESTAMPNS), so that it does not matter when the client itself gets to run: all of the time in between is the
// server's. Messages are written whether or not the earlier ones have come back. The clients are one thread without
// goroutines. What counts of a run is the median of the p99 of each half second, and of the pairs of runs the median of
// their ratios: what disturbs a few moments is the machine, what a flood does lasts. Half seconds in which a virtual
// machine's host has taken time from one of the two processors do not count, with the flood or without, nor pairs in
// one of whose two runs it has left less than half; the kernel tells in steps of 10 ms. The table has how many half
// seconds are left, and between what the middle half of the ratios lies. If that is on both sides of what is allowed,
// whatever their median is, the flood is measured as often again, twice at most, and all pairs count together; also if
// more than half of the pairs do not count.
//
// Memory before is the median of the resident memory in the first quiet run, sampled every 20 ms; the peak is the
// kernel's own high-water mark, set back when the first flood begins, which misses nothing in between. Every flood has
// a fresh server, so that none hides behind the memory that another one left in use. Sockets' buffers are the kernel's,
// and not in these figures.
//
// # How to read it
//
// A server with one processor does one thing after the other. If the flood takes the part ρ of its time, in pieces of a
// length d that cannot be parted, then ρ of the messages find it busy, and as soon as ρ is above some percent the p99
// is what the piece has left to run: nearly d, and several d where the attackers come in bursts. The columns of the
// load tell ρ. A quiet round trip takes some 30 µs here and its p99 is below 100, so that one handshake of 150 µs in
// front of a message is a ratio above 2 already: read the ratio together with the difference in µs. The median, in the
// columns before, hardly changes as long as the server has time left.
//
// On a server with more than one, somebody else is served meanwhile: -server-cores 2 shows that, at the price that its
// second processor is the clients' too.
//
// It says "alive" when the process is the one that was started, no polite client lost its connection or an echo, and
// somebody new is served at once.
//
// It needs Linux, and two processors that have nothing else to do.
package main
