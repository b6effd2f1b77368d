// Package heartbeat watches peers: one timer wheel pings them all and expires the silent ones.
//
// # Concurrency
//
// Every method of [Monitor] may be called from any goroutine. A peer's methods are called one at a time, without a lock
// held, so they may call the monitor.
package heartbeat
