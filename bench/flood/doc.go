// Command flood shows what hostile peers do to a server and to its other clients. For each flood it starts bench/server,
// connects polite clients that send at a low, steady rate and time the echoes, measures them and the server's memory in
// a quiet run and then in one of the same length under the flood, and prints both beside what is allowed: 64 MiB more
// memory, and a p99 that is twice as long or below a millisecond. Then it connects, in every way a connection can end,
// 100,000 times each, and compares the goroutines, descriptors and heap of the server with those before.
//
//	go run ./bench/flood                     everything: about ten minutes
//	go run ./bench/flood -floods ping -connects 0
//	go run ./bench/flood -list
//
// # What is measured
//
// The server has the limits that wsx has by default, and one processor of its own. The polite clients and the attacker
// share the next one, the attacker as a process of its own with nice 19, so that it costs the clients what it does to the
// server and no more. It is throttled, to a rate that -list tells: one that a single core can take, since a flood of
// what costs CPU and breaks no limit is the business of whoever admits the peers.
//
// A round trip counts from the moment of writing, and messages are written whether or not the earlier ones have come
// back. Memory before is the median of the resident memory in the quiet run, sampled every 20 ms; the peak is the
// kernel's own high-water mark, set back when the flood begins, which misses nothing in between. Every flood has a fresh
// server, so that none hides behind the memory that another one left in use. Sockets' buffers are the kernel's, and not
// in these figures.
//
// A p99 below a millisecond is fine, whatever the ratio: at that size it tells more about the machine than about the
// server. It says "alive" when the process is the one that was started, no polite client lost its connection or an echo,
// and somebody new is served at once.
//
// It needs Linux, and two processors that have nothing else to do. Where they have, start a build of it as root with
// chrt -f 1: then the server and the polite clients come before everything else, and the attacker still behind them.
package main
