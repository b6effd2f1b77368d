package main

// program is a server to measure.
type program struct {
	name  string   // in the tables
	pkg   string   // in this module
	args  []string // besides the address
	idle  []string // for idle connections, where it has a heartbeat to turn on
	quick bool     // measured without -full
	tls   bool     // takes -tls-cert and -tls-key
}

const (
	wsxName     = "wsx"
	contribName = "contrib"
	gwsName     = "gws"
	limitName   = "raw-epoll"
)

// programs are all servers, in the order of the tables.
func programs() []program {
	heartbeat := []string{"-ping-interval", "5s"}
	return []program{
		{name: wsxName, pkg: "./server", idle: heartbeat, quick: true, tls: true},
		{name: contribName, pkg: "./peers/contrib", idle: heartbeat, quick: true, tls: true},
		{name: "contrib-writer", pkg: "./peers/contrib", args: []string{"-mode", "writer"}},
		{name: "contrib-prepared", pkg: "./peers/contrib", args: []string{"-mode", "prepared"}},
		{name: "melody", pkg: "./peers/melody", idle: heartbeat, tls: true},
		{name: gwsName, pkg: "./peers/gws", quick: true, tls: true},
		{name: "coder", pkg: "./peers/coder", tls: true},
		{name: "gobwas", pkg: "./peers/gobwas"},
		{name: "raw-net", pkg: "./peers/rawnet"},
		{name: limitName, pkg: "./peers/rawepoll", quick: true},
	}
}
